"""Ctrl-C and SIGTERM (a cluster's way to say stop) as wishes that a training grants in good order."""

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
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
def stop_requests(going_on: Callable[[], str] | None = None) -> Iterator[StopRequest]:
    """Answer Ctrl-C and SIGTERM by a `StopRequest`; afterwards whoever answered them before does so again.

    `going_on` says what was kept and how to go on, for the message of `Interrupted`.
    """
    request = StopRequest()
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    request.take()
    try:
        yield request
    except (Interrupted, KeyboardInterrupt) as stop:
        if going_on is None:
            raise
        number = stop.signal_number if isinstance(stop, Interrupted) else signal.SIGINT
        told = isinstance(stop.__cause__, Interrupted)  # by whoever was inside, in words that don't hold here
        where = f" {stop}" if str(stop) and not told else ""
        raise Interrupted(f"Stopped by {signal.Signals(number).name}{where}. {going_on()}", number) from stop
    finally:
        if threading.current_thread() is threading.main_thread():
            for number, handler in before.items():
                signal.signal(number, handler)
