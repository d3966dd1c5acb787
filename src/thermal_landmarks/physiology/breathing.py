"""Breathing from the temperature of the nostrils: waveform, rate over sliding windows, quality, apnoea.

Air that is inhaled cools the nostrils, exhaled air warms them. Breaths are counted twice in each window: by the phase
of the rhythm, which bears noise, and by peaks, which know of pauses.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.ndimage import maximum_filter1d, minimum_filter1d
from scipy.signal import find_peaks

from thermal_landmarks.physiology.rhythm import HALF_POWER, Grid, rhythm, smooth, without_drift

WINDOW_S = 15.0
_STEP_S = 1.0
_LEAST_COVERED = 0.8
_BRIDGED_S = 0.5  # between two samples, at most, which no breath hides in: the quickest takes 1.3 s
_LEAST_SHARE = 0.4
_CLEAR_SHARE = 0.75  # of a recording whose peaks can be believed wherever they differ from the phase
_LITTLE_REST = 0.6  # of the waveform, beside it
_AGREE_PER_MIN = 2.0
_PAUSE = 1.45  # of the usual time between peaks; longer is a pause
_SEEN = 0.3  # of the usual weight; less is no place for a peak
_WELL_SEEN, _NEARLY_ALL = 0.5, 0.9  # of the usual weight, at so many of a pause's samples
_STILL_BREATH, _STILL_SHARE, _STILL_TIME = 0.4, 0.2, 0.4  # of a breath; of its swing; of what a pause adds to a breath
_WAVE = 1.3  # cut-off of the waveform, relative to the usual rate
_LEAST_PROMINENCE = 1.2  # of a peak, in effective values around it
_APNOEA_S = 10.0
_APNOEA_SHARE = 0.25  # of the swing of breaths
_BREATHS = 0.75  # quantile of the swing: half of a recording may be without breaths
_SWING_S = 4.0


class Breathing(NamedTuple):
    """The breathing of a recording."""

    # In the unit of the temperature, a value a sample; positive after exhalation; NaN where there is none
    waveform: Float[np.ndarray, " sample"]
    time_s: Float[np.ndarray, " window"]  # middles of the windows
    rate: Float[np.ndarray, " window"]  # breaths a minute in each window; NaN where too little of it was seen
    by_spectrum: Float[np.ndarray, " window"]  # the same, by the phase of the rhythm
    by_peaks: Float[np.ndarray, " window"]  # the same, from the peaks of the waveform
    # 0 to 1: how much of the window's power is breathing, less where the two rates differ
    quality: Float[np.ndarray, " window"]
    flag: list[str]  # of each window: `ok`, `missing`, `disagree`, `weak` or `apnoea`
    apnoeas_s: list[tuple[float, float]]  # start and end of each time without breaths


def breathing(
    time_s: Float[np.ndarray, " sample"],
    temperature: Float[np.ndarray, " sample"],
    *,
    weight: Float[np.ndarray, " sample"] | None = None,
    jumps: Bool[np.ndarray, " sample"] | None = None,
    window_s: float = WINDOW_S,
) -> Breathing:
    """The breathing in the temperature of the nostrils.

    At the frames of `jumps` the camera stepped: each stretch between two of them has a level of its own. A weight says
    how far each sample is believed, 0 to 1; NaN: the nostrils aren't seen.
    """
    regular = Grid(time_s)
    between, slots, grid_s = regular.step_s, regular.slots, regular.time_s
    grid = regular.means(levelled(temperature, jumps))
    there = np.isfinite(grid)
    believed = np.where(there, regular.means(np.ones(len(time_s)) if weight is None else weight), 0.0)
    size = 2 * round(_BRIDGED_S / 2 / between) + 1
    seen = minimum_filter1d(maximum_filter1d(there, size), size)
    bridged = np.where(seen & ~there, maximum_filter1d(believed, size), believed)
    if there.any():
        found = rhythm(grid, believed, between)
        usual_hz = _weighted_median(found.hz, believed * found.share)
        level = without_drift(grid, believed, between)
        wave = smooth(level, believed, HALF_POWER / (_WAVE * usual_hz) / between)
        rest = float(np.sqrt(np.average((level - wave) ** 2, weights=believed) / np.average(wave**2, weights=believed)))
        wave[~seen] = np.nan
        counts = _counts_of_peaks(wave, bridged, grid_s, usual_hz)
        clear = _weighted_median(found.share, believed * found.share) > _CLEAR_SHARE
    else:
        found, wave, counts, clear, rest = None, grid, None, False, np.inf
    pauses = [] if counts is None else [each for each in _pauses(*counts) if _well_seen(bridged, grid_s, *each)]
    if not clear:  # noise may hide a peak, but where there is little of it nothing but a pause leaves stillness
        pauses = [p for p in pauses if rest < _LITTLE_REST and _still_within(wave, grid_s, *p, 1 / usual_hz)]
    still = _still(wave, between)
    end_s = grid_s[-1] + between
    starts = np.arange(grid_s[0], max(end_s - window_s, grid_s[0]) + 1e-9, _STEP_S)
    rates, quality, flags = np.full((3, len(starts)), np.nan), np.zeros(len(starts)), []
    for i, start in enumerate(starts):
        stop = min(start + window_s, end_s)
        inside = (grid_s >= start) & (grid_s < stop)
        if found is None or seen[inside].mean() < _LEAST_COVERED:
            flags.append("missing")
            continue
        by_phase = _a_minute(start, stop, grid_s, found.phase)
        by_peaks = np.nan if counts is None else _a_minute(start, stop, *counts)
        differ, share = abs(by_phase - by_peaks), float(found.share[inside].mean())
        paused = any(a < stop and b > start for a, b in pauses)
        rates[:, i] = by_peaks if paused else by_phase, by_phase, by_peaks
        quality[i] = share * np.exp(-differ / 5) if np.isfinite(differ) else 0.0
        agree = paused or differ <= _AGREE_PER_MIN
        flags.append("weak" if share < _LEAST_SHARE else "ok" if agree else "disagree")
    apnoeas_s = [(float(grid_s[a]), float(grid_s[b - 1] + between)) for a, b in still]
    for i, start in enumerate(starts):
        if any(a < start + window_s and b > start for a, b in apnoeas_s):
            flags[i] = "apnoea"
    middles = starts + min(window_s, end_s - grid_s[0]) / 2
    return Breathing(wave[slots], middles, rates[0], rates[1], rates[2], quality, flags, apnoeas_s)


def levelled(
    values: Float[np.ndarray, "sample *others"], jumps: Bool[np.ndarray, " sample"] | None
) -> Float[np.ndarray, "sample *others"]:
    """The values without the camera's steps: each stretch goes on where the one before ended."""
    level = values.astype(float).copy()
    for start in np.flatnonzero(jumps) if jumps is not None else ():
        before, after = level[max(0, start - 5) : start], level[start : start + 5]
        if np.isfinite(before).any() and np.isfinite(after).any():
            level[start:] -= np.nanmedian(after, axis=0) - np.nanmedian(before, axis=0)
    return level


def _a_minute(start: float, stop: float, time_s: np.ndarray, counted: np.ndarray) -> float:
    """Rate of what has been counted up to each time."""
    first, last = np.interp([start, stop], time_s, counted)
    # The count ends with the last sample.
    seen = min(stop, float(time_s[-1])) - max(start, float(time_s[0]))
    return 60 * float(last - first) / seen


def _weighted_median(values: Float[np.ndarray, " sample"], weight: Float[np.ndarray, " sample"]) -> float:
    order = np.argsort(values)
    mass = np.cumsum(weight[order])
    return float(values[order][np.searchsorted(mass, mass[-1] / 2)])


def _counts_of_peaks(
    wave: Float[np.ndarray, " sample"],
    weight: Float[np.ndarray, " sample"],
    time_s: Float[np.ndarray, " sample"],
    usual_hz: float,
) -> tuple[Float[np.ndarray, " peak"], Float[np.ndarray, " peak"]] | None:
    """Times of the peaks and how many breaths there were until then, goes on at both ends; None: too few."""
    # What is hardly believed, as while the head turns, is a gap as well.
    seen = np.where(weight >= _SEEN * _weighted_median(weight, weight), wave, np.nan)
    peaks = _peaks(seen, float(time_s[1] - time_s[0]), usual_hz)
    if len(peaks) < 2:
        return None
    at_s, steps = time_s[peaks], np.diff(time_s[peaks])
    hidden = np.diff(np.cumsum(~np.isfinite(seen))[peaks]) > 0  # a gap, which may lie over peaks
    breaths = np.where(hidden, np.maximum(1.0, np.rint(steps / np.median(steps))), 1.0)
    count, steps = np.concatenate([[0.0], np.cumsum(breaths)]), steps / breaths
    at_s = np.concatenate([[at_s[0] - 20 * steps[0]], at_s, [at_s[-1] + 20 * steps[-1]]])
    return at_s, np.concatenate([[-20.0], count, [count[-1] + 20]])


def _pauses(at_s: Float[np.ndarray, " peak"], count: Float[np.ndarray, " peak"]) -> list[tuple[float, float]]:
    """Times between two peaks that are longer than the usual breath."""
    lasting = np.diff(at_s) / np.diff(count)
    long = np.flatnonzero(lasting[1:-1] > _PAUSE * np.median(lasting)) + 1
    return [(float(at_s[i]), float(at_s[i + 1])) for i in long]


def _well_seen(
    weight: Float[np.ndarray, " sample"], time_s: Float[np.ndarray, " sample"], start: float, end: float
) -> bool:
    """Whether breaths would have shown between two times."""
    inside = (time_s >= start) & (time_s <= end)
    return bool((weight[inside] >= _WELL_SEEN * _weighted_median(weight, weight)).mean() >= _NEARLY_ALL)


def _still_within(
    wave: Float[np.ndarray, " sample"], time_s: Float[np.ndarray, " sample"], start: float, end: float, breath_s: float
) -> bool:
    """Whether the nostrils hardly change in much of the time by which a pause is longer than a breath."""
    between = float(time_s[1] - time_s[0])
    there = np.isfinite(wave)
    short = _swing(wave, max(2, round(_STILL_BREATH * breath_s / between)))
    usual = np.quantile(_swing(wave, max(3, round(breath_s / between)))[there], _BREATHS)
    still = there & (short < _STILL_SHARE * usual) & (time_s > start) & (time_s < end)
    return bool(still.sum() * between > _STILL_TIME * (end - start - breath_s))


def _swing(wave: Float[np.ndarray, " sample"], size: int) -> Float[np.ndarray, " sample"]:
    """Highest minus lowest value around each sample."""
    there = np.isfinite(wave)
    highest = maximum_filter1d(np.where(there, wave, -np.inf), size)
    return highest - minimum_filter1d(np.where(there, wave, np.inf), size)


def _peaks(wave: Float[np.ndarray, " sample"], between: float, usual_hz: float) -> Int[np.ndarray, " peak"]:
    there = np.isfinite(wave)
    around = np.sqrt(smooth(np.where(there, wave, 0) ** 2, there.astype(float), 2 / usual_hz / between))
    even = np.where(there, wave / np.maximum(around, 1e-9), -np.inf)
    peaks = find_peaks(even, distance=max(1.0, 0.5 / usual_hz / between), prominence=_LEAST_PROMINENCE)[0]
    inner = there[np.maximum(peaks - 1, 0)] & there[np.minimum(peaks + 1, len(wave) - 1)]
    return peaks[inner]  # the last sample before a gap is no peak of the breath


def _still(wave: Float[np.ndarray, " sample"], between: float) -> list[tuple[int, int]]:
    """Stretches (start, end) of at least ten seconds in which the nostrils hardly change."""
    there = np.isfinite(wave)
    if not there.any():
        return []
    size = max(3, round(_SWING_S / between))
    swing = _swing(wave, size)
    low = there & (swing < _APNOEA_SHARE * np.quantile(swing[there], _BREATHS))
    edges = np.flatnonzero(np.diff(np.concatenate([[0], low.astype(int), [0]])))
    # A filter of four seconds sees the breaths on both sides: a stretch is longer than where it sees none.
    runs = [(max(0, a - size // 2), min(len(wave), b + size // 2)) for a, b in edges.reshape(-1, 2)]
    return [(a, b) for a, b in runs if (b - a) * between >= _APNOEA_S]
