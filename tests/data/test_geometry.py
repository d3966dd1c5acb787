import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from thermal_landmarks.data.geometry import fit_matrix, invert_matrix, pixel_size, transform_points, warp_image

sizes = st.tuples(st.integers(8, 700), st.integers(8, 700))


@given(original=sizes, target=sizes, x=st.floats(-50, 700), y=st.floats(-50, 700))
def test_inverse_returns_every_point(original, target, x, y):
    matrix = fit_matrix(original, target)
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
