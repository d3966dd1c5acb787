import csv
import json
import shutil
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from in_process import Command
from PIL import Image

from thermal_landmarks.data.annotation import Annotation
from thermal_landmarks.data.readers.coco import CocoKeypoints, write_coco

FACE16 = np.array(
    [
        *([30, 20], [70, 20], [20, 32], [42, 33], [58, 33], [80, 32]),  # brows, eyes
        *([50, 30], [50, 52], [40, 58], [50, 60], [60, 58]),  # nose
        *([33, 75], [50, 70], [67, 75], [50, 85], [50, 105]),  # mouth, chin
    ]
)


@pytest.fixture
def check_data(command: Command, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Runs the command in a folder of its own; gives what it exits with."""
    monkeypatch.setenv("COLUMNS", "200")  # a narrow table would break the long names of temporary files
    return partial(command, "check_data", "hydra.run.dir=out", "data.cache_dir=cache", "data.workers=1")


@pytest.fixture
def face_coco(tmp_path: Path) -> Path:
    """Two noisy images of each of 8 people with landmarks where a face has them, written by our own writer."""
    rng = np.random.default_rng(0)
    (tmp_path / "data").mkdir()
    faces = []
    for i in range(16):
        image = tmp_path / "data" / f"face_{i:02}.png"
        Image.fromarray(rng.integers(2000, 3600, (48, 64)).astype(np.uint16)).save(image)
        points = FACE16 * 0.35 + rng.uniform(-4, 4, 2) + (14, 3)
        faces.append(Annotation(image, points.astype(np.float32), f"s{i // 2}"))
    path = tmp_path / "data" / "faces.json"
    sizes = {face.image: (48, 64) for face in faces}
    write_coco(path, faces, scheme="face16", sizes=sizes, unit="centi_celsius")
    return path


def face_settings(path: Path) -> tuple[str, ...]:
    return ("data=coco", f"data.source.annotation_file={path}", "data.image_size=[48,64]")


def test_a_good_data_set_passes_and_is_written_as_coco_with_a_montage(
    check_data: Command, face_coco: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check_data(*face_settings(face_coco), "samples=2") is None
    assert "Nothing wrong found" in capsys.readouterr().out
    out = tmp_path / "out"
    report = json.loads((out / "report.json").read_text())
    assert (report["faces"], report["images"], len(report["subjects"])) == (16, 16, 8)
    before = CocoKeypoints(annotation_file=face_coco, scheme="face16")
    after = CocoKeypoints(annotation_file=out / "coco.json", scheme="face16")
    for old, new in zip(before.annotations(), after.annotations(), strict=True):
        np.testing.assert_array_equal(new.points_px, old.points_px)
        np.testing.assert_array_equal(after.load(new).values, before.load(old).values)
        assert new.subject == old.subject
    with Image.open(out / "montage.png") as picture:
        assert picture.width > picture.height > 500  # two samples, each as it is and turned both ways


def test_bad_items_are_listed_and_the_command_fails(
    check_data: Command, face_coco: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = face_coco.parent
    (folder / "face_00.png").unlink()
    (folder / "face_01.png").write_bytes(b"junk")
    shutil.copy(folder / "face_02.png", folder / "face_15.png")
    assert check_data(*face_settings(face_coco)) == 1
    out = capsys.readouterr().out
    assert "3 error(s)" in out
    assert "face_00.png" in out
    with (tmp_path / "out" / "findings.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(Path(row["image"]).name, row["kind"]) for row in rows] == [
        ("face_00.png", "unreadable"),
        ("face_01.png", "unreadable"),
        ("face_15.png", "duplicate"),
    ]
    kept = json.loads((tmp_path / "out" / "coco.json").read_text())["annotations"]
    assert len(kept) == 13
    assert (tmp_path / "out" / "montage.png").exists()


def test_too_few_people_for_the_split_are_an_error(
    check_data: Command, face_coco: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pattern = "data.source.subject_pattern='(face)'"
    assert check_data(*face_settings(face_coco), pattern, "samples=0") == 1
    assert "(split)" in capsys.readouterr().out


def test_random_augmentation_is_shown_over_epochs(check_data: Command, face_coco: Path, tmp_path: Path) -> None:
    random = ("data.augmentation.rotation=random", "data.augmentation.hflip=0.5", "samples=1")
    assert check_data(*face_settings(face_coco), *random) is None
    with Image.open(tmp_path / "out" / "montage.png") as picture:
        assert picture.width > 3.5 * picture.height  # one row of four


def test_a_test_set_of_its_own_has_a_report_of_its_own(
    check_data: Command, shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THERMAL_LANDMARKS_DATA", str(shared_data.resolve()))
    assert check_data("data=dlib_faces", "samples=0") is None
    faces = [json.loads((tmp_path / "out" / name).read_text())["faces"] for name in ("report.json", "test_report.json")]
    assert faces == [18, 25]


@pytest.mark.parametrize("name", ["thermal_real", "thermal54"])
def test_the_sample_data_sets_pass(
    check_data: Command, shared_data: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("THERMAL_LANDMARKS_DATA", str(shared_data.resolve()))
    assert check_data(f"data={name}", "samples=0") is None


def test_a_forgotten_path_names_the_setting(check_data: Command) -> None:
    code = check_data("data=coco")
    assert isinstance(code, str)
    assert "data.source.annotation_file" in code
