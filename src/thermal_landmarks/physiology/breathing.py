"""Breathing from the temperature of the nostrils: waveform, rate over sliding windows, quality, apnoea.

Air that is inhaled cools the nostrils, exhaled air warms them. Frames may be missing: filters weigh what is there
(normalised convolution) and spectra are those of Lomb and Scargle, so that no value is made up for a gap.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.ndimage import gaussian_filter1d, maximum_filter1d, minimum_filter1d
from scipy.signal import find_peaks, lombscargle

BAND_HZ = (0.1, 0.7)
"""6 to 42 breaths a minute."""

WINDOW_S = 15.0
_STEP_S = 1.0
_SEARCHED_HZ = np.arange(0.08, 0.75, 0.0025)
_HALF_POWER = float(np.sqrt(np.log(2)) / (2 * np.pi))  # sigma in s of a Gaussian, times its cut-off in Hz
_LEAST_COVERED = 0.8
_AGREE_PER_MIN = 2.0
_LINE_HZ = 0.05
_APNOEA_S = 10.0
_APNOEA_SHARE = 0.25  # of the usual swing
_SWING_S = 4.0


class Breathing(NamedTuple):
    """The breathing of a recording.

    Attributes:
        waveform: In the unit of the temperature, a value a sample; positive after exhalation; NaN where there is none.
        time_s: Middles of the windows.
        rate: Breaths a minute in each window; NaN where too little of it was seen.
        by_spectrum: The same, from the strongest line of the spectrum.
        by_peaks: The same, from the peaks of the waveform.
        quality: 0 to 1: how much of the window's power is breathing, less where the two rates differ.
        flag: Of each window: `ok`, `missing`, `disagree`, `weak` or `apnoea`.
        apnoeas_s: Start and end of each time without breaths.
    """

    waveform: Float[np.ndarray, " sample"]
    time_s: Float[np.ndarray, " window"]
    rate: Float[np.ndarray, " window"]
    by_spectrum: Float[np.ndarray, " window"]
    by_peaks: Float[np.ndarray, " window"]
    quality: Float[np.ndarray, " window"]
    flag: list[str]
    apnoeas_s: list[tuple[float, float]]


def breathing(
    time_s: Float[np.ndarray, " sample"],
    temperature: Float[np.ndarray, " sample"],
    *,
    jumps: Bool[np.ndarray, " sample"] | None = None,
    window_s: float = WINDOW_S,
) -> Breathing:
    """The breathing in the temperature of the nostrils.

    Args:
        time_s: Of the samples, rising.
        temperature: Of the nostrils, in any unit; NaN where they aren't seen.
        jumps: Samples at which the camera stepped: each stretch between two of them has a level of its own.
        window_s: Of the rates.
    """
    between = float(np.median(np.diff(time_s))) if len(time_s) > 1 else 1.0
    slots = np.rint((time_s - time_s[0]) / between).astype(int)
    grid = np.full(slots[-1] + 1, np.nan)
    grid[slots] = _levelled(temperature, jumps)
    slow = _smooth(grid, _HALF_POWER / BAND_HZ[0] / between)
    level = grid - slow
    usual_hz = _line(between * np.arange(len(grid)), level)[0]
    # Twice the usual rate keeps the form of a breath and drops the noise above it.
    quick_hz = float(np.clip(2 * usual_hz, 0.25, BAND_HZ[1])) if np.isfinite(usual_hz) else BAND_HZ[1]
    wave = np.where(np.isfinite(grid), _smooth(level, _HALF_POWER / quick_hz / between), np.nan)
    grid_s = time_s[0] + between * np.arange(len(grid))
    peaks = _peaks(wave, between, usual_hz)
    still = _still(wave, between)
    last = max(grid_s[-1] - window_s, grid_s[0])
    starts = np.arange(grid_s[0], last + 1e-9, _STEP_S)
    rows = [_window(grid_s, level, wave, peaks, start, min(start + window_s, grid_s[-1] + between)) for start in starts]
    spectrum, by_peaks, rate, quality = (np.array([row[i] for row in rows], dtype=float) for i in range(4))
    flags = [str(row[4]) for row in rows]
    apnoeas_s = [(float(grid_s[a]), float(grid_s[b - 1] + between)) for a, b in still]
    for i, start in enumerate(starts):
        if any(a < start + window_s and b > start for a, b in apnoeas_s):
            flags[i] = "apnoea"
    middles = starts + min(window_s, grid_s[-1] + between - grid_s[0]) / 2
    return Breathing(wave[slots], middles, rate, spectrum, by_peaks, quality, flags, apnoeas_s)


def _levelled(
    values: Float[np.ndarray, " sample"], jumps: Bool[np.ndarray, " sample"] | None
) -> Float[np.ndarray, " sample"]:
    """The values without the camera's steps: each stretch goes on where the one before ended."""
    levelled = values.astype(float).copy()
    for start in np.flatnonzero(jumps) if jumps is not None else ():
        before, after = levelled[max(0, start - 5) : start], levelled[start : start + 5]
        if np.isfinite(before).any() and np.isfinite(after).any():
            levelled[start:] -= np.nanmedian(after) - np.nanmedian(before)
    return levelled


def _smooth(values: Float[np.ndarray, " sample"], sigma: float) -> Float[np.ndarray, " sample"]:
    """Gaussian mean of the values that are there."""
    there = np.isfinite(values)
    weight = gaussian_filter1d(there.astype(float), sigma, mode="constant")
    total = gaussian_filter1d(np.where(there, values, 0.0), sigma, mode="constant")
    return np.where(weight > 1e-3, total / np.maximum(weight, 1e-3), np.nan)


def _line(time_s: Float[np.ndarray, " sample"], values: Float[np.ndarray, " sample"]) -> tuple[float, float]:
    """Frequency of the strongest line in the band, and the share of the band's power in it and its first overtone."""
    there = np.isfinite(values)
    if there.sum() < 8 or np.ptp(values[there]) == 0:
        return np.nan, 0.0
    power = lombscargle(
        time_s[there], values[there] * np.hanning(there.sum() + 2)[1:-1], 2 * np.pi * _SEARCHED_HZ, floating_mean=True
    )
    best = int(power.argmax())
    if 0 < best < len(power) - 1:  # a parabola through three values finds the top between them
        left, top, right = power[best - 1 : best + 2]
        shift = (left - right) / (2 * (left - 2 * top + right)) if left - 2 * top + right < 0 else 0.0
    else:
        shift = 0.0
    line_hz = float(_SEARCHED_HZ[best] + shift * (_SEARCHED_HZ[1] - _SEARCHED_HZ[0]))
    near = (np.abs(_SEARCHED_HZ - line_hz) < _LINE_HZ) | (np.abs(_SEARCHED_HZ - 2 * line_hz) < _LINE_HZ)
    return line_hz, float(power[near].sum() / power.sum())


def _peaks(wave: Float[np.ndarray, " sample"], between: float, usual_hz: float) -> Int[np.ndarray, " peak"]:
    there = np.isfinite(wave)
    if not there.any() or not np.isfinite(usual_hz):
        return np.array([], dtype=int)
    apart = max(1.0, 0.5 / usual_hz / between)
    usual = float(np.median(np.abs(wave[there])))
    peaks = find_peaks(np.where(there, wave, -np.inf), distance=apart, prominence=usual)[0]
    inner = there[np.maximum(peaks - 1, 0)] & there[np.minimum(peaks + 1, len(wave) - 1)]
    return peaks[inner]  # the last sample before a gap is no peak of the breath


def _window(
    time_s: Float[np.ndarray, " sample"],
    level: Float[np.ndarray, " sample"],
    wave: Float[np.ndarray, " sample"],
    peaks: Int[np.ndarray, " peak"],
    start: float,
    end: float,
) -> tuple[float, float, float, float, str]:
    """Rate by spectrum, by peaks and the better of both, quality and flag of one window."""
    inside = (time_s >= start) & (time_s < end)
    if np.isfinite(wave[inside]).mean() < _LEAST_COVERED:
        return np.nan, np.nan, np.nan, 0.0, "missing"
    line_hz, share = _line(time_s[inside], level[inside])
    spectrum = 60 * line_hz
    by_peaks = np.nan
    if len(peaks) >= 2:
        # Breaths since the first peak, also in parts; before it and after the last one as fast as there.
        at_s = time_s[peaks]
        steps = np.diff(at_s)
        hidden = np.diff(np.cumsum(~np.isfinite(wave))[peaks]) > 0  # a gap, which may lie over peaks
        breaths = np.where(hidden, np.maximum(1.0, np.rint(steps / np.median(steps))), 1.0)
        count = np.concatenate([[0.0], np.cumsum(breaths)])
        steps = steps / breaths
        first, last = steps[0], steps[-1]
        at_s = np.concatenate([[at_s[0] - 20 * first], at_s, [at_s[-1] + 20 * last]])
        count = np.concatenate([[-20.0], count, [count[-1] + 20]])
        by_peaks = 60 * float(np.diff(np.interp([start, end], at_s, count))[0]) / (end - start)
    differ = abs(spectrum - by_peaks)
    rate = by_peaks if np.isfinite(by_peaks) else spectrum
    quality = share * float(np.exp(-differ / 5)) if np.isfinite(differ) else 0.0
    flag = "weak" if share < 0.4 or not np.isfinite(rate) else "disagree" if not differ <= _AGREE_PER_MIN else "ok"
    return spectrum, by_peaks, rate, quality, flag


def _still(wave: Float[np.ndarray, " sample"], between: float) -> list[tuple[int, int]]:
    """Stretches (start, end) of at least ten seconds in which the nostrils hardly change."""
    there = np.isfinite(wave)
    if not there.any():
        return []
    size = max(3, round(_SWING_S / between))
    swing = maximum_filter1d(np.where(there, wave, -np.inf), size) - minimum_filter1d(
        np.where(there, wave, np.inf), size
    )
    low = there & (swing < _APNOEA_SHARE * np.median(swing[there]))
    edges = np.flatnonzero(np.diff(np.concatenate([[0], low.astype(int), [0]])))
    # A filter of four seconds sees the breaths on both sides: a stretch is longer than where it sees none.
    runs = [(max(0, a - size // 2), min(len(wave), b + size // 2)) for a, b in edges.reshape(-1, 2)]
    return [(a, b) for a, b in runs if (b - a) * between >= _APNOEA_S]
