"""Image files read and predicted ahead, in order: the next ones are read while others are predicted side by side.

As many are read as their memory allows.
"""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, TypeVar

from thermal_landmarks.data.annotation import ThermalImage
from thermal_landmarks.data.formats.limits import estimated_bytes
from thermal_landmarks.errors import ConfigError, DataError

READERS = min(8, os.cpu_count() or 1)
_BUDGET_BYTES = 512 * 2**20
_BATCHES_AHEAD = 2


T = TypeVar("T")
Seen = tuple[Path, ThermalImage | str]
"""A file with its image, or with the reason why there is none."""


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
) -> Iterator[list[Seen]]:
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
                batch: list[Seen] = []
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


class Failure(NamedTuple):
    """A file without a prediction."""

    path: Path
    reason: str


def predict_ahead(
    batches: Iterable[Sequence[Seen]],
    predict: Callable[[Sequence[tuple[Path, ThermalImage]]], Sequence[T | Failure]],
    done: Callable[[int], None],
    *,
    batch_size: int,
    workers: int = 1,
    together: int = 1,
) -> Iterator[tuple[Path, ThermalImage | str, T | Failure]]:
    """The prediction of each image in order, while those of the next ones are made.

    Args:
        batches: Files, each with its image, or with the reason why there is none.
        predict: Some images' predictions, or why there is none.
        done: Told how many files are done, each time.
        batch_size: Of batches that aren't small because their images are large.
        workers: Threads that predict.
        together: Images that `predict` gets at a time.
    """

    def attempt(seen: Sequence[Seen]) -> list[T | Failure]:
        images = [(path, image) for path, image in seen if isinstance(image, ThermalImage)]
        results = iter(predict(images) if images else ())
        return [Failure(path, image) if isinstance(image, str) else next(results) for path, image in seen]

    pending: deque[tuple[Sequence[Seen], Future[list[T | Failure]]]] = deque()

    def finished(leave: int) -> Iterator[tuple[Path, ThermalImage | str, T | Failure]]:
        while len(pending) > leave:
            seen, predictions = pending.popleft()
            for (path, image), prediction in zip(seen, predictions.result(), strict=True):
                yield path, image, prediction
                done(1)

    with ThreadPoolExecutor(workers) as pool:
        try:
            for batch in batches:
                parts = [batch[start : start + together] for start in range(0, len(batch), together)]
                pending.extend((part, pool.submit(attempt, part)) for part in parts)
                # Large images make small batches, the next of which is read when this one is done with.
                yield from finished(leave=workers if together == 1 and len(batch) == batch_size else 0)
            yield from finished(leave=0)
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
