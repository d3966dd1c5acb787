"""Looking twice: views show what their maps say."""

import math
import time

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from thermal_landmarks.data.cascade import Cascade
from thermal_landmarks.data.crops import cut_crops, face_crops, reference_px, whole_crops
from thermal_landmarks.data.gathered_views import GatheredViews, LevelsOnDemand
from thermal_landmarks.data.geometry import warp_image
from thermal_landmarks.data.image_pyramid import ImagePyramid, halved, one_view_each
from thermal_landmarks.data.preprocessing import Preprocessing
from thermal_landmarks.data.warping import Padding, warp_batch, warp_quickly
from thermal_landmarks.errors import ConfigError

FACE = ((-3.0, -2.0), (3.0, -2.0), (0.0, 0.5), (-2.0, 3.0), (2.0, 3.0), (0.0, 6.0))
CASCADE = Cascade(crop_size=(48, 40), face_size=0.6, reference=FACE, percentiles=None)


def spots(points: np.ndarray, size: tuple[int, int], sigma: float = 1.5) -> torch.Tensor:
    y, x = np.mgrid[: size[0], : size[1]]
    image = sum(np.exp(-((x - px) ** 2 + (y - py) ** 2) / (2 * sigma**2)) for px, py in points)
    return torch.from_numpy(np.asarray(image, np.float32))[None, None]


@given(angle_deg=st.floats(-60, 60), scale=st.floats(1.0, 20.0), x=st.floats(20, 200), y=st.floats(20, 150))
@settings(max_examples=40, deadline=None)
def test_a_similar_face_lands_on_the_reference_wherever_it_is(
    angle_deg: float, scale: float, x: float, y: float
) -> None:
    angle = math.radians(angle_deg)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    points = torch.from_numpy((np.array(FACE) @ turn.T * scale + [x, y]).astype(np.float32))[None]
    mask = torch.ones(1, 6, dtype=torch.bool)
    matrix = face_crops(points, mask, CASCADE, frame_height=180)[0]
    landed = points[0] @ matrix[:, :2].T + matrix[:, 2]
    torch.testing.assert_close(landed, reference_px(CASCADE, points), atol=2e-3, rtol=0)


def test_the_reference_fills_its_share_of_the_view_in_the_middle() -> None:
    shape = reference_px(CASCADE, torch.zeros(1))
    low, high = shape.amin(dim=0), shape.amax(dim=0)
    assert (high - low).amax() == pytest.approx(0.6 * 48)
    torch.testing.assert_close((low + high) / 2, torch.tensor([19.5, 23.5]))


def test_fit_is_the_least_squares_similarity_of_the_valid_points() -> None:
    rng = np.random.default_rng(0)
    points = np.array(FACE) * 5 + rng.normal(0, 4, (6, 2)) + 60
    mask = np.array([True, True, False, True, True, True])
    given_points = points.copy()
    given_points[2] = 1e4
    matrix = face_crops(
        torch.from_numpy(given_points.astype(np.float32))[None], torch.from_numpy(mask)[None], CASCADE, frame_height=180
    )[0].double()
    # Reference: the normal equations of x' = a x - b y + c, y' = b x + a y + d, from the view to the frame.
    view = reference_px(CASCADE, torch.zeros(1)).double().numpy()[mask]
    rows = [row for x, y in view for row in ([x, -y, 1, 0], [y, x, 0, 1])]
    a, b, c, d = np.linalg.lstsq(np.array(rows), points[mask].ravel(), rcond=None)[0]
    expected = np.linalg.inv(np.array([[a, -b, c], [b, a, d], [0, 0, 1]]))[:2]
    np.testing.assert_allclose(matrix.numpy(), expected, atol=2e-4, rtol=1e-4)


def test_a_collapsed_prediction_does_not_zoom_without_end() -> None:
    matrix = face_crops(torch.full((1, 6, 2), 70.0), torch.ones(1, 6, dtype=torch.bool), CASCADE, frame_height=180)
    assert torch.isfinite(matrix).all()
    assert float(torch.linalg.det(matrix[:, :, :2]).sqrt()) < 60


def test_whole_view_shows_the_frame_and_shrinking_does_not_alias() -> None:
    frames = spots(np.array([[60.0, 50.0], [100.0, 80.0]]), (120, 160), sigma=3)
    frames += torch.tensor([1.0, -1.0]).repeat(80)  # stripes of one pixel
    cascade = Cascade(crop_size=(30, 40), reference=FACE, percentiles=None)
    view = cut_crops(frames, whole_crops(frames, cascade), cascade)[0, 0]
    expected = torch.nn.functional.avg_pool2d(frames, 4)[0, 0]
    torch.testing.assert_close(view, expected, atol=1e-4, rtol=0)
    assert view[:, -3:].abs().max() < 0.01


@pytest.mark.parametrize("padding", ["border", "reflection", "cold"])
def test_views_of_every_level_and_padding_are_those_of_one_image_each(padding: Padding) -> None:
    generator = torch.Generator().manual_seed(0)
    frames = torch.rand(2, 1, 45, 70, generator=generator) * 2 - 1
    turn = torch.tensor([[0.9, 0.3], [-0.3, 0.9]])
    scales = (1.4, 0.8, 0.35, 0.2, 0.05)  # levels 0, 0, 1, 2 and 4
    matrices = torch.stack(
        [torch.cat([turn * s, torch.tensor([[3.0], [7.0]])], dim=1) for s in scales for _ in range(2)]
    )
    views = ImagePyramid(frames).crops(matrices, (20, 24), padding)
    for place, matrix in enumerate(matrices):
        # Reference: the level by itself, averaged in one step, and the map to it.
        shrink = float(torch.linalg.det(matrix[:, :2]).abs() ** -0.5)
        cells = 2 ** max(0, math.floor(math.log2(shrink)))
        level = torch.nn.functional.avg_pool2d(frames[place % 2][None], cells)
        there = torch.eye(3)
        there[:2] = matrix
        down = torch.tensor([[cells, 0, (cells - 1) / 2], [0, cells, (cells - 1) / 2], [0, 0, 1]])
        expected = warp_batch(level, (there @ down)[None, :2], padding, size=(20, 24))
        torch.testing.assert_close(views[place], expected[0], atol=2e-4, rtol=0)
    for rows in (slice(0, 2), slice(4, 6), slice(7, 9)):  # the last of two levels
        each = one_view_each(frames[[row % 2 for row in range(*rows.indices(10))]], matrices[rows], (20, 24), padding)
        torch.testing.assert_close(each, views[rows], atol=2e-4, rtol=0)


@pytest.mark.parametrize("scale", [0.3, 0.75, 1.0, 1.7])
@pytest.mark.parametrize("channels", [(), (3,)])
def test_the_quick_warp_is_the_one_of_training(scale: float, channels: tuple[int, ...]) -> None:
    values = np.random.default_rng(0).uniform(20, 36, (*channels, 48, 64)).astype(np.float32)
    cos, sin = scale * math.cos(0.2), scale * math.sin(0.2)
    for matrix in (np.array([[scale, 0, 2.5], [0, scale, -4]]), np.array([[cos, -sin, 5], [sin, cos, -3]])):
        np.testing.assert_allclose(
            warp_quickly(values, matrix, (40, 50)), warp_image(values, matrix, (40, 50)), atol=2e-3
        )


def test_a_large_picture_is_shrunk_in_cells_as_in_training() -> None:
    values = np.random.default_rng(0).uniform(20, 36, (30, 50)).astype(np.float32).repeat(20, 0).repeat(20, 1)
    matrix = np.array([[0.041, 0.004, -3.0], [-0.004, 0.041, -3.0]])  # three pixels a cell, all inside the picture
    quick, whole = (warp(values, matrix, (18, 34)) for warp in (warp_quickly, warp_image))
    np.testing.assert_allclose(quick, whole, atol=0.05)
    assert whole.std() > 1


def test_a_very_wide_picture_takes_no_longer_than_others() -> None:
    wide, began = np.full((48, 65500), 30.0, np.float32), time.process_time()
    np.testing.assert_allclose(warp_quickly(wide, np.array([[1e-3, 0, 0], [0, 1e-3, 24]]), (48, 64)), 30.0, atol=1e-4)
    assert time.process_time() - began < 1


def test_a_view_finds_its_own_contrast() -> None:
    frames = torch.full((1, 1, 60, 80), -20.0)
    frames[:, :, 10:50, 20:60] = torch.linspace(3.0, 3.5, 40)
    cascade = Cascade(crop_size=(20, 20), reference=FACE, percentiles=(0.0, 100.0))
    matrix = torch.tensor([[[1.0, 0, -30], [0, 1.0, -20]]])
    view = cut_crops(frames, matrix, cascade)
    assert float(view.min()) == pytest.approx(-1, abs=0.06)
    assert float(view.max()) == pytest.approx(1, abs=0.06)


@pytest.mark.parametrize("sizes", [(), (0.0, 1.0)])
def test_sizes_of_the_last_look_must_be_positive(sizes: tuple[float, ...]) -> None:
    with pytest.raises(ConfigError, match="last_sizes"):
        Cascade(crop_size=(48, 48), last_sizes=sizes)


def test_view_larger_than_the_frame_is_refused() -> None:
    settings_ = {
        "image_size": [64, 64],
        "in_channels": 1,
        "crop": {},
        "normalisation": {},
        "cascade": {"crop_size": [128, 96]},
    }
    with pytest.raises(ConfigError, match=r"crop_size=\[128, 96\] is larger than data.image_size=\[64, 64\]"):
        Preprocessing.from_settings(settings_)


def test_settings_survive_a_checkpoint() -> None:
    cascade = {
        "crop_size": [32, 32],
        "stages": 3,
        "face_size": 0.5,
        "last_sizes": [0.9, 1.1],
        "percentiles": [2, 98],
        "reference": [[0, 1], [2, 3.5]],
    }
    found = Preprocessing.from_settings(
        {"image_size": [64, 64], "in_channels": 1, "crop": {}, "normalisation": {}, "cascade": cascade}
    )
    assert Preprocessing.from_settings(found.settings) == found
    assert found.settings["cascade"]["reference"] == [[0, 1], [2, 3.5]]


@pytest.mark.parametrize("size", [(16, 24), (15, 21), (2, 3)])
def testhalved_images_are_means_of_two_by_two_pixels(size: tuple[int, int]) -> None:
    images = torch.randn(3, 1, *size)
    expected = images[..., : size[0] // 2 * 2, : size[1] // 2 * 2].unflatten(3, (-1, 2)).unflatten(2, (-1, 2))
    torch.testing.assert_close(halved(images), expected.mean(dim=(3, 5)))


@pytest.mark.parametrize("kind", [GatheredViews, LevelsOnDemand])
@pytest.mark.parametrize("mirrored", [False, True])
def test_views_of_one_image_are_those_of_the_pyramid(mirrored: bool, kind: type[ImagePyramid]) -> None:
    draw = torch.Generator().manual_seed(0)
    image = torch.rand(1, 1, 67, 131, generator=draw)
    angle, scale = torch.rand(12, generator=draw) * 6.3, torch.logspace(-1.6, 1, 12)  # of every level
    cos, sin = scale * angle.cos(), scale * angle.sin()
    shift = torch.randn(12, 2, 1, generator=draw) * 30
    matrices = torch.cat([torch.stack([cos, -sin, sin, cos], dim=1).view(-1, 2, 2), shift], dim=2)
    expected, views = (each(image, mirrored=mirrored).crops(matrices, (20, 24)) for each in (ImagePyramid, kind))
    assert expected.std(dim=(1, 2, 3)).max() > 0.1
    torch.testing.assert_close(views, expected, atol=2e-4, rtol=0)
