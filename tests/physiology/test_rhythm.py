"""Frequency, share and phase of a rhythm in noise, drift and gaps."""

import numpy as np
import pytest

from thermal_landmarks.physiology.rhythm import rhythm, smooth


def test_smoothing_is_the_weighted_mean_around() -> None:
    generator = np.random.default_rng(0)
    values, weight = generator.standard_normal((40, 3)), generator.random(40)
    values[7] = np.nan
    weight[7] = 0
    at = np.arange(40)
    kernel = np.where(np.abs(at - 20) <= 8, np.exp(-0.5 * ((at - 20) / 2) ** 2), 0) * weight
    expected = (kernel[:, None] * np.nan_to_num(values)).sum(axis=0) / kernel.sum()
    assert smooth(values, weight, 2.0)[20] == pytest.approx(expected)


@pytest.mark.parametrize("per_min", [6.5, 14, 29])
def test_a_rhythm_in_as_much_noise_is_counted(per_min: float) -> None:
    time_s = np.arange(600) / 10
    noise = np.random.default_rng(1).standard_normal(600)
    values = np.sin(2 * np.pi * per_min / 60 * time_s) + noise + 0.05 * time_s
    weight = np.where((time_s > 30) & (time_s < 33), 0.0, 1.0)
    found = rhythm(np.where(weight > 0, values, np.nan), weight, 0.1)
    assert 60 * np.median(found.hz) == pytest.approx(per_min, abs=0.8)
    assert 60 * (found.phase[550] - found.phase[50]) / 50 == pytest.approx(per_min, abs=0.3)
    clean = rhythm(values - noise, weight, 0.1).share.mean()
    assert found.share.mean() < clean < 1.0 + 1e-9


def test_a_rate_that_changes_is_followed() -> None:
    time_s = np.arange(1200) / 10
    hz = np.interp(time_s, [0, 120], [0.2, 0.4])
    found = rhythm(np.sin(2 * np.pi * np.cumsum(hz) / 10), np.ones(1200), 0.1)
    assert np.abs(found.hz - hz)[100:-100].max() < 0.03
