"""The camera and its 8-bit pictures: resolution, errors and displays, each switched on alone."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.fft import dctn, idctn

from thermal_faces import SyntheticFaces
from thermal_faces.camera.display import compressed, to_gray
from thermal_faces.camera.resampling import enlarge, shrink
from thermal_faces.camera.sensor import record
from thermal_faces.randomness import rng
from thermal_faces.ranges import SensorRanges

IDEAL = SensorRanges(
    interpolated=0, blur_px=(0, 0), motion=0, noise_k=(0, 0), pattern_k=(0, 0), dead_pixels=(0, 0), vignette_k=(0, 0),
    shading_k=(0, 0), sharpened=0, offset_k=(0, 0), gain=(1, 1), step_k=(0, 0),
)  # fmt: skip
PLAIN_DISPLAY = SensorRanges(inverted=0, palette=0, equalised=0, jpeg=0, gamma=(1, 1))


def edge(height: int = 120, width: int = 160) -> np.ndarray:
    """Cold on the left, warm on the right."""
    image = np.full((height, width), 20, np.float32)
    image[:, width // 2 :] = 35
    return image


def through(scene: np.ndarray, seed: int = 0, **changes: Any) -> np.ndarray:
    return record(rng(seed, "sensor"), replace(IDEAL, **changes), scene, 22.0)


def gray(image: np.ndarray, seed: int = 0, **changes: Any) -> np.ndarray:
    return to_gray(rng(seed, "display"), replace(PLAIN_DISPLAY, **changes), image)


def test_shrinking_is_the_mean_over_areas() -> None:
    image = np.random.default_rng(0).normal(size=(12, 15)).astype(np.float32)
    fine = np.repeat(np.repeat(image, 4, axis=0), 6, axis=1)
    expected = fine.reshape(4, 12, 6, 15).mean(axis=(1, 3))
    np.testing.assert_allclose(shrink(image, (4, 6)), expected, atol=1e-5)


@pytest.mark.parametrize("cubic", [False, True])
def test_enlarging_keeps_slopes_and_places(cubic: bool) -> None:
    y, x = np.mgrid[:20, :30].astype(np.float32)
    large = enlarge(2 * x + y, (50, 90), cubic=cubic)
    rows, columns = (np.arange(50) + 0.5) * 20 / 50 - 0.5, (np.arange(90) + 0.5) * 30 / 90 - 0.5
    expected = 2 * columns[None, :] + rows[:, None]
    np.testing.assert_allclose(large[6:-6, 8:-8], expected[6:-6, 8:-8], atol=1e-3)


def test_an_ideal_camera_changes_nothing() -> None:
    np.testing.assert_allclose(through(edge()), edge(), atol=1e-4)


def test_fewer_pixels_spread_an_edge_but_do_not_move_it() -> None:
    image = through(edge(480, 640), interpolated=1, native_height_px=(120, 120))
    assert ((image[240] > 20.5) & (image[240] < 34.5)).sum() >= 3
    middle = np.interp(27.5, image[240, 300:340], np.arange(300, 340))
    assert middle == pytest.approx(319.5, abs=0.3)


@pytest.mark.parametrize("seed", range(4))
def test_motion_blur_leaves_places_where_they_are(seed: int) -> None:
    scene = np.zeros((101, 101), np.float32)
    scene[50, 50] = 100
    image = through(scene, seed, motion=1, motion_px=(30, 30))
    total = image.sum()
    assert (image > 1).sum() > 3
    assert (image * np.arange(101)).sum() / total == pytest.approx(50, abs=0.01)
    assert (image.T * np.arange(101)).sum() / total == pytest.approx(50, abs=0.01)


def test_sharpening_overshoots() -> None:
    image = through(edge(), sharpened=1, sharpening=(1, 1), blur_px=(1, 1))
    assert image.max() > 35.3
    assert image.min() < 19.7


def test_noise_is_that_of_the_netd() -> None:
    image = through(np.full((480, 640), 30, np.float32), noise_k=(0.08, 0.08))
    assert image.std() == pytest.approx(0.08, rel=0.05)


def test_offset_and_gain_act_around_the_room() -> None:
    image = through(edge(), offset_k=(1.5, 1.5), gain=(0.9, 0.9))
    np.testing.assert_allclose(np.unique(np.round(image, 3)), [22 + 0.9 * -2 + 1.5, 22 + 0.9 * 13 + 1.5], atol=2e-3)


def test_temperatures_come_in_steps() -> None:
    image = through(edge(), noise_k=(0.5, 0.5), step_k=(0.1, 0.1)) / 0.1
    np.testing.assert_allclose(image, np.rint(image), atol=1e-2)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("changes", [{}, {"equalised": 1}, {"palette": 1}, {"jpeg": 1}, {"gamma": (0.7, 1.7)}])
def test_a_display_gives_whole_gray_levels(seed: int, changes: dict[str, Any]) -> None:
    image = through(edge(), noise_k=(1, 1))
    shown = gray(image, seed, **changes)
    assert shown.dtype == np.float32
    assert shown.shape == image.shape
    assert (shown == np.rint(shown)).all()
    assert 0 <= shown.min() < shown.max() <= 255


def test_warm_is_bright_unless_inverted() -> None:
    plain, inverted = gray(edge()), gray(edge(), inverted=1)
    assert plain[60, 120] > plain[60, 40]
    np.testing.assert_allclose(plain + inverted, 255, atol=1)


def test_palettes_may_fold_brightness() -> None:
    ramp = np.broadcast_to(np.linspace(20, 36, 160, dtype=np.float32), (120, 160))
    rising = [bool((np.diff(gray(ramp, seed, palette=1)[60]) >= 0).all()) for seed in range(12)]
    assert not all(rising)
    assert (np.diff(gray(ramp)[60]) >= 0).all()


def test_equalisation_shows_small_differences_of_a_large_area() -> None:
    skin = 33 + 0.5 * np.sin(np.arange(160, dtype=np.float32) / 9)[None, :] + np.zeros((120, 1), np.float32)
    skin[:, :8] = 18
    contrasts = [np.mean([np.ptp(gray(skin, seed, equalised=p)[60, 20:]) for seed in range(8)]) for p in (0, 1)]
    assert contrasts[1] > 1.5 * contrasts[0]


def test_compression_is_the_quantised_cosine_transform() -> None:
    image = np.rint(np.random.default_rng(0).uniform(0, 255, (8, 8))).astype(np.float32)
    down, across = np.mgrid[:8, :8]
    quantum = 5 * (1 + 0.7 * (down + across))
    expected = idctn(np.rint(dctn(image, norm="ortho") / quantum) * quantum, norm="ortho")
    np.testing.assert_allclose(compressed(image, 5.0), np.rint(np.clip(expected, 0, 255)), atol=1)


def test_some_images_leave_as_gray_pictures_and_say_so() -> None:
    source = SyntheticFaces(subjects=12, images_per_subject=1, size=(96, 128), sensor={"eight_bit": 0.5})
    units: dict[Any, set[str]] = {}
    for annotation in source.annotations():
        units.setdefault(annotation.attributes["eight_bit"], set()).add(source.load(annotation).unit)
    assert units == {True: {"gray"}, False: {"celsius"}}


def test_sensor_adds_the_noise_it_is_told_to_and_rounds() -> None:
    scene = np.full((120, 160), 30, np.float32)
    np.testing.assert_array_equal(record(rng(0), IDEAL, scene, 22.0), scene)
    image = record(rng(0), replace(IDEAL, noise_k=(0.05, 0.05), step_k=(0.01, 0.01)), scene, 22.0)
    assert image.std() == pytest.approx(0.05, rel=0.05)
    np.testing.assert_allclose(image * 100, np.rint(image * 100), atol=1e-2)
    np.testing.assert_array_equal(scene, 30)


def test_vignetting_cools_the_corners() -> None:
    image = record(rng(0), replace(IDEAL, vignette_k=(0.4, 0.4)), np.full((60, 80), 30, np.float32), 22.0)
    assert image[30, 40] - image[0, 0] == pytest.approx(0.4, abs=0.01)
