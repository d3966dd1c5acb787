"""Ctrl-C and SIGTERM (a cluster's way to say stop) as wishes that a training grants in good order."""

import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from thermal_landmarks.errors import Interrupted

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopRequest:
    """Whether the process was asked to stop.

    While `patient`, the first signal is only noted, for the training to end where it can go on later; a second one, and
    any signal at another time, raises `Interrupted` at once.

    Attributes:
        patient: Set by a training while it runs.
        signal_number: Of the signal that was noted, or None.
    """

    def __init__(self) -> None:
        self.patient = False
        self.signal_number: int | None = None
        self._since = 0.0

    @property
    def seconds(self) -> float:
        """Time since the signal was noted."""
        return time.monotonic() - self._since if self.signal_number is not None else 0.0

    def take(self) -> None:
        """Let this object answer the signals from now on; Lightning takes SIGTERM for itself when a training starts."""
        if threading.current_thread() is threading.main_thread():  # Python hands signals to no other
            for number in _SIGNALS:
                signal.signal(number, self._answer)

    def _answer(self, number: int, frame: FrameType | None) -> None:
        del frame
        if self.patient and self.signal_number is None:
            self.signal_number, self._since = number, time.monotonic()
            print(f"{signal.Signals(number).name}: stopping after this step. Once more stops at once.", file=sys.stderr)
            return
        raise Interrupted("", number)


@contextmanager
def stop_requests() -> Iterator[StopRequest]:
    """Answer Ctrl-C and SIGTERM by a `StopRequest`; afterwards whoever answered them before does so again."""
    request = StopRequest()
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    request.take()
    try:
        yield request
    finally:
        if threading.current_thread() is threading.main_thread():
            for number, handler in before.items():
                signal.signal(number, handler)
