"""Less noise where a face keeps still: each pixel as the mean of the last frames, as cameras do it themselves.

A pixel that changes by more than the noise (a lid, a breath, an edge that moves) stays as it is, so nothing lags.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
from jaxtyping import Float

from thermal_landmarks.data.annotation import ThermalImage

FRAMES = 2
"""Earlier frames of which the mean is taken, at most."""

_AROUND = 0.35  # of a face's size on each side, that the network sees as well
_NOISE = 3.0  # standard deviations by which noise may change a pixel
_GRID = 4  # pixels from one to the next of those that tell the noise


class Steadying:
    """Keeps the last frames of a video."""

    def __init__(self) -> None:
        self._before: deque[np.ndarray] = deque(maxlen=FRAMES)

    def keep(self, image: ThermalImage) -> None:
        """Take in a frame without steadying it."""
        if self._before and self._before[0].shape != image.values.shape:
            self._before.clear()
        self._before.appendleft(image.values)

    def forget(self) -> None:
        """What comes next has nothing to do with what came before."""
        self._before.clear()

    def __call__(self, image: ThermalImage, faces: Sequence[tuple[Float[np.ndarray, "4"], int]]) -> ThermalImage:
        """The frame with less noise around faces: the box of each, and for how many frames it has been still."""
        before = list(self._before)
        self.keep(image)
        if not before or not any(still for _, still in faces):
            return image
        values = image.values.copy()
        for box, still in faces:
            part = _part(box, image.values.shape)
            earlier = [frame[part] for frame in before[:still] if frame.shape == image.values.shape]
            if earlier and values[part].size:
                values[part] = _steadied(image.values[part], earlier)
        return replace(image, values=values)


def _steadied(
    now: Float[np.ndarray, "height width"], earlier: Sequence[Float[np.ndarray, "height width"]]
) -> Float[np.ndarray, "height width"]:
    frames = [now, *earlier]
    # A face that turns all at once changes most pixels, and would pass for noise in the first pair alone.
    noise = min(_noise(after, before) for after, before in pairwise(frames))
    total = np.zeros_like(now)
    for frame in earlier:
        change = frame - now
        change -= np.median(change[::_GRID, ::_GRID])  # of the whole picture: a camera's drift
        total += np.where(np.abs(change) <= _NOISE * noise, change, 0)
    steadied: np.ndarray = now + total / (len(earlier) + 1)
    return steadied


def _noise(now: Float[np.ndarray, "height width"], before: Float[np.ndarray, "height width"]) -> float:
    """Standard deviation of the change of a pixel that shows the same."""
    change = now[::_GRID, ::_GRID] - before[::_GRID, ::_GRID]
    return 1.4826 * float(np.median(np.abs(change - np.median(change))))


def _part(box_px: Float[np.ndarray, "4"], shape: tuple[int, ...]) -> tuple[slice, slice]:
    around = _AROUND * (box_px[2:] - box_px[:2])
    x0, y0 = (max(0, int(end)) for end in box_px[:2] - around)
    x1, y1 = (max(0, int(end) + 1) for end in box_px[2:] + around)
    return slice(y0, min(y1, shape[0])), slice(x0, min(x1, shape[1]))
