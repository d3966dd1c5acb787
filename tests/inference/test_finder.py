from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from thermal_faces import SyntheticFaces
from thermal_landmarks.data.annotation import ThermalImage
from thermal_landmarks.data.face_frames import expected_points, face_frame, own_height
from thermal_landmarks.data.geometry import transform_points
from thermal_landmarks.data.schemes import SCHEMES, get_scheme
from thermal_landmarks.errors import ConfigError
from thermal_landmarks.inference.finder import Finder, is_enough
from thermal_landmarks.models.center_map import FaceMaps
from thermal_landmarks.models.face_decoding import Detections
from thermal_landmarks.models.folding import fold_normalisation
from thermal_landmarks.models.network import FinderNetwork

SettingsOf = Callable[[str, str], dict[str, Any]]


class BrightestSpot(torch.nn.Module):
    """Stands for a trained network: a face of 24 x 32 pixels at the brightest cell, and only there."""

    stride = 4

    def forward(self, images: torch.Tensor) -> FaceMaps:
        light = torch.nn.functional.avg_pool2d(images, 4)[:, 0]
        score = torch.where(light == light.amax(), 5.0, -9.0)
        height, width = light.shape[1:]
        y, x = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
        box = torch.stack([x, y, torch.full_like(x, 6.0), torch.full_like(x, 8.0)])[None]
        angle = torch.tensor([1.0, 0.0])[None, :, None, None].expand(1, 2, height, width)
        return FaceMaps(score, box, angle)


def spot(size: tuple[int, int], at: tuple[int, int], side: int = 8) -> ThermalImage:
    values = np.full(size, 20.0, dtype=np.float32)
    values[at[1] : at[1] + side, at[0] : at[0] + side] = 36
    return ThermalImage(values, "celsius")


@pytest.mark.parametrize("size", [(60, 80), (112, 90), (300, 400), (33, 447)])
def test_boxes_are_in_pixels_of_the_image_whatever_its_size(size: tuple[int, int]) -> None:
    side = max(2, round(8 * max(size) / 448))
    x, y = size[1] // 2, size[0] // 3
    found = Finder(BrightestSpot())(spot(size, (x, y), side))  # type: ignore[arg-type]
    assert found.number >= 1
    centre = (found.boxes_px[0, :2] + found.boxes_px[0, 2:]) / 2
    assert_allclose(centre, [x + side / 2 - 0.5, y + side / 2 - 0.5], atol=0.6 * side)
    assert_allclose(found.boxes_px[0, 2:] - found.boxes_px[0, :2], np.array([24, 32]) * max(size) / 448, rtol=1e-4)


def test_turned_images_are_searched_and_their_boxes_turned_back() -> None:
    finder = Finder(BrightestSpot(), rotations="all")  # type: ignore[arg-type]
    image = spot((336, 448), (100, 200))
    found = [finder(image)]
    sizes = np.concatenate([f.boxes_px[:, 2:] - f.boxes_px[:, :2] for f in found])
    assert {tuple(np.round(size).astype(int)) for size in sizes} <= {(24, 32), (32, 24)}
    for turn in range(4):
        finder.turns = (turn,)
        found = [finder(image)]
        centre = (found[0].boxes_px[0, :2] + found[0].boxes_px[0, 2:]) / 2
        assert_allclose(centre, [103.5, 203.5], atol=4)
        assert_allclose(found[0].angle[0], (turn * np.pi / 2 + np.pi) % (2 * np.pi) - np.pi, atol=1e-6)


def test_a_second_size_finds_faces_of_other_sizes_and_each_face_once() -> None:
    image = spot((300, 400), (200, 150))
    once, twice = (Finder(BrightestSpot(), sizes=sizes)(image) for sizes in ((400,), (400, 800)))  # type: ignore[arg-type]
    heights = [sorted({round(float(y1 - y0)) for _, y0, _, y1 in found.boxes_px}) for found in (once, twice)]
    assert heights == [[32], [16, 32]]
    same = Finder(BrightestSpot(), sizes=(400, 400))(image)  # type: ignore[arg-type]
    assert same.number == once.number


@pytest.mark.parametrize("sizes", [(), (8,), (448, 10**6)])
def test_sizes_that_make_no_sense_are_named(sizes: tuple[int, ...]) -> None:
    with pytest.raises(ConfigError, match="finder_size"):
        Finder(BrightestSpot(), sizes=sizes)  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [(1, 1), (2, 500), (40, 3)])
def test_odd_images_hold_no_face_and_are_no_error(size: tuple[int, int], settings_of: SettingsOf) -> None:
    finder = Finder(small_network(settings_of))
    assert finder(ThermalImage(np.zeros(size, dtype=np.float32), "gray"), threshold=0.5).number == 0


def small_network(settings_of: SettingsOf) -> FinderNetwork:
    torch.manual_seed(0)
    parts: dict[str, Any] = {"stem": settings_of("stem", "pyramid"), "branch": settings_of("branch", "none")}
    root = settings_of("root", "paper") | {"channels": [8, 16]}
    head = settings_of("head", "center_map")
    return FinderNetwork(root=root, head=head, in_channels=1, image_size=(96, 128), **parts)


def test_folding_changes_nothing_but_the_steps(settings_of: SettingsOf) -> None:
    network = small_network(settings_of).train()
    for _ in range(3):
        network(torch.randn(4, 1, 96, 128))
    network.eval()
    folded = fold_normalisation(network)
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in folded.modules())
    images = torch.randn(2, 1, 96, 128)
    with torch.no_grad():
        for one, other in zip(network(images), folded(images), strict=True):
            torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("angle", [-1.2, -0.4, 0.0, 0.3, 2.0])
def test_a_frame_shows_its_face_upright_in_the_middle(angle: float) -> None:
    points, known = expected_points(get_scheme("face16"), None, (90, 120))
    assert known.all()
    matrix = np.linalg.inv(np.vstack([face_frame_of(angle), [0, 0, 1]]))[:2]
    in_image = transform_points(points, matrix)
    eyes = in_image[5] - in_image[2]
    assert_allclose(np.arctan2(eyes[1], eyes[0]), angle, atol=1e-5)
    assert_allclose(in_image.mean(axis=0), [200, 150], atol=12)


def face_frame_of(angle: float) -> np.ndarray:
    half = np.array(
        [np.hypot(17 * np.cos(angle), 20 * np.sin(angle)), np.hypot(17 * np.sin(angle), 20 * np.cos(angle))]
    )
    box = np.concatenate([np.array([200, 150]) - half, np.array([200, 150]) + half])
    assert_allclose(own_height(torch.from_numpy(2 * half)[None], torch.tensor([angle])), [40], rtol=1e-6)
    return face_frame(box, angle, (90, 120))


@pytest.mark.parametrize("name", SCHEMES)
def test_every_scheme_has_expected_points(name: str) -> None:
    scheme = get_scheme(name)
    reference = np.random.default_rng(0).normal(size=(scheme.num_points, 2))
    points, known = expected_points(scheme, [tuple(point) for point in reference], (90, 120))
    shared = np.isin(scheme.ibug68, get_scheme("face16").ibug68)
    if shared.sum() >= 2:
        assert known.all()
    chin = [row for row, number in enumerate(scheme.ibug68) if number == 8]
    if chin:
        assert points[chin[0], 1] > points[shared][:, 1].min() + 0.3 * 90 * 0.6


@pytest.mark.parametrize(
    ("faces", "enough"),
    [
        ([(0.6, 60)], True),
        ([(0.4, 60)], False),  # not surely there
        ([(0.6, 15)], False),  # small
        ([(0.6, 60), (0.2, 10)], False),  # a trace of another
        ([], False),
    ],
)
def test_a_quick_look_is_enough_for_one_large_sure_face(faces: list[tuple[float, float]], enough: bool) -> None:
    boxes = np.array([(5, 5, 5 + side, 5 + side) for _, side in faces], dtype=np.float32).reshape(-1, 4)
    scores = np.array([score for score, _ in faces], dtype=np.float32)
    assert is_enough(Detections(boxes, scores, np.zeros_like(scores)), 160) is enough


def test_a_quick_look_spares_the_finer_one(monkeypatch: pytest.MonkeyPatch) -> None:
    finder = Finder.from_checkpoint(sizes=[256], first_size=128)
    monkeypatch.setattr("thermal_landmarks.inference.finder.SURE", 0.0)
    monkeypatch.setattr("thermal_landmarks.inference.finder.LARGE", 0.0)
    source = SyntheticFaces(subjects=3, images_per_subject=1, size=(120, 160), seed=5)
    image = source.load(source.annotations()[1])
    looks: list[int] = []
    seen = finder._seen

    def counted(image: ThermalImage, size: int) -> tuple[np.ndarray, float]:
        looks.append(size)
        return seen(image, size)

    monkeypatch.setattr(finder, "_seen", counted)
    found = finder(image)
    assert looks == ([128] if found.number == 1 else [128, 256])
    looks.clear()
    finder(ThermalImage(np.random.default_rng(0).normal(20, 0.1, (120, 160)).astype(np.float32), "celsius"))
    assert looks == [128, 256]
