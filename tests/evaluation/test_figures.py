import io
import json
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from numpy.testing import assert_array_equal
from PIL import Image, ImageColor

from thermal_landmarks.evaluation.drawing import PREDICTED_COLOUR, TRUE_COLOUR, draw_points, to_rgb
from thermal_landmarks.evaluation.figures import Curve, ced_figure, overlay_grid


def rendered(figure: Figure) -> np.ndarray:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return np.asarray(Image.open(buffer).convert("RGB"))


def positions_of(picture: np.ndarray, colour: str, tolerance: int = 24) -> np.ndarray:
    """Rows and columns (n, 2) of the pixels of about this colour."""
    distance = np.abs(picture.astype(int) - ImageColor.getrgb(colour)).max(axis=2)
    return np.argwhere(distance <= tolerance)


def legend_texts(figure: Figure) -> list[str]:
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]


@pytest.fixture
def warm_disc() -> np.ndarray:
    y, x = np.mgrid[:48, :64]
    return np.where((x - 32) ** 2 + (y - 24) ** 2 < 200, 34.0, 21.0).astype(np.float32)


def test_warm_is_brighter_than_cold(warm_disc: np.ndarray) -> None:
    picture = to_rgb(warm_disc)
    assert picture.shape == (48, 64, 3)
    assert picture.dtype == np.uint8
    assert picture[24, 32].min() > picture[2, 2].max() + 100


def test_brightness_never_falls_with_temperature() -> None:
    ramp = np.linspace(15, 40, 64 * 48, dtype=np.float32).reshape(48, 64)
    assert (np.diff(to_rgb(ramp)[..., 0].ravel().astype(int)) >= 0).all()


@pytest.mark.parametrize("value", [np.nan, 0.0, 36.6])
def test_an_image_without_contrast_still_gives_a_picture(value: float) -> None:
    picture = to_rgb(np.full((5, 7), value, dtype=np.float32))
    assert picture.shape == (5, 7, 3)
    assert len(np.unique(picture)) == 1


def test_single_unreadable_pixels_do_not_change_the_rest(warm_disc: np.ndarray) -> None:
    broken = warm_disc.copy()
    broken[0, 0] = np.nan
    broken[0, 1] = np.inf
    assert_array_equal(to_rgb(broken)[5:], to_rgb(warm_disc)[5:])


def test_colours_stay_and_equal_channels_are_gray(warm_disc: np.ndarray) -> None:
    np.testing.assert_array_equal(to_rgb(np.stack([warm_disc] * 3)), to_rgb(warm_disc))
    picture = np.zeros((3, 20, 20), np.float32)
    picture[0, :10], picture[2, 10:] = 255, 255
    assert to_rgb(picture)[[5, 15], 5].tolist() == [[255, 0, 0], [0, 0, 255]]


def test_a_real_face_uses_most_of_the_brightness(shared_data: Path) -> None:
    faces = shared_data / "thermal-real"
    celsius = np.asarray(Image.open(faces / "images" / "face_02.png"), dtype=np.float32) / 100
    annotation = json.loads((faces / "annotations.json").read_text())["annotations"][1]
    points = np.array(annotation["keypoints"]).reshape(-1, 3)[:, :2]
    (left, top), (right, bottom) = points.min(axis=0).astype(int), points.max(axis=0).astype(int)
    face = to_rgb(celsius)[top:bottom, left:right, 0]
    low, high = np.percentile(face, (2, 98))
    assert high - low > 80


@pytest.mark.parametrize("size", [(48, 64), (480, 640)])
def test_crosses_are_centred_on_their_points(size: tuple[int, int]) -> None:
    picture = draw_points(np.zeros((*size, 3), dtype=np.uint8), np.array([[20.2, 30.4]]))
    marked = positions_of(picture, PREDICTED_COLOUR, tolerance=0)
    assert len(marked) > 3
    assert np.abs(marked.mean(axis=0) - [30, 20]).max() <= 0.5


def test_drawing_leaves_the_picture_alone_and_skips_missing_points() -> None:
    black = np.zeros((40, 40, 3), dtype=np.uint8)
    drawn = draw_points(black, np.array([[np.nan, np.nan], [1000.0, -1000.0]]))
    assert_array_equal(drawn, black)
    draw_points(black, np.array([[10.0, 10.0]]))
    assert black.max() == 0


def test_markers_stand_where_their_points_are(warm_disc: np.ndarray) -> None:
    true, predicted = np.array([[16.0, 12.0]]), np.array([[48.0, 36.0]])
    picture = rendered(overlay_grid([warm_disc], [true], [predicted]))
    below_legend = picture.shape[0] // 6
    circle = positions_of(picture, TRUE_COLOUR)
    cross = positions_of(picture, PREDICTED_COLOUR)
    circle = circle[circle[:, 0] > below_legend].mean(axis=0)
    cross = cross[cross[:, 0] > below_legend].mean(axis=0)
    shift = (cross - circle) / picture.shape[1] * 64  # image pixels, as the picture fills the width
    assert shift == pytest.approx([24, 32], abs=1.5)


def test_legend_names_only_what_is_shown(warm_disc: np.ndarray) -> None:
    points = [np.array([[16.0, 12.0]])]
    assert legend_texts(overlay_grid([warm_disc], points, points)) == ["true", "predicted"]
    assert legend_texts(overlay_grid([warm_disc], None, points)) == ["predicted"]
    assert legend_texts(overlay_grid([warm_disc])) == []


def test_grid_takes_images_of_several_sizes_and_keeps_their_order() -> None:
    images = [np.eye(size, dtype=np.float32) for size in (8, 16, 24)]
    figure = overlay_grid(images, titles=["a", "b", "c"], columns=2)
    assert [axis.get_title() for axis in figure.axes] == ["a", "b", "c"]
    assert [axis.get_xlim()[1] for axis in figure.axes] == [7.5, 15.5, 23.5]
    geometry = figure.axes[0].get_gridspec()
    assert geometry is not None
    assert (geometry.nrows, geometry.ncols) == (2, 2)


def test_points_that_do_not_match_the_images_are_refused(warm_disc: np.ndarray) -> None:
    with pytest.raises(ValueError, match="1 images, but 2 true points"):
        overlay_grid([warm_disc], [np.zeros((1, 2)), np.zeros((1, 2))])
    with pytest.raises(ValueError, match="no image"):
        overlay_grid([])


def test_curve_passes_through_the_share_of_images() -> None:
    curve = Curve(np.array([0.01, 0.03, 0.05, 0.5]), auc=0.5, failure_rate=0.25)
    figure = ced_figure({"a": curve}, auc_threshold=0.1, failure_threshold=0.1)
    line = figure.axes[0].get_lines()[0]
    x, y = np.asarray(line.get_xdata()), np.asarray(line.get_ydata())
    for at, share in ((0.005, 0), (0.02, 25), (0.04, 50), (0.09, 75)):
        assert y[np.flatnonzero(x <= at)[-1]] == share


def test_legend_gives_area_and_failures_as_they_were_measured() -> None:
    curve = Curve(np.array([0.01, 0.03, 0.05, 0.5, np.nan]), auc=0.4321, failure_rate=0.5)
    figure = ced_figure({"a": curve}, auc_threshold=0.1, failure_threshold=0.04)
    assert legend_texts(figure) == ["a: AUC 43.2 %, NME > 0.04: 50.0 % (n = 4)"]


def test_a_data_set_without_normaliser_is_named_as_such() -> None:
    nothing = Curve(np.array([np.nan]), auc=np.nan, failure_rate=np.nan)
    figure = ced_figure({"none": nothing}, auc_threshold=0.1, failure_threshold=0.1)
    assert legend_texts(figure) == ["none: no images"]
