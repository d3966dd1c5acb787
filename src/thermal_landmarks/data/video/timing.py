"""Time stamps put in order: from the first frame on, rising, none missing."""

import math
from pathlib import Path

from thermal_landmarks.data.formats.notices import say_once

_USUAL_FPS = 30.0
_JUMP_S = 1.0  # a clock that goes back further was set again; smaller steps back are its grain


class Clock:
    """Called with the time stamp of each frame in turn, gives its seconds since the first; fps bridges gaps."""

    def __init__(self, path: Path, fps: float | None) -> None:
        self._path = path
        self._step_s = 1 / (fps or _USUAL_FPS)
        self._origin: float | None = None
        self._last: float | None = None
        self._frames = 0

    def __call__(self, stamp: float | None) -> float | None:
        """None as long as no frame had a stamp."""
        self._frames += 1
        if stamp is None or not math.isfinite(stamp):
            self._last = None if self._last is None else self._last + self._step_s
            return self._last
        if self._origin is None or self._last is None:
            self._last = (self._frames - 1) * self._step_s
            self._origin = stamp - self._last
            return self._last
        time_s = stamp - self._origin
        if time_s <= self._last:
            say_once(self._path, f"its time stamps don't rise at frame {self._frames - 1}; put right by its frame rate")
            if time_s < self._last - _JUMP_S:
                time_s = self._last + self._step_s
                self._origin = stamp - time_s
            else:
                time_s = self._last + self._step_s / 2
        self._last = time_s
        return time_s
