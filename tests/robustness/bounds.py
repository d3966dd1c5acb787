"""What every broken file is held to: a named error or a result, within two seconds and a gigabyte."""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from thermal_landmarks.errors import UserError

SECONDS = 2.0
_BYTES = 10**9
_LONGEST_MESSAGE = 2000
_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def held_to_bounds(action: Callable[[], Any], name: str) -> tuple[Any, str]:
    """What an action gives, or the message of its error, which must contain `name`.

    Time is the process's own, so that a busy machine fails nothing; memory is the process's peak, decoders in C
    included, where the system tells it (Linux).

    Raises:
        AssertionError: If it took too long or too much, or its message doesn't name the file.
        Exception: Any error that is none for people to act on.
    """
    before = _memory(reset=True)
    start = time.process_time()
    result, message = None, ""
    try:
        result = action()
    except UserError as error:
        message = str(error)
        assert name in message, f"the message doesn't name {name}: {message}"
        assert len(message) < _LONGEST_MESSAGE, f"{len(message)} characters: {message[:200]}"
    seconds = time.process_time() - start
    assert seconds < SECONDS, f"{name}: {seconds:.1f} s"
    grown = _memory(peak=True) - before
    assert grown < _BYTES, f"{name}: {grown / 1e6:.0f} MB"
    return result, message


def _memory(*, peak: bool = False, reset: bool = False) -> int:
    if sys.platform != "linux":
        return 0
    if reset:
        _RESET.write_text("5")  # the peak counts from here
    entry = "VmHWM:" if peak else "VmRSS:"
    (line,) = (line for line in _STATUS.read_text().splitlines() if line.startswith(entry))
    return int(line.split()[1]) * 1024
