"""Images that are predicted side by side while the next ones are read, in order."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, TypeVar

from thermal_landmarks.data.annotation import ThermalImage

T = TypeVar("T")
_Seen = tuple[Path, ThermalImage | str]


class Failure(NamedTuple):
    """A file without a prediction."""

    path: Path
    reason: str


def predict_ahead(
    batches: Iterable[Sequence[_Seen]],
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

    def attempt(seen: Sequence[_Seen]) -> list[T | Failure]:
        images = [(path, image) for path, image in seen if isinstance(image, ThermalImage)]
        results = iter(predict(images) if images else ())
        return [Failure(path, image) if isinstance(image, str) else next(results) for path, image in seen]

    pending: deque[tuple[Sequence[_Seen], Future[list[T | Failure]]]] = deque()

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
