"""The crop by box and by five points, and the way back to the original image."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from thermal_landmarks.data.annotation import ThermalImage
from thermal_landmarks.data.cascade import Cascade
from thermal_landmarks.data.geometry import invert_matrix, pixel_size, similarity_matrix, transform_points
from thermal_landmarks.data.preprocessing import Crop, Preprocessing
from thermal_landmarks.errors import ConfigError, DataError
from thermal_landmarks.inference.predictor import Predictor

coordinates = st.floats(0, 2000)
faces = st.tuples(coordinates, coordinates, st.floats(8, 600), st.floats(-180, 180))
FACE = np.array([[-0.5, 0], [0.5, 0], [0, 0.57], [-0.41, 1.15], [0.41, 1.15]])


def five_points(x: float, y: float, size: float, roll_deg: float) -> np.ndarray:
    roll = np.deg2rad(roll_deg)
    return size * FACE @ np.array([[np.cos(roll), np.sin(roll)], [-np.sin(roll), np.cos(roll)]]) + (x, y)


def prepared_by(mode: str, size: tuple[int, int] = (48, 64)) -> Preprocessing:
    return Preprocessing.from_settings(
        {"image_size": size, "in_channels": 1, "crop": {"mode": mode, "margin": 0.2}, "normalisation": {}}
    )


def test_in_colour_every_channel_is_resampled_as_a_single_one() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)
    colour, gray = Preprocessing((24, 40), in_channels=3, colour=True), Preprocessing((24, 40))
    seen = colour.seen(ThermalImage.from_rgb(rgb))
    prepared = colour(seen)
    channels = [gray(ThermalImage(rgb[..., i].astype(np.float32), "gray")).values for i in range(3)]
    assert_allclose(prepared.values, channels)
    assert prepared.values.shape == colour.frame_shape
    assert_allclose(prepared.limits, np.percentile(prepared.values[:, ::2, ::2], (1, 99)))


@pytest.mark.parametrize(
    ("excluded", "message"),
    [
        ({"in_channels": 1}, r"needs data\.in_channels=3"),
        ({"in_channels": 3, "cascade": Cascade(crop_size=(32, 32))}, "one channel"),
    ],
)
def test_settings_that_colour_excludes(excluded, message) -> None:
    with pytest.raises(ConfigError, match=message):
        Preprocessing((48, 48), colour=True, **excluded)


@settings(max_examples=40)
@given(faces, st.lists(st.tuples(coordinates, coordinates), min_size=1, max_size=98))
def test_points_come_back_from_an_aligned_crop_exactly(face, points) -> None:
    matrix = similarity_matrix(five_points(*face), Crop(mode="align").template_px((256, 192)))
    there = np.array(points) @ matrix[:, :2].T + matrix[:, 2]
    inverse = invert_matrix(matrix)
    assert_allclose(there @ inverse[:, :2].T + inverse[:, 2], points, atol=1e-8)
    # the same in the float32 that points travel in
    assert_allclose(transform_points(transform_points(np.array(points), matrix), inverse), points, atol=2e-3 * face[2])


@settings(max_examples=40)
@given(st.lists(st.tuples(coordinates, coordinates), min_size=5, max_size=5, unique=True), faces)
def test_the_similarity_is_the_least_squares_solution_of_its_linear_system(source, face) -> None:
    """x' = a x - b y + c, y' = b x + a y + d, solved without complex numbers."""
    points, target = np.array(source), five_points(*face)
    if np.ptp(points, axis=0).max() < 1:
        return
    rows = [[x, -y, 1, 0] for x, y in points] + [[y, x, 0, 1] for x, y in points]
    a, b, c, d = np.linalg.lstsq(np.array(rows), target.T.ravel(), rcond=None)[0]
    expected = points @ np.array([[a, b], [-b, a]]) + (c, d)
    matrix = similarity_matrix(points, target)
    assert_allclose(points @ matrix[:, :2].T + matrix[:, 2], expected, atol=1e-3)


@settings(max_examples=40)
@given(faces)
def test_an_aligned_face_is_upright_at_one_size_and_place(face) -> None:
    crop = Crop(mode="align", template=tuple(map(tuple, 0.5 + 0.3 * (FACE - FACE.mean(axis=0)))))
    matrix = similarity_matrix(five_points(*face), crop.template_px((100, 150)))
    assert_allclose(transform_points(five_points(*face), matrix), crop.template_px((100, 150)), atol=1e-2)
    assert pixel_size(matrix) == pytest.approx(face[2] / 30)
    assert_allclose(crop.template_px((100, 150)).mean(axis=0), (74.5, 49.5))


@pytest.mark.parametrize("mode", ["box", "align"])
def test_the_image_moves_with_its_points(mode: str) -> None:
    points = five_points(150, 90, 30, 25)
    y, x = np.mgrid[:240, :320]
    values = sum(np.exp(-((x - px) ** 2 + (y - py) ** 2) / 18) for px, py in points[2:3]).astype(np.float32)
    box = (110.0, 70.0, 190.0, 150.0)
    found = prepared_by(mode, (96, 96))(ThermalImage(values, "gray"), box_px=box, five_points_px=points)
    row, column = np.unravel_index(found.values.argmax(), found.values.shape)
    assert_allclose((column, row), transform_points(points[2], found.matrix), atol=0.75)


def test_a_face_without_five_points_is_shown_by_its_box() -> None:
    image, box = ThermalImage(np.random.default_rng(0).random((60, 80), np.float32), "gray"), (10.0, 5.0, 50.0, 45.0)
    by_box, aligned = prepared_by("box")(image, box_px=box), prepared_by("align")(image, box_px=box)
    assert_allclose(aligned.matrix, by_box.matrix)
    with pytest.raises(DataError, match="line 3: no five points and no face box, but the crop is set to `align`"):
        prepared_by("align")(image, location="line 3")
    with pytest.raises(DataError, match="line 3: its five points for the alignment are one point"):
        prepared_by("align")(image, five_points_px=np.ones((5, 2)), location="line 3")


def test_settings_of_the_crop_are_checked_and_kept() -> None:
    preprocessing = prepared_by("align")
    assert Preprocessing.from_settings(preprocessing.settings) == preprocessing
    with pytest.raises(ConfigError, match="Choose none, box, align"):
        Crop(mode="aligned")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="five points"):
        Crop(mode="align", template=((0.5, 0.5),))


def test_points_predicted_in_an_aligned_crop_are_returned_in_the_original_image(
    make_checkpoint: Callable[..., Path],
) -> None:
    predictor = Predictor.from_checkpoint(make_checkpoint(image_size=(48, 64), crop={"mode": "align"}), device="cpu")
    with torch.no_grad():  # always the middle of the crop
        predictor.network.head.linear.weight.zero_()
        predictor.network.head.linear.bias.fill_(0.5)
    images = np.random.default_rng(0).random((2, 240, 320)).astype(np.float32)
    points = np.stack([five_points(150, 90, 40, 30), five_points(200, 120, 25, -170)])
    found = predictor(images, five_points_px=points)
    for given_points, predicted in zip(points, found, strict=True):
        # the template's middle lies 0.22 of the square below the eyes, which are 0.28 of it apart
        x, y = given_points[:2].mean(axis=0)
        across = given_points[1] - given_points[0]
        down = np.array([-across[1], across[0]])
        assert_allclose(
            predicted, np.tile((x, y) + down * 0.22 / 0.28, (6, 1)), atol=float(0.03 * np.linalg.norm(across))
        )
    assert_allclose(predictor(images[0], five_points_px=points[0]), found[0], atol=1e-3)
    with pytest.raises(DataError, match=r"five_points_px: expected finite numbers of shape \(2, 5, 2\)"):
        predictor(images, five_points_px=points[0])
