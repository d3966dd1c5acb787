"""Fixtures: miniature copies of public benchmarks in their own folder layout, with drawn faces."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from thermal_landmarks.data.readers.wflw import FLAGS
from thermal_landmarks.data.schemes import get_scheme

SIZE = (96, 128)  # height, width


def wflw_face(centre: tuple[float, float], size: float, roll_deg: float = 0.0) -> np.ndarray:
    """WFLW's 98 points of a frontal face, float64; `size` is the distance of the outer eye corners in pixels."""

    def arc(x0: float, x1: float, y: float, bend: float, count: int) -> list[tuple[float, float]]:
        return [(x0 + (x1 - x0) * t, y + bend * 4 * t * (1 - t)) for t in np.linspace(0, 1, count)]

    angles = np.linspace(np.pi, 0, 33)
    jaw = [(0.85 * np.cos(a), 1.35 * np.sin(a)) for a in angles]
    brow_left = [*arc(-0.6, -0.12, -0.25, -0.12, 5), *arc(-0.12, -0.6, -0.15, -0.1, 6)[1:5]]
    brow_right = [*arc(0.12, 0.6, -0.25, -0.12, 5), *arc(0.6, 0.12, -0.15, -0.1, 6)[1:5]]
    nose = [(0, 0.02), (0, 0.17), (0, 0.32), (0, 0.47), *arc(-0.17, 0.17, 0.55, 0.06, 5)]
    eye_left = [*arc(-0.5, -0.18, 0, -0.07, 5), *arc(-0.18, -0.5, 0, 0.07, 5)[1:4]]
    eye_right = [*arc(0.18, 0.5, 0, -0.07, 5), *arc(0.5, 0.18, 0, 0.07, 5)[1:4]]
    outer = [*arc(-0.3, 0.3, 0.85, -0.1, 7), *arc(0.3, -0.3, 0.85, 0.15, 7)[1:6]]
    inner = [*arc(-0.26, 0.26, 0.86, -0.04, 5), *arc(0.26, -0.26, 0.86, 0.05, 5)[1:4]]
    unit = np.array(
        [*jaw, *brow_left, *brow_right, *nose, *eye_left, *eye_right, *outer, *inner, (-0.34, 0), (0.34, 0)]
    )
    roll = np.deg2rad(roll_deg)
    turn = np.array([[np.cos(roll), np.sin(roll)], [-np.sin(roll), np.cos(roll)]])
    return size * unit @ turn + centre


def face106(face98: np.ndarray) -> np.ndarray:
    """LaPa's or JD-landmark's 106 points of the same face."""
    points = np.empty((106, 2))
    points[get_scheme("lapa106").index_map(get_scheme("wflw98"))] = face98
    left, right = face98[55], face98[59]
    across, up = right - left, face98[51] - face98[57]
    for i, (x, y) in {
        55: (0.1, 0.8),
        56: (0.0, 0.4),
        57: (-0.15, 0.1),
        65: (0.9, 0.8),
        64: (1, 0.4),
        63: (1.15, 0.1),
    }.items():
        points[i] = left + x * across + y * up
    points[74], points[83] = face98[60:68].mean(axis=0), face98[68:76].mean(axis=0)
    return points


def draw(path: Path, faces: list[np.ndarray]) -> None:
    """A picture with a bright dot at each point."""
    picture = Image.new("RGB", SIZE[::-1], (40, 50, 60))
    pen = ImageDraw.Draw(picture)
    for face in faces:
        for x, y in face:
            pen.ellipse((x - 1, y - 1, x + 1, y + 1), fill=(230, 220, 210))
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path, quality=95)


def random_face(rng: np.random.Generator) -> np.ndarray:
    """A face somewhere in a picture of `SIZE`."""
    return wflw_face((rng.uniform(50, 78), rng.uniform(30, 40)), rng.uniform(30, 38), rng.uniform(-15, 15))


def rounded_box(face: np.ndarray) -> list[int]:
    """The box around a face, in whole pixels."""
    return [*np.floor(face.min(axis=0)).astype(int).tolist(), *np.ceil(face.max(axis=0)).astype(int).tolist()]


def wflw_line(face: np.ndarray, name: str, flags: tuple[int, ...]) -> str:
    """One line of WFLW's official lists."""
    cells = [f"{value:.6f}" for value in face.ravel()]
    return " ".join([*cells, *map(str, rounded_box(face)), *map(str, flags), name])


def write_wflw(folder: Path, train: int = 8, test: int = 6) -> Path:
    """A WFLW folder; test face i has flag i, and the last one none."""
    rng = np.random.default_rng(0)
    for part, count in (("train", train), ("test", test)):
        lines = []
        for i in range(count):
            face, name = random_face(rng), f"{i % 3}--Event/{i % 3}_Event_{part}_{i}.jpg"
            draw(folder / "WFLW_images" / name, [face])
            lines.append(wflw_line(face, name, tuple(int(i == k and i < count - 1) for k in range(len(FLAGS)))))
        lists = folder / "WFLW_annotations" / "list_98pt_rect_attr_train_test"
        lists.mkdir(parents=True, exist_ok=True)
        (lists / f"list_98pt_rect_attr_{part}.txt").write_text("\n".join(lines) + "\n")
    return folder


def counted(points: np.ndarray) -> str:
    """The text of a landmark file of JD-landmark or LaPa."""
    return "\n".join([str(len(points)), *(f"{x:.6f} {y:.6f}" for x, y in points)]) + "\n"


def write_jd106(folder: Path, train: int = 6, test: int = 2) -> Path:
    """A JD-landmark folder: training data in a folder for each origin, test data in one."""
    rng = np.random.default_rng(1)
    for part, origins, count in (("Training_data", ("AFW", "IBUG"), train), ("Test_data", (".",), test)):
        for i in range(count):
            face = face106(random_face(rng))
            place, name = folder / part / origins[i % len(origins)], f"AFW_{i}_{part[0]}.jpg"
            draw(place / "picture" / name, [face])
            for kind, suffix, text in (
                ("landmark", "txt", counted(face)),
                ("rect", "rect", " ".join(map(str, rounded_box(face)))),
            ):
                (place / kind).mkdir(exist_ok=True)
                (place / kind / f"{name}.{suffix}").write_text(text)
    return folder


def write_lapa(folder: Path, count: int = 3) -> Path:
    """A LaPa folder with `count` pictures in each part."""
    rng = np.random.default_rng(2)
    for part in ("train", "val", "test"):
        for i in range(count):
            face = face106(random_face(rng))
            draw(folder / part / "images" / f"{part}{i}_0.jpg", [face])
            (folder / part / "landmarks").mkdir(exist_ok=True)
            (folder / part / "landmarks" / f"{part}{i}_0.txt").write_text(counted(face))
    return folder


@pytest.fixture(scope="session")
def wflw_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_wflw(tmp_path_factory.mktemp("WFLW"))


@pytest.fixture(scope="session")
def jd106_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_jd106(tmp_path_factory.mktemp("JD"))


@pytest.fixture(scope="session")
def lapa_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_lapa(tmp_path_factory.mktemp("LaPa"))
