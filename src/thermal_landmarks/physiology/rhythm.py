"""The rhythm in a signal with gaps: its frequency over time, how much of the signal it is, and its phase.

Frequency over time is the best way through the power in short windows (Viterbi 1967), so that one disturbed window does
not decide for itself. The phase is that of a narrow band around this way: it counts breaths and parts of breaths, also
where single peaks drown in noise. Everything weighs what is there (normalised convolution), so that no value is made up
for a gap.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.ndimage import gaussian_filter1d

SEARCHED_HZ = 0.08 * np.exp(np.arange(0, np.log(0.75 / 0.08), 0.04))
HALF_POWER = float(np.sqrt(np.log(2)) / (2 * np.pi))  # sigma in s of a Gaussian, times its cut-off in Hz
_WINDOW_S = 5.0  # standard deviation of a window in which power is measured
_EVERY_S = 1.0
_OVERTONE = 0.5
_CHANGE_COST = 1.0  # of an e-fold change of frequency in a second, in shares of the power
_LEAST_RATE_HZ = 5.0  # enough samples a second for breaths
_NARROW = 0.7  # width of the band for the phase, relative to the frequency
_SLOWEST_HZ = 0.06
_NEARLY_ALL = 0.95  # of the times between frames, that a slot of the grid spans
_LONGEST_STEP_S = 0.15


class Rhythm(NamedTuple):
    """A rhythm, one value a sample."""

    hz: Float[np.ndarray, " sample"]  # its frequency
    share: Float[np.ndarray, " sample"]  # how much of the signal around there it is, its overtone included; 0 to 1
    phase: Float[np.ndarray, " sample"]  # in cycles, rising


class Grid:
    """Regular times for the frames of a video, also of one whose rate varies: nearly each slot has a frame or more.

    Attributes:
        step_s: Between two slots.
        slots: That of each frame.
        time_s: Of each slot.
    """

    def __init__(self, time_s: Float[np.ndarray, " frame"]) -> None:
        steps = np.diff(time_s) if len(time_s) > 1 else np.ones(1)
        longest = min(float(np.quantile(steps, _NEARLY_ALL)), _LONGEST_STEP_S)
        self.step_s = max(float(np.median(steps)), longest)
        self.slots = np.rint((time_s - time_s[0]) / self.step_s).astype(int)
        self.time_s = time_s[0] + self.step_s * np.arange(self.slots[-1] + 1)

    def means(self, values: Float[np.ndarray, "frame *others"]) -> Float[np.ndarray, "slot *others"]:
        """What each slot has on average; NaN where it has nothing."""
        known = np.isfinite(values)
        total, number = np.zeros((2, len(self.time_s), *values.shape[1:]))
        np.add.at(total, self.slots, np.where(known, values, 0.0))
        np.add.at(number, self.slots, known)
        return np.divide(total, number, out=np.full(total.shape, np.nan), where=number > 0)


def smooth(
    values: Float[np.ndarray, "sample *others"], weight: Float[np.ndarray, " sample"], sigma: float
) -> Float[np.ndarray, "sample *others"]:
    """Gaussian mean along the samples of what has weight; 0 where there is nothing near."""
    spread = weight.reshape(-1, *[1] * (values.ndim - 1))
    total = gaussian_filter1d(np.where(spread > 0, values, 0.0) * spread, sigma, axis=0, mode="constant")
    return total / np.maximum(gaussian_filter1d(spread.astype(float), sigma, axis=0, mode="constant"), 1e-3)


def without_drift(
    values: Float[np.ndarray, "sample *others"], weight: Float[np.ndarray, " sample"], between_s: float
) -> Float[np.ndarray, "sample *others"]:
    """The values without what is slower than any breath; 0 where there is no weight."""
    level = values - smooth(values, weight, HALF_POWER / _SLOWEST_HZ / between_s)
    return np.where(weight.reshape(-1, *[1] * (values.ndim - 1)) > 0, level, 0.0)


def thinned(
    values: Float[np.ndarray, "sample *others"], weight: Float[np.ndarray, " sample"], between_s: float
) -> tuple[Float[np.ndarray, "fewer *others"], Float[np.ndarray, " fewer"], int]:
    """As few samples as breaths need, each the mean of those around it, their weights, and every which it is."""
    step = max(1, int(1 / between_s / _LEAST_RATE_HZ))
    if step == 1:
        return values, weight, 1
    return smooth(values, weight, step / 2)[::step], gaussian_filter1d(weight, step / 2, mode="constant")[::step], step


def rhythm(values: Float[np.ndarray, " sample"], weight: Float[np.ndarray, " sample"], between_s: float) -> Rhythm:
    """The strongest rhythm between 5 and 45 a minute in values at regular times, each believed as its weight says."""
    few, few_weight, step = thinned(values, weight, between_s)
    hz, share = _way(without_drift(few, few_weight, step * between_s), few_weight, step * between_s)
    at, few_at = np.arange(len(values)), step * np.arange(len(few))
    hz, share = np.interp(at, few_at, hz), np.interp(at, few_at, share)
    turning = 2 * np.pi * between_s * np.cumsum(hz)
    slow = without_drift(values, weight, between_s) * np.exp(-1j * turning)
    sigma = 2 * HALF_POWER / (_NARROW * float(np.median(hz))) / between_s
    around = smooth(slow.real, weight, sigma) + 1j * smooth(slow.imag, weight, sigma)
    return Rhythm(hz, share, (turning + np.unwrap(np.angle(around))) / (2 * np.pi))


def _way(
    level: Float[np.ndarray, " sample"], weight: Float[np.ndarray, " sample"], between_s: float
) -> tuple[Float[np.ndarray, " sample"], Float[np.ndarray, " sample"]]:
    """The best way through the spectrum over time, and the share of the power along it."""
    every = max(1, round(_EVERY_S / between_s))
    sigma = _WINDOW_S / between_s
    at_s = between_s * np.arange(len(level))
    mass = np.maximum(gaussian_filter1d(weight, sigma, mode="constant"), 1e-6)
    total = np.maximum(gaussian_filter1d(weight * level**2, sigma, mode="constant") / mass, 1e-12)

    def line(hz: float) -> Float[np.ndarray, " window"]:
        turned = weight * level * np.exp(-2j * np.pi * hz * at_s)
        real, imaginary = (gaussian_filter1d(part, sigma, mode="constant") for part in (turned.real, turned.imag))
        return (2 * (real**2 + imaginary**2) / mass**2 / total)[::every]

    power = np.stack([line(hz) for hz in SEARCHED_HZ], axis=1)
    overtone = np.stack([line(2 * hz) for hz in SEARCHED_HZ], axis=1)
    share = np.minimum(power + _OVERTONE * np.minimum(power, overtone), 1.0)
    cost = _CHANGE_COST * np.abs(np.log(SEARCHED_HZ[:, None] / SEARCHED_HZ))
    best, came_from = share[0], []
    for row in share[1:]:
        ways = best - cost
        came_from.append(ways.argmax(axis=1))
        best = ways.max(axis=1) + row
    way = [int(best.argmax())]
    for origin in reversed(came_from):
        way.append(int(origin[way[-1]]))
    way.reverse()
    hz = gaussian_filter1d(SEARCHED_HZ[way], 3.0 / _EVERY_S, mode="nearest")
    where = every * np.arange(len(way))
    along = share[np.arange(len(way)), way]
    return np.interp(np.arange(len(level)), where, hz), np.interp(np.arange(len(level)), where, along)
