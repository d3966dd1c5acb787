import numpy as np

from thermal_landmarks.evaluation.drawing import draw_points, in_few_colours


def test_a_gray_picture_with_marks_in_few_colours_looks_the_same() -> None:
    gray = np.random.default_rng(0).integers(0, 256, (60, 80, 1), dtype=np.uint8)
    picture = draw_points(gray.repeat(3, axis=2), np.array([[30.0, 20], [60, 50]]))
    few = in_few_colours(picture)
    assert few.mode == "P"
    shown = np.asarray(few.convert("RGB")).astype(int)
    coloured = np.ptp(picture, axis=2) > 0
    assert coloured.any()
    np.testing.assert_array_equal(shown[coloured], picture[coloured])
    np.testing.assert_allclose(shown[~coloured], picture[~coloured], atol=1)


def test_a_picture_of_many_colours_stays_as_it_is() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    np.testing.assert_array_equal(np.asarray(in_few_colours(picture)), picture)
