"""The measure of the pores beside brute force, and events in made-up energies."""

import numpy as np
import pytest

from thermal_landmarks.errors import ConfigError
from thermal_landmarks.physiology.perspiration import elements, perspiration, pore_energy, refusal


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


def test_events_have_their_onsets() -> None:
    time_s = np.arange(600) / 10
    level = sum(
        np.where(time_s > on, np.exp(-(time_s - on) / 8) * np.minimum((time_s - on) / 2.5, 1), 0) for on in (12, 38)
    )
    noise = 0.02 * np.random.default_rng(0).standard_normal(len(time_s))
    found = perspiration(time_s, np.exp(1.5 * np.asarray(level) + noise - 8))
    assert [event.onset_s for event in found.events] == pytest.approx([12, 38], abs=2)
    rest = perspiration(time_s, np.exp(1.5 * np.asarray(level) + noise - 8), baseline_s=(0, 10))
    assert np.nanmean(rest.level[:10]) == pytest.approx(0, abs=1e-9)
    assert perspiration(time_s, np.exp(noise - 8)).events == []
    with pytest.raises(ConfigError, match="lasts from 0"):
        perspiration(time_s, np.ones(600), baseline_s=(100, 110))


def test_gray_levels_are_refused_with_the_reason() -> None:
    assert refusal("celsius") is None
    assert "radiometric" in str(refusal("gray"))
