"""The newest frame of a camera, for callers that must not fall behind it."""

import threading
from collections.abc import Iterable, Iterator
from dataclasses import replace

from thermal_landmarks.data.video.frame import VideoFrame


def latest_frames(frames: Iterable[VideoFrame]) -> Iterator[VideoFrame]:
    """Frames of a camera, stream or pipe, always the newest one: those that came while the last was looked at are left.

    They are read (and recorded) in a thread of their own, so that a caller who takes longer than the time between two
    frames sees fewer of them, but none late. The next one tells by `passed` how many were left before it.

    Of a file it would give a few: nothing but its end makes it wait.

    Raises:
        DataError: As reading does, after the last frame that came before it.
    """
    reader = _Reader(frames)
    reader.start()
    try:
        while (frame := reader.take()) is not None:
            yield frame
    finally:
        reader.stop()
    if reader.error is not None:
        raise reader.error


class _Reader(threading.Thread):
    """Keeps the newest frame."""

    def __init__(self, frames: Iterable[VideoFrame]) -> None:
        super().__init__(name="latest frame", daemon=True)
        self.error: BaseException | None = None
        self._frames = frames
        self._newest: VideoFrame | None = None
        self._over = False
        self._changed = threading.Condition()

    def run(self) -> None:
        try:
            for frame in self._frames:
                with self._changed:
                    if self._over:
                        return
                    passed = 0 if self._newest is None else self._newest.passed + 1
                    self._newest = replace(frame, passed=passed)
                    self._changed.notify()
        except BaseException as error:  # is raised where the frames are taken
            self.error = error
        finally:
            with self._changed:
                self._over = True
                self._changed.notify()

    def take(self) -> VideoFrame | None:
        """The newest frame that was not taken yet, once there is one; None after the last."""
        with self._changed:
            self._changed.wait_for(lambda: self._newest is not None or self._over)
            frame, self._newest = self._newest, None
            return frame

    def stop(self) -> None:
        """Read no more, once the frame has come that is waited for."""
        with self._changed:
            self._over = True
        self.join()
