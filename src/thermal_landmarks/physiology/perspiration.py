"""Perspiration at the upper lip: pores that open are cold spots, and a morphological closing finds them.

The measure is that of Tsiamyrtzis and others: with a ring of 9 x 9 pixels and a disc of as many, CBO =
dilate(erode(I, ring), disc), O = max(I, CBO) - I, E = mean of O^2 over the region, in square kelvins. Averaged over
each second, its logarithm is related to a resting baseline.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float
from scipy.ndimage import gaussian_filter1d, grey_dilation, grey_erosion
from scipy.signal import find_peaks

from thermal_landmarks.errors import ConfigError

ELEMENT_PX = 9
_LEAST_SHARE = 0.05  # of the usual energy; less is none
_RESTING = 0.1  # quantile that is taken as rest
_LEAST_RISE = 0.1
_TIMES_NOISE = 4.0
_ONSET_SHARE = 0.1
_SMOOTH_S = 1.0


class SweatEvent(NamedTuple):
    """One rise of the perspiration: its onset, its peak, and by how much the logarithm rose."""

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
    """Mean squared depth of the cold spots of a region.

    Args:
        patch: Temperatures, with a margin of half an element around the region.
        inside: Which pixels belong to the region.
        size: Diameter of the elements in pixels.

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
    """Perspiration over a recording, one value a second.

    Attributes:
        time_s: Middles of the seconds.
        level: Logarithm of the energy over that at rest; NaN where nothing was seen, everywhere if no pore shows.
        events: Rises, in the order of time.
    """

    time_s: Float[np.ndarray, " second"]
    level: Float[np.ndarray, " second"]
    events: list[SweatEvent]


def perspiration(
    time_s: Float[np.ndarray, " frame"],
    energy: Float[np.ndarray, " frame"],
    *,
    baseline_s: tuple[float, float] | None = None,
) -> Perspiration:
    """Perspiration from the energy of the pores.

    Args:
        time_s: Of the frames.
        energy: Of `pore_energy`; NaN where it isn't known.
        baseline_s: Start and end of a time of rest. None: the driest tenth of the recording is rest.
    """
    seconds = np.floor(time_s - time_s[0]).astype(int)
    there = np.isfinite(energy)
    counts = np.bincount(seconds[there], minlength=seconds[-1] + 1)
    sums = np.bincount(seconds[there], weights=energy[there], minlength=seconds[-1] + 1)
    mean = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
    # Before the logarithm: in single frames the energy of a few pixels is 0 as often as not.
    usual = np.nanmedian(mean) if there.any() else 0.0
    level = np.log(np.maximum(mean, _LEAST_SHARE * usual)) if usual > 0 else np.full(len(mean), np.nan)
    middles = time_s[0] + np.arange(len(level)) + 0.5
    if np.isfinite(level).any():
        if baseline_s is None:
            rest = np.nanquantile(level, _RESTING)
        else:
            resting = (middles >= baseline_s[0]) & (middles < baseline_s[1]) & np.isfinite(level)
            if not resting.any():
                raise ConfigError(
                    f"baseline_s={list(baseline_s)}: no perspiration was measured then. The recording lasts from "
                    f"{time_s[0]:.1f} to {time_s[-1]:.1f} s."
                )
            rest = level[resting].mean()
        level = level - rest
    return Perspiration(middles, level, _events(middles, level))


def _events(time_s: Float[np.ndarray, " second"], level: Float[np.ndarray, " second"]) -> list[SweatEvent]:
    there = np.isfinite(level)
    if there.sum() < 4:
        return []
    seen_s, seen = time_s[there], level[there]
    smooth = gaussian_filter1d(seen, _SMOOTH_S, mode="nearest")
    noise = 1.4826 * float(np.median(np.abs(seen - smooth)))
    rise = max(_LEAST_RISE, _TIMES_NOISE * noise)
    # What rises until the recording ends is a rise as well.
    peaks = find_peaks(np.append(smooth, smooth.min()), prominence=rise, distance=3)[0]
    events = []
    for before, peak in pairwise([0, *peaks]):
        start = before + int(np.argmin(smooth[before : peak + 1]))
        height = smooth[peak] - smooth[start]
        above = start + np.flatnonzero(smooth[start : peak + 1] > smooth[start] + _ONSET_SHARE * height)
        events.append(SweatEvent(float(seen_s[above[0]]), float(seen_s[peak]), float(height)))
    return events
