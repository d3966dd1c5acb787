import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from thermal_landmarks.data.geometry import (
    fit_matrix,
    invert_matrix,
    mean_shape,
    pixel_size,
    transform_points,
    warp_image,
)

sizes = st.tuples(st.integers(8, 700), st.integers(8, 700))


corners = st.tuples(st.floats(0, 2000), st.floats(0, 2000), st.floats(4, 900), st.floats(4, 900))
boxes = st.none() | corners.map(lambda c: (c[0], c[1], c[0] + c[2], c[1] + c[3]))


@settings(max_examples=60)
@given(original=sizes, target=sizes, box=boxes, x=st.floats(-50, 2000), y=st.floats(-50, 2000))
def test_inverse_returns_every_point(original, target, box, x, y):
    matrix = fit_matrix(original, target, box_px=box, margin=0.2)
    there = np.array([[x, y]]) @ matrix[:, :2].T + matrix[:, 2]
    np.testing.assert_allclose(
        there @ invert_matrix(matrix)[:, :2].T + invert_matrix(matrix)[:, 2], [[x, y]], atol=1e-6
    )


@given(original=sizes, target=sizes)
def test_letterbox_shows_the_whole_image_and_touches_two_borders(original, target):
    matrix = fit_matrix(original, target)
    outer = np.array([[-0.5, -0.5], [original[1] - 0.5, original[0] - 0.5]])
    low, high = transform_points(outer, matrix)
    gaps = np.array([low[0] + 0.5, low[1] + 0.5, target[1] - 0.5 - high[0], target[0] - 0.5 - high[1]])
    assert (gaps > -1e-2).all()
    assert min(gaps[0], gaps[1]) < 1e-2
    np.testing.assert_allclose(gaps[:2], gaps[2:], atol=1e-2)


def test_box_with_margin_fills_the_input():
    matrix = fit_matrix((480, 640), (100, 100), box_px=(200, 100, 300, 200), margin=0.5)
    np.testing.assert_allclose(
        transform_points(np.array([[150.0, 50.0], [350, 250]]), matrix), [[-0.5, -0.5], [99.5, 99.5]]
    )
    assert pixel_size(matrix) == 2


def test_warped_image_shows_at_each_pixel_what_the_original_has_there():
    ramp = np.add.outer(np.arange(90) * 2.0, np.arange(120) * 3.0)
    for target in ((45, 60), (90, 120), (200, 150)):
        matrix = fit_matrix(ramp.shape, target)
        warped = warp_image(ramp, matrix, target)
        at = np.array([[target[1] // 2, target[0] // 3]])
        x, y = transform_points(at, invert_matrix(matrix))[0]
        np.testing.assert_allclose(warped[at[0, 1], at[0, 0]], 2 * y + 3 * x, rtol=1e-3)


def test_same_size_is_left_untouched():
    image = np.random.default_rng(0).normal(size=(20, 30)).astype(np.float32)
    np.testing.assert_array_equal(warp_image(image, fit_matrix((20, 30), (20, 30)), (20, 30)), image)


FACE = np.array([(-3.0, -2.0), (3.0, -2.0), (0.0, 0.5), (-2.0, 3.0), (2.0, 3.0), (0.0, 6.0)])


def similar(angle: float, scale: float, shift: tuple[float, float]) -> np.ndarray:
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return FACE @ turn.T * scale + shift


def test_mean_of_similar_shapes_is_that_shape_at_their_mean_tilt() -> None:
    faces = np.array([similar(0.3, 2, (5, 6)), similar(-0.3, 7, (0, 100)), similar(0.0, 1, (9, 9))])
    expected = FACE - FACE.mean(axis=0)
    expected = expected / np.sqrt((expected**2).sum(axis=1).mean())
    np.testing.assert_allclose(mean_shape(faces), expected, atol=0.01)


def test_incomplete_faces_are_left_out_while_there_are_complete_ones() -> None:
    broken = similar(0.8, 1, (0, 0))
    broken[2] = np.nan
    np.testing.assert_array_equal(mean_shape(np.array([FACE, broken])), mean_shape(FACE[None]))
    assert not np.isnan(mean_shape(np.array([broken, broken]))).any()
