"""Rates of synthetic breaths with noise, gaps, drift and steps of the camera."""

import numpy as np
import pytest

from thermal_landmarks.physiology.breathing import breathing
from thermal_landmarks.physiology.disturbances import late_frames

RATE_HZ = 10.0


def breaths(per_min: float, seconds: float = 60.0, noise: float = 0.1, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    time_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    drift = 0.02 * time_s + 0.5 * np.sin(2 * np.pi * time_s / 90)
    wave = 0.4 * np.sin(2 * np.pi * per_min / 60 * time_s)
    return time_s, 34 + wave + drift + noise * np.random.default_rng(seed).standard_normal(len(time_s))


@pytest.mark.parametrize("per_min", [7, 10, 15, 22, 30])
def test_the_rate_of_a_drifting_noisy_sine_is_found(per_min: float) -> None:
    time_s, temperature = breaths(per_min)
    found = breathing(time_s, temperature)
    assert np.abs(found.rate - per_min).mean() < 0.5
    assert found.apnoeas_s == []


def test_gaps_stay_gaps_and_are_flagged() -> None:
    time_s, temperature = breaths(15)
    temperature[200:300] = np.nan
    kept = np.delete(np.arange(len(time_s)), np.arange(400, 410))  # frames that the file lacks
    found = breathing(time_s[kept], temperature[kept])
    assert np.isnan(found.waveform[200:300]).all()
    assert {"missing", "ok"} <= set(found.flag)
    fine = np.array(found.flag) == "ok"
    assert np.isnan(found.rate[np.array(found.flag) == "missing"]).all()
    assert np.abs(found.rate[fine] - 15).max() < 1


@pytest.mark.parametrize("per_min", [8, 15, 28])
def test_a_camera_of_changing_rate_shows_breaths_between_which_it_hardly_pauses(per_min: float) -> None:
    steps = np.random.default_rng(3).choice([0.1, 0.1, 0.1, 0.2, 0.35], 300)
    time_s = np.cumsum(steps)
    found = breathing(time_s, 34 + 0.4 * np.sin(2 * np.pi * per_min / 60 * time_s))
    assert set(found.flag) == {"ok"}
    assert np.abs(found.rate - per_min).max() < 1


@pytest.mark.parametrize("per_min", [20, 30])
def test_a_gap_over_a_peak_costs_no_breath(per_min: float) -> None:
    time_s, temperature = breaths(per_min, noise=0.05)
    temperature[(time_s >= 30) & (time_s < 31.5)] = np.nan
    found = breathing(time_s, temperature)
    assert np.abs(found.rate[np.isfinite(found.rate)] - per_min).max() < 1


def test_a_step_of_the_camera_is_no_breath() -> None:
    time_s, temperature = breaths(12)
    temperature[300:] += 3.0
    jumps = np.zeros(len(time_s), dtype=bool)
    jumps[300] = True
    marked = breathing(time_s, temperature, jumps=jumps)
    unmarked = breathing(time_s, temperature)
    assert np.abs(marked.waveform[280:320]).max() < 0.6 < np.abs(unmarked.waveform[280:320]).max()
    assert np.abs(marked.rate - 12).mean() < 0.5


def test_a_time_without_breaths_is_flagged() -> None:
    time_s, temperature = breaths(15, seconds=80, noise=0.01)
    still = (time_s >= 30) & (time_s < 48)
    temperature[still] = temperature[np.flatnonzero(still)[0]]
    found = breathing(time_s, temperature)
    assert len(found.apnoeas_s) == 1
    assert found.apnoeas_s[0] == pytest.approx((30, 48), abs=2.5)
    assert "apnoea" in found.flag


@pytest.mark.parametrize("seconds_still", [20, 32])
def test_breaths_that_begin_after_a_long_pause_are_counted_as_without_it(seconds_still: int) -> None:
    time_s, temperature = breaths(15, noise=0.02)
    temperature[time_s < seconds_still] = 34 + 0.02 * np.random.default_rng(1).standard_normal(10 * seconds_still)
    found = breathing(time_s, temperature)
    assert len(found.apnoeas_s) == 1
    assert found.apnoeas_s[0] == pytest.approx((0, seconds_still), abs=2.5)
    after = found.time_s > seconds_still + 9
    assert np.abs(found.rate[after] - 15).max() < 0.7
    assert {found.flag[i] for i in np.flatnonzero(after)} == {"ok"}


def test_pauses_that_make_up_a_fifth_of_a_recording_are_told_by_their_stillness_and_noise_is_not() -> None:
    generator, time_s = np.random.default_rng(4), np.arange(0, 40, 0.2)
    pauses = ((time_s > 10) & (time_s < 12.6)) | ((time_s > 27) & (time_s < 32))
    phase = np.cumsum(np.where(pauses, 0, 24 / 60 * 0.2))
    wave = np.where(pauses, 0, np.cos(2 * np.pi * phase) - 0.3 * np.cos(4 * np.pi * phase))
    found = breathing(time_s, 34 + 0.3 * wave + 0.02 * generator.standard_normal(len(time_s)))
    breaths = [60 * np.interp([at - 7.5, at + 7.5], time_s, phase) @ [-1, 1] / 15 for at in found.time_s]
    assert np.abs(found.rate - breaths).mean() < 1.0
    assert np.abs(found.by_spectrum - breaths).mean() > 2.0
    assert found.flag.count("ok") > 0.8 * len(found.flag)
    noisy = breathing(
        time_s, 34 + 0.3 * np.cos(2 * np.pi * 0.4 * time_s) + 0.5 * generator.standard_normal(len(time_s))
    )
    np.testing.assert_array_equal(noisy.rate, noisy.by_spectrum)  # a peak that noise hides makes no pause


def test_a_head_that_turns_away_for_three_breaths_makes_no_pause() -> None:
    time_s, temperature = breaths(30, noise=0.01)
    turned = (time_s >= 10.7) & (time_s < 14.6)
    temperature[turned] -= 1.5
    found = breathing(time_s, temperature, weight=np.where(turned, 0.04, 1.0))
    assert np.abs(found.rate - 30).max() < 0.7
    assert np.abs(found.by_peaks - 30).max() < 2
    assert set(found.flag) == {"ok"}


def test_a_film_whose_rate_falls_on_the_way_is_measured_to_its_end() -> None:
    """As of a phone: 30 frames a second, then 12."""
    time_s = np.concatenate([np.arange(600) / 30, 20 + np.arange(480) / 12])
    time_s += 0.004 * np.random.default_rng(0).random(len(time_s))
    temperature = 34 + 0.4 * np.sin(2 * np.pi * 15 / 60 * time_s)
    found = breathing(time_s, temperature)
    assert set(found.flag) == {"ok"}
    assert np.abs(found.rate - 15).max() < 0.5
    assert len(found.waveform) == len(time_s)
    assert late_frames(time_s).sum() <= 1
    assert late_frames(np.delete(time_s, [100, 800])).sum() in (2, 3)


def test_noise_has_little_quality() -> None:
    time_s, temperature = breaths(15)
    noise = np.random.default_rng(3).standard_normal(len(time_s))
    assert breathing(time_s, noise).quality.mean() < 0.5 * breathing(time_s, temperature).quality.mean()
