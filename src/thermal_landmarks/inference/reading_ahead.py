"""Image files read beside the network: the next ones while it works, as many as their memory allows."""

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from thermal_landmarks.data.annotation import ThermalImage
from thermal_landmarks.data.formats.limits import estimated_bytes
from thermal_landmarks.errors import ConfigError, DataError

READERS = min(8, os.cpu_count() or 1)
_BUDGET_BYTES = 512 * 2**20
_BATCHES_AHEAD = 2


class _Reading(NamedTuple):
    path: Path
    bytes: int
    image: Future[ThermalImage | str]


def read_ahead(
    files: Sequence[Path],
    read: Callable[[Path], ThermalImage],
    *,
    batch_size: int,
    budget_bytes: int = _BUDGET_BYTES,
    debug: bool = False,
) -> Iterator[list[tuple[Path, ThermalImage | str]]]:
    """Batches of files in order, each with its image, or with the reason why there is none.

    Images that are read or wait take `budget_bytes` together; a larger one is read alone. Large images make batches
    smaller.

    Args:
        files: The files.
        read: Reads one.
        batch_size: Files in a batch, at most.
        budget_bytes: Memory, as `estimated_bytes` tells it.
        debug: Whether errors that are none of the file's are raised.
    """

    def attempt(path: Path) -> ThermalImage | str:
        try:
            return read(path)
        except Exception as error:
            return reason_of(error, path, debug=debug)

    waiting = deque(files)
    pending: deque[_Reading] = deque()
    handed_out = 0
    with ThreadPoolExecutor(READERS) as pool:

        def fill() -> None:
            while waiting and len(pending) < max(_BATCHES_AHEAD * batch_size, READERS + 1):
                needed = estimated_bytes(waiting[0])
                taken = handed_out + sum(reading.bytes for reading in pending)
                if taken and taken + needed > budget_bytes:
                    return
                path = waiting.popleft()
                pending.append(_Reading(path, needed, pool.submit(attempt, path)))

        try:
            fill()
            while pending:
                batch: list[tuple[Path, ThermalImage | str]] = []
                handed_out = 0
                while pending and len(batch) < batch_size:
                    if batch and handed_out + pending[0].bytes > budget_bytes // 2:
                        break
                    path, size, image = pending.popleft()
                    handed_out += size
                    batch.append((path, image.result()))
                    fill()
                yield batch
                handed_out = 0
                fill()
        finally:
            pool.shutdown(cancel_futures=True)


def reason_of(error: Exception, path: Path, *, debug: bool) -> str:
    """Why a file has no prediction, in a sentence that names it.

    Args:
        error: What was raised on it.
        path: The file.
        debug: Whether an error that is none of the file's (no `DataError`) is raised instead.

    Raises:
        ConfigError: Always where it was raised: a wrong setting concerns all files.
    """
    if isinstance(error, DataError):
        reason = str(error).removeprefix("image 0: ").removeprefix("image: ")
        return reason if reason.startswith(str(path)) else f"{path}: {reason}"
    if debug or isinstance(error, ConfigError):
        raise error
    return (
        f"{path}: {type(error).__name__}: {error} (an error of the program on this file; debug=true shows where, so "
        "that it can be reported)."
    )
