"""What a camera does to a recording: flat-field corrections, lost frames. Each is marked, none is filled."""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float

_STRIDE = 4  # in pixels; a step of the whole frame is seen in every sixteenth pixel as well
_LEAST_STEP = {"celsius": 0.04, "gray": 1.0}
_TIMES_USUAL = 8.0  # median absolute step
_LATE = 1.5  # of the usual time between frames


@dataclass
class FrameSteps:
    """Collects by how much the whole frame has changed since the one before, frame by frame."""

    median: list[float] = field(default_factory=list)
    common: list[float] = field(default_factory=list)
    _last: Float[np.ndarray, "height width"] | None = None

    def add(self, values: Float[np.ndarray, "height width"]) -> None:
        """The next frame."""
        small = values[::_STRIDE, ::_STRIDE].astype(np.float64)
        step, common = 0.0, 0.0
        if self._last is not None and self._last.shape == small.shape:
            change = small - self._last
            low, step, high = np.quantile(change, (0.25, 0.5, 0.75))
            common = float(min(abs(low), abs(high))) if low * high > 0 else 0.0
        self.median.append(float(step))
        self.common.append(common)
        self._last = small

    def jumps(self, unit: str) -> Bool[np.ndarray, " frame"]:
        """Frames at which nearly all pixels stepped the same way at once, as after a flat-field correction.

        Args:
            unit: `celsius` or `gray`.
        """
        median, common = np.abs(self.median), np.array(self.common)
        usual = float(np.median(median)) if len(median) else 0.0
        least = max(_LEAST_STEP[unit], _TIMES_USUAL * usual)
        return (median > least) & (common > least / 2)


def late_frames(time_s: Float[np.ndarray, " frame"]) -> Bool[np.ndarray, " frame"]:
    """Frames before which at least one is missing, by the time since the one before."""
    late = np.zeros(len(time_s), dtype=bool)
    if len(time_s) > 2:
        between = np.diff(time_s)
        late[1:] = between > _LATE * np.median(between)
    return late
