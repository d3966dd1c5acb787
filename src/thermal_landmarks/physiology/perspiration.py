"""Perspiration at the upper lip: pores that open are cold spots, and a morphological closing finds them.

The published measure is that of Tsiamyrtzis and others: with a ring of 9 x 9 pixels and a disc of as many, CBO =
dilate(erode(I, ring), disc), O = max(I, CBO) - I, E = mean of O^2 over the region, in square kelvins. Its logarithm is
related to a resting baseline. Where a pore is smaller than a pixel, camera noise outweighs it: `physiology.spots` then
sees more, because it knows that pores stay where they are.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float
from scipy.ndimage import gaussian_filter1d, grey_dilation, grey_erosion
from scipy.signal import find_peaks

from thermal_landmarks.errors import ConfigError
from thermal_landmarks.physiology.rhythm import smooth
from thermal_landmarks.physiology.spots import Patches, depth_of_spots

ELEMENT_PX = 9
LEAST_QUALITY = 0.4
"""Of a curve that is told from noise and motion (docs/signals.md)."""

_LEAST_SHARE = 0.05  # of the usual energy; less is none
_RESTING = 0.1  # quantile that is taken as rest
_LEAST_RISE = 0.2  # of the recording's range
_TIMES_NOISE = 4.0
_SMOOTH_S = 1.0


class SweatEvent(NamedTuple):
    """One rise of the perspiration: its onset, its peak, and by how much the level rose."""

    onset_s: float
    peak_s: float
    rise: float


def refusal(unit: str) -> str | None:
    """Why perspiration can't be measured in values of that unit; None: it can."""
    if unit == "celsius":
        return None
    return (
        f"Perspiration is not measured: it needs temperatures, and this recording has values in '{unit}', which the "
        "camera scales as the scene changes, while pores are a few tenths of a degree colder. Record radiometric "
        "video, or name the unit of its values (unit=centi_kelvin, ...)."
    )


def elements(size: int = ELEMENT_PX) -> tuple[Bool[np.ndarray, "size size"], Bool[np.ndarray, "size size"]]:
    """Ring and disc of that diameter in pixels."""
    if size < 3 or size % 2 == 0:
        raise ConfigError(f"The element's size is {size}; it should be odd and at least 3.")
    half = size // 2
    y, x = np.mgrid[-half : half + 1, -half : half + 1]
    distance = np.hypot(x, y)
    disc = distance <= half + 0.5
    return disc & (distance > half - 0.5), disc


def pore_energy(
    patch: Float[np.ndarray, "height width"], inside: Bool[np.ndarray, "height width"], size: int = ELEMENT_PX
) -> float:
    """Mean squared depth of the cold spots of a region, by elements of `size` pixels, half of one as margin.

    Returns:
        In square kelvins; NaN where a part of the patch is missing.
    """
    if not np.isfinite(patch).all():
        return float("nan")
    ring, disc = elements(size)
    # The closing from outside: what the neighbourhood's ring has at least, spread over the disc.
    closed = grey_dilation(grey_erosion(patch, footprint=ring), footprint=disc)
    depth = np.maximum(patch, closed) - patch
    return float((depth[inside] ** 2).mean())


class Perspiration(NamedTuple):
    """Perspiration over a recording, one value a second."""

    time_s: Float[np.ndarray, " second"]  # middles of the seconds
    # Depth of the cold spots beyond that at rest, in kelvins, smoothed over about three seconds; NaN where nothing was
    # seen
    level: Float[np.ndarray, " second"]
    energy: Float[np.ndarray, " second"]  # logarithm of the published measure over that at rest
    events: list[SweatEvent]  # rises of the level, in the order of time; none if it can't be told from noise and motion
    quality: float  # 0 to 1, as of `spots.Spots`


def perspiration(
    time_s: Float[np.ndarray, " second"],
    patches: Patches,
    weight: Float[np.ndarray, " second"],
    inside: Bool[np.ndarray, "height width"],
    shapes: Float[np.ndarray, "second coordinate"],
    *,
    element_px: int = ELEMENT_PX,
    baseline_s: tuple[float, float] | None = None,
) -> Perspiration:
    """Perspiration from the mean patch of each second.

    `shapes` are the face's landmarks relative to its own axes and size, `baseline_s` start and end of a time of rest.
    None: the driest tenth of the recording is rest.

    Raises:
        ConfigError: If nothing was measured in the time of rest.
    """
    found = np.full(len(time_s), np.nan)
    for second in np.flatnonzero(weight > 0).tolist():
        found[second] = pore_energy(patches[second : second + 1][0], inside, element_px)
    seen = np.isfinite(found)
    level, energy = np.full((2, len(time_s)), np.nan)
    quality = 0.0
    if seen.any():
        energy[seen] = np.log(np.maximum(found[seen], max(_LEAST_SHARE * np.median(found[seen]), 1e-12)))
        level[seen], quality = depth_of_spots(patches, np.flatnonzero(seen), weight[seen], inside, shapes[seen])
    events = _events(time_s, level) if quality >= LEAST_QUALITY else []
    there = np.isfinite(level)
    level = np.where(there, smooth(level, there.astype(float), _SMOOTH_S), np.nan)
    level, energy = (values - _at_rest(time_s, values, baseline_s) for values in (level, energy))
    return Perspiration(time_s, level, energy, events, quality)


def _at_rest(
    time_s: Float[np.ndarray, " second"], level: Float[np.ndarray, " second"], baseline_s: tuple[float, float] | None
) -> float:
    if baseline_s is None:
        return float(np.nanquantile(level, _RESTING)) if np.isfinite(level).any() else 0.0
    resting = (time_s >= baseline_s[0]) & (time_s < baseline_s[1]) & np.isfinite(level)
    if not resting.any():
        raise ConfigError(
            f"baseline_s={list(baseline_s)}: no perspiration was measured then. The recording lasts from "
            f"{time_s[0] - 0.5:.1f} to {time_s[-1] + 0.5:.1f} s."
        )
    return float(level[resting].mean())


def _events(time_s: Float[np.ndarray, " second"], level: Float[np.ndarray, " second"]) -> list[SweatEvent]:
    there = np.isfinite(level)
    if there.sum() < 4:
        return []
    seen_s, seen = time_s[there], level[there]
    smoothed = gaussian_filter1d(seen, _SMOOTH_S, mode="mirror")  # the first and last value count once
    noise = 1.4826 * float(np.median(np.abs(seen - smoothed)))
    rise = max(_LEAST_RISE * float(np.ptp(smoothed)), _TIMES_NOISE * noise)
    if rise <= 0:
        return []
    # What rises until the recording ends is a rise as well.
    peaks = find_peaks(np.append(smoothed, smoothed.min()), prominence=rise, distance=3)[0]
    events = []
    for before, peak in pairwise([0, *peaks]):
        start = before + int(np.argmin(smoothed[before : peak + 1]))
        height = smoothed[peak] - smoothed[start]
        # A line through a quarter and a half of the rise: what trembles at rest does not begin it.
        quarter, half = (_last_below(smoothed[start : peak + 1], smoothed[start] + q * height) for q in (0.25, 0.5))
        onset = start + max(0.0, 2 * quarter - half)
        onset_s = float(np.interp(onset, np.arange(len(seen_s)), seen_s))
        events.append(SweatEvent(onset_s, float(seen_s[peak]), float(height)))
    return events


def _last_below(values: Float[np.ndarray, " second"], limit: float) -> float:
    """Where a rise passes a limit for the last time, in samples and parts of them."""
    at = int(np.flatnonzero(values <= limit)[-1])
    if at + 1 == len(values):
        return float(at)
    return at + float((limit - values[at]) / (values[at + 1] - values[at]))
