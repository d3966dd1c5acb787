"""Frames of a camera for a caller that is slower than it."""

import threading
from collections.abc import Iterator

import numpy as np
import pytest

from thermal_landmarks.data.annotation import ThermalImage
from thermal_landmarks.data.video import VideoFrame, latest_frames
from thermal_landmarks.errors import DataError

IMAGE = ThermalImage(np.zeros((2, 2), np.float32), "celsius")


class Camera:
    """Gives one frame after the other, up to one that it waits at until it is told to go on."""

    def __init__(self, waits_at: list[int], frames: int, error: Exception | None = None) -> None:
        self.given = 0
        self.waiting = threading.Semaphore(0)
        self.go_on = threading.Semaphore(0)
        self._waits_at, self._frames, self._error = waits_at, frames, error

    def __iter__(self) -> Iterator[VideoFrame]:
        for index in range(self._frames):
            if index in self._waits_at:
                self.waiting.release()
                assert self.go_on.acquire(timeout=10)
            yield VideoFrame(index, index / 10, IMAGE)
            self.given = index + 1
        if self._error is not None:
            raise self._error


def test_a_slow_caller_gets_the_newest_frame_and_how_many_were_left() -> None:
    camera = Camera([1, 6], 7)
    frames = latest_frames(camera)
    first = next(frames)
    assert (first.index, first.passed) == (0, 0)
    camera.go_on.release()  # frames 1 to 5 come while the caller is busy
    assert camera.waiting.acquire(timeout=10)
    assert camera.waiting.acquire(timeout=10)
    second = next(frames)
    assert (second.index, second.passed, second.time_s) == (5, 4, 0.5)
    camera.go_on.release()
    assert [(frame.index, frame.passed) for frame in frames] == [(6, 0)]


def test_what_ends_a_camera_is_raised_after_its_last_frame() -> None:
    taken: list[VideoFrame] = []
    with pytest.raises(DataError, match="cable"):
        taken.extend(latest_frames(Camera([], 3, DataError("the cable was pulled"))))
    assert taken[-1].index == 2


def test_a_caller_who_stops_ends_the_reading() -> None:
    camera = Camera([1], 1000)
    frames = latest_frames(camera)
    next(frames)
    camera.go_on.release()
    frames.close()  # type: ignore[attr-defined]
    assert camera.given < 1000
    assert not any(thread.name == "latest frame" for thread in threading.enumerate())
