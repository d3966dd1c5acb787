"""The measure of the pores beside brute force, and events in made-up energies."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, shift

from thermal_landmarks.errors import ConfigError
from thermal_landmarks.physiology.perspiration import LEAST_QUALITY, elements, perspiration, pore_energy, refusal
from thermal_landmarks.physiology.spots import agreed


def brute_force(patch: np.ndarray, inside: np.ndarray, size: int) -> float:
    ring, disc = elements(size)
    half = size // 2

    def extreme(values: np.ndarray, element: np.ndarray, choose: np.ufunc) -> np.ndarray:
        padded = np.pad(values, half, mode="symmetric")
        out = np.empty_like(values)
        for y in range(values.shape[0]):
            for x in range(values.shape[1]):
                out[y, x] = choose.reduce(padded[y : y + size, x : x + size][element])
        return out

    closed = extreme(extreme(patch, ring, np.minimum), disc, np.maximum)
    return float(((np.maximum(patch, closed) - patch)[inside] ** 2).mean())


@pytest.mark.parametrize("size", [3, 5, 9])
def test_the_energy_is_that_of_brute_force(size: int) -> None:
    generator = np.random.default_rng(size)
    patch = 34 + generator.standard_normal((26, 34))
    inside = np.zeros(patch.shape, dtype=bool)
    inside[6:-6, 6:-6] = True
    energy = pore_energy(patch, inside, size)
    assert energy == pytest.approx(brute_force(patch, inside, size), rel=1e-9)
    assert energy > 0


def test_a_cold_spot_counts_with_its_squared_depth_and_a_slope_does_not() -> None:
    y, x = np.mgrid[:31, :31]
    slope = 34 + 0.02 * x + 0.01 * y
    inside = np.ones(slope.shape, dtype=bool)
    inside[:8] = inside[-8:] = inside[:, :8] = inside[:, -8:] = False
    assert pore_energy(slope, inside) == pytest.approx(0, abs=1e-6)
    flat = np.full(slope.shape, 34.0)
    flat[15, 15] -= 0.5
    assert pore_energy(flat, inside) == pytest.approx(0.25 / inside.sum())
    flat[0, 0] = np.nan
    assert np.isnan(pore_energy(flat, inside))


def pores(onsets: tuple[float, ...] = (12, 38)) -> tuple[np.ndarray, np.ndarray]:
    """Patches of a minute with cold spots that open twice, on skin that trembles, and how far they are open."""
    generator, time_s = np.random.default_rng(0), np.arange(60) + 0.5
    level = np.zeros(len(time_s))
    for onset in onsets:
        since = time_s - onset
        level += np.where(since > 0, np.exp(-since / 8) * np.minimum(since / 2.5, 1), 0)
    skin = gaussian_filter(generator.standard_normal((34, 56)), 3)
    spots = np.zeros(skin.shape)
    spots[generator.integers(9, 25, 30), generator.integers(9, 47, 30)] = 1
    spots = gaussian_filter(spots, 0.7)
    moved = [shift(skin, 0.2 * generator.standard_normal(2), order=1, mode="nearest") for _ in time_s]
    patches = np.stack(moved) - 0.3 * level[:, None, None] * spots
    return patches + 0.03 * generator.standard_normal(patches.shape), level


def still(seconds: int = 60) -> np.ndarray:
    """Shapes of a face that hardly moves."""
    return 0.001 * np.random.default_rng(5).standard_normal((seconds, 32))


def test_pores_below_the_noise_of_a_pixel_are_followed() -> None:
    patches, level = pores()
    inside = np.zeros(patches.shape[1:], dtype=bool)
    inside[8:26, 8:48] = True
    time_s = np.arange(len(patches)) + 0.5
    found = perspiration(time_s, patches, np.ones(len(patches)), inside, still())
    assert np.corrcoef(found.level, level)[0, 1] > 0.9
    assert np.corrcoef(found.level, level)[0, 1] > np.corrcoef(found.energy, level)[0, 1]
    assert [event.onset_s for event in found.events] == pytest.approx([12, 38], abs=2)
    assert found.quality > LEAST_QUALITY
    patches[20:23] = np.nan
    gap = perspiration(time_s, patches, np.ones(len(patches)), inside, still(), baseline_s=(0, 10))
    assert np.isnan(gap.level[20:23]).all()
    assert np.nanmean(gap.level[:10]) == pytest.approx(0, abs=1e-9)
    with pytest.raises(ConfigError, match="lasts from 0"):
        perspiration(time_s, patches, np.ones(len(patches)), inside, still(), baseline_s=(100, 110))


def test_skin_without_pores_is_told_by_its_quality_and_has_no_events() -> None:
    patches, _ = pores(onsets=())
    inside = np.zeros(patches.shape[1:], dtype=bool)
    inside[8:26, 8:48] = True
    time_s = np.arange(len(patches)) + 0.5
    found = perspiration(time_s, patches, np.ones(len(patches)), inside, still())
    assert found.quality < LEAST_QUALITY
    assert found.events == []
    empty = perspiration(time_s, np.zeros(patches.shape), np.ones(len(patches)), inside, still())
    assert (empty.quality, empty.events) == (0.0, [])


def test_spots_that_come_with_the_pose_of_the_head_are_no_pores() -> None:
    """A head that turns to and fro, on whose lip other spots show from each side, while pores open twice."""
    patches, level = pores()
    generator, time_s = np.random.default_rng(1), np.arange(len(patches)) + 0.5
    yaw = np.sign(np.sin(2 * np.pi * time_s / 18)) + 0.1 * generator.standard_normal(len(time_s))
    beard = np.zeros(patches.shape[1:])
    beard[generator.integers(9, 25, 30), generator.integers(9, 47, 30)] = 1
    turned = patches - 0.3 * yaw[:, None, None] * gaussian_filter(beard, 0.7)
    shapes = still() + 0.05 * yaw[:, None] * generator.standard_normal(32)
    inside = np.zeros(patches.shape[1:], dtype=bool)
    inside[8:26, 8:48] = True
    weight = np.ones(len(patches))
    known = perspiration(time_s, turned, weight, inside, shapes)
    unknown = perspiration(time_s, turned, weight, inside, still())
    assert np.corrcoef(known.level, level)[0, 1] > 0.85 > np.corrcoef(unknown.level, level)[0, 1]
    assert known.quality > LEAST_QUALITY


def test_rows_of_the_camera_that_tremble_are_no_pores() -> None:
    patches, level = pores()
    rows = np.random.default_rng(2).standard_normal((len(patches), patches.shape[1], 1))
    inside = np.zeros(patches.shape[1:], dtype=bool)
    inside[8:26, 8:48] = True
    time_s = np.arange(len(patches)) + 0.5
    found = perspiration(time_s, patches + 0.1 * rows, np.ones(len(patches)), inside, still())
    assert np.corrcoef(found.level, level)[0, 1] > 0.85


def test_texture_of_the_skin_that_stays_hides_no_pores() -> None:
    """Dark and light patches of skin, and the edge of the lip in a corner of the region."""
    patches, level = pores()
    inside = np.zeros(patches.shape[1:], dtype=bool)
    inside[8:26, 8:48] = True
    texture = 0.6 * gaussian_filter(np.random.default_rng(3).standard_normal(inside.shape), 0.7)
    texture[24:, 40:] -= 2
    time_s = np.arange(len(patches)) + 0.5
    found = perspiration(time_s, patches + texture, np.ones(len(patches)), inside, still())
    assert np.corrcoef(found.level, level)[0, 1] > 0.85
    assert found.quality > LEAST_QUALITY


def test_what_most_ways_agree_on_is_told_and_not_the_smoothest_one() -> None:
    generator, (_, level) = np.random.default_rng(8), pores()
    root, turns = np.ones((len(level), 1)), np.ones((len(level), 1))
    ways = np.stack([level + 0.1 * generator.standard_normal(len(level)) for _ in range(6)], axis=1)
    alone = np.sin(np.arange(len(level)) / 12)  # its next second is as the one before: the best quality of all
    told = agreed(np.column_stack([ways, -ways[:, 0], alone]), root, turns)
    assert np.corrcoef(told.depth, level)[0, 1] > 0.97
    assert told.quality < agreed(ways, root, turns).quality
    assert agreed(np.zeros((len(level), 3)), root, turns).quality == 0


def test_gray_levels_are_refused_with_the_reason() -> None:
    assert refusal("celsius") is None
    assert "radiometric" in str(refusal("gray"))
