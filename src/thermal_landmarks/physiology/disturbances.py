"""What disturbs a recording: flat-field corrections, lost frames, heads that move. Each is marked, none is filled."""

import numpy as np
from jaxtyping import Bool, Float
from scipy.ndimage import gaussian_filter1d, median_filter

_STRIDE = 4  # in pixels; a step of the whole frame is seen in every sixteenth pixel as well
_LEAST_STEP = {"celsius": 0.04, "gray": 1.0}
_TIMES_USUAL = 8.0  # median absolute step
_LATE = 1.5  # of the usual time between frames
_AROUND = 31  # frames that tell it: phones film slower where it is dark
_STEADY_S = 0.1  # over which places are averaged before their speed is taken
_EXPLAINED = 0.5  # of the change of the pixels, which is left at most where it is the camera's
_AT_ONCE = 4096  # frames
_MOVING = 0.25  # outer eye distances a second


class FrameSteps:
    """By how much the whole frame has changed since the one before."""

    def __init__(self) -> None:
        self.last: Float[np.ndarray, "height width"] | None = None  # some pixels of the last frame

    def step(self, values: Float[np.ndarray, "height width"]) -> tuple[float, float]:
        """The median change of the next frame's pixels, and the size that three quarters of them have in common."""
        small = values[::_STRIDE, ::_STRIDE].astype(np.float64)
        step, common = 0.0, 0.0
        if self.last is not None and self.last.shape == small.shape:
            change = small - self.last
            low, step, high = np.quantile(change, (0.25, 0.5, 0.75))
            common = float(min(abs(low), abs(high))) if low * high > 0 else 0.0
        self.last = small
        return float(step), common


class SteadyGain:
    """Takes the steps of a camera's automatic gain out of gray values: each frame in terms of the first one.

    From frame to frame most of a picture stays what it is, so what its pixels have in common, a factor and an offset,
    is the camera's. A camera that keeps its gain gives what it gave: changes that this explains no better are left.
    """

    def __init__(self) -> None:
        self.last: Float[np.ndarray, "height width"] | None = None  # some pixels of the last frame, as it came
        self.factor, self.offset = 1.0, 0.0

    def __call__(self, values: Float[np.ndarray, "height width"]) -> Float[np.ndarray, "height width"]:
        """The next frame's values."""
        small = values[::_STRIDE, ::_STRIDE].astype(np.float64)
        if self.last is not None and self.last.shape == small.shape:
            factor, offset = _in_common(small, self.last)
            as_it_came, explained = (
                float(np.median(np.abs(self.last - now))) for now in (small, factor * small + offset)
            )
            if as_it_came > _LEAST_STEP["gray"] and explained < _EXPLAINED * as_it_came:
                self.factor, self.offset = self.factor * factor, self.factor * offset + self.offset
        self.last = small
        return values if (self.factor, self.offset) == (1.0, 0.0) else self.factor * values + self.offset


def _in_common(
    now: Float[np.ndarray, "height width"], before: Float[np.ndarray, "height width"]
) -> tuple[float, float]:
    """Factor and offset that make a frame the one before, by the pixels that change with most."""
    (low, high), (low_before, high_before) = (np.quantile(each, (0.1, 0.9)) for each in (now, before))
    if high <= low or high_before <= low_before:
        return 1.0, 0.0
    factor = float((high_before - low_before) / (high - low))
    rest = before - factor * now
    beside = np.abs(rest - np.median(rest))
    with_most = beside <= max(3 * 1.4826 * float(np.median(beside)), 1e-9)
    # Both frames have the same noise: the ratio of their spreads is the factor, where a regression would be below it.
    spread, spread_before = float(now[with_most].std()), float(before[with_most].std())
    if spread > 0 and spread_before > 0:
        factor = spread_before / spread
    return factor, float(before[with_most].mean() - factor * now[with_most].mean())


def jumps(
    median: Float[np.ndarray, " frame"], common: Float[np.ndarray, " frame"], unit: str
) -> Bool[np.ndarray, " frame"]:
    """Frames at which nearly all pixels stepped the same way at once, as after a flat-field correction."""
    usual = float(np.median(np.abs(median))) if len(median) else 0.0
    least = max(_LEAST_STEP[unit], _TIMES_USUAL * usual)
    return (np.abs(median) > least) & (common > least / 2)


def late_frames(time_s: Float[np.ndarray, " frame"]) -> Bool[np.ndarray, " frame"]:
    """Frames before which at least one is missing, by the time since the one before and what is usual around there."""
    late = np.zeros(len(time_s), dtype=bool)
    if len(time_s) > 2:
        between = np.diff(time_s)
        late[1:] = between > _LATE * median_filter(between, _AROUND, mode="nearest")
    return late


def head_speed(
    time_s: Float[np.ndarray, " frame"], points_px: Float[np.ndarray, "frame landmark 2"], size_px: float
) -> Float[np.ndarray, " frame"]:
    """How fast the face moves, the mean of its landmarks, in outer eye distances a second; NaN beside gaps."""
    if len(time_s) < 2:
        return np.full(len(time_s), np.nan)
    sigma = max(_STEADY_S / float(np.median(np.diff(time_s))), 0.3)
    beside, speed = int(4 * sigma) + 3, np.empty(len(time_s))  # beyond it, the filter and the slope see nothing
    for start in range(0, len(time_s), _AT_ONCE):
        low, stop = max(0, start - beside), min(start + _AT_ONCE, len(time_s))
        around = slice(low, stop + beside)
        # A Gaussian of NaN is NaN: beside a gap no speed is known.
        places = gaussian_filter1d(points_px[around].astype(float), sigma, axis=0, mode="nearest")
        moves = np.linalg.norm(np.gradient(places, time_s[around], axis=0), axis=2).mean(axis=1)
        speed[start:stop] = moves[start - low : stop - low] / size_px
    return speed


def moving(speed: Float[np.ndarray, " frame"]) -> Bool[np.ndarray, " frame"]:
    """Frames in which the head moves quickly."""
    return np.nan_to_num(speed) > _MOVING
