"""Perspiration pores of the synthetic faces."""

import numpy as np
import pytest

from thermal_faces import SyntheticFaces
from thermal_faces.head.surface import mean_head
from thermal_faces.person import draw_frame_state
from thermal_faces.randomness import rng
from thermal_faces.ranges import TemperatureRanges
from thermal_faces.skin.pores import Pores, draw_pores, paint_pores
from thermal_faces.skin.temperature_map import Canvas

PORES = draw_pores(rng(0, "pores"), TemperatureRanges())


def painted(pores: Pores, perspiration: float, samples: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Texture around the upper lip on skin of 0 degrees, with the places of its samples."""
    canvas = Canvas(np.zeros(mean_head().frontal_mm.shape[:2], np.float32), samples)
    paint_pores(canvas, pores, perspiration)
    return canvas.window((-29, 29), (36, 72))


def test_pores_lie_around_the_upper_lip() -> None:
    places = mean_head().landmarks_frontal_mm
    assert 40 <= len(PORES.x_mm) <= 120
    assert (np.abs(PORES.x_mm) <= places["mouth_right"][0] + 3).all()
    assert (PORES.y_mm >= places["ala_right"][1]).all()
    assert (PORES.y_mm <= places["mouth_right"][1] + 0.1).all()
    below_nose = np.abs(PORES.x_mm) < 5
    assert (PORES.y_mm[below_nose] < places["upper_lip"][1]).all()


def test_painted_spots_are_those_of_a_plain_sum_of_gaussians() -> None:
    view, x, y = painted(PORES, 0.6, samples=14)
    expected = np.zeros_like(view)
    spacing = max(np.median(np.abs(np.diff(x, axis=1))), np.median(np.abs(np.diff(y, axis=0))))
    for x_mm, y_mm, depth_k, width_mm, threshold in zip(*PORES, strict=True):
        openness = min(max((0.6 - threshold) / 0.15, 0), 1)
        sigma = width_mm / 2.355
        wide = max(sigma, 0.6 * spacing)
        distance = (x - x_mm) ** 2 + (y - y_mm) ** 2
        expected += depth_k * openness * (sigma / wide) ** 2 * np.exp(-distance / (2 * wide**2))
    assert expected.min() < -0.3
    np.testing.assert_allclose(view, expected, atol=2e-3)


def test_coarse_samples_take_as_much_heat_away_as_fine_ones() -> None:
    sums = [float(painted(PORES, 0.8, samples)[0].sum()) / samples**2 for samples in (3, 5, 12)]
    assert sums[0] == pytest.approx(sums[2], rel=0.03)
    assert sums[1] == pytest.approx(sums[2], rel=0.03)


def test_more_perspiration_opens_more_pores() -> None:
    opened = [int((PORES.openness(level) > 0).sum()) for level in (0, 0.2, 0.5, 1)]
    assert opened[0] == 0
    assert opened == sorted(set(opened))
    assert opened[-1] == len(PORES.x_mm)
    assert not painted(PORES, 0.0, 3)[0].any()


def test_some_still_images_show_pores_and_they_are_those_of_the_subject() -> None:
    wet = SyntheticFaces(subjects=1, images_per_subject=12, temperature={"pores": 0.5})
    portraits = [wet.portrait(0, index) for index in range(12)]
    # Each image draws again: of many, half sweat, give or take three standard deviations.
    sweating = [draw_frame_state(0, 0, i, portraits[0].person, wet.expression, wet.temperature, wet.appearance)
                for i in range(400)]  # fmt: skip
    assert np.mean([frame_state.perspiration > 0 for frame_state in sweating]) == pytest.approx(0.5, abs=0.075)
    np.testing.assert_array_equal(portraits[0].person.pores.x_mm, portraits[1].person.pores.x_mm)
    dry = SyntheticFaces(subjects=1, images_per_subject=12, temperature={"pores": 0.0})
    for index, portrait in enumerate(portraits[:5]):
        same = np.array_equal(wet.render(0, index), dry.render(0, index))
        assert same == (portrait.frame_state.perspiration == 0)
