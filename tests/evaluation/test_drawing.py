import numpy as np

from thermal_landmarks.evaluation.drawing import draw_boxes, draw_points, in_few_colours


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


def test_labels_stay_in_the_picture_at_every_edge() -> None:
    gray = np.full((120, 200, 3), 128, dtype=np.uint8)
    shown = []
    for x, y in ((60, 60), (-5, 60), (190, 2)):
        box = [(x, y, x + 9, y + 9)]
        with_label = draw_boxes(gray, box, ["0: 0.98 / 0.17"]) != draw_boxes(gray, box, [""])
        shown.append(with_label.any(axis=2).sum())
    assert min(shown) > 0.9 * max(shown)
