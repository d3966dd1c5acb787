"""How many threads the network gets: as many as are fastest beside all else that this machine does now.

More threads than free cores make a network many times slower, not just no faster: each step waits for the slowest of
them. So the first batches are timed with 1, 2, 4, ... threads, until more are no faster.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

import torch

_BATCHES_EACH = 2
_FASTER = 0.9


class MeasuredThreads:
    """Sets the number of PyTorch's threads while it is entered, by the time that the batches take.

    Args:
        device: Where the network runs; threads matter on a processor alone.
        most: Threads to try; None: as many as PyTorch has.
    """

    def __init__(self, device: torch.device, *, most: int | None = None) -> None:
        self._before = torch.get_num_threads()
        most = most or self._before
        self._untried = [2**i for i in range(most.bit_length()) if 2**i < most] + [most]
        self._on = device.type == "cpu"
        self._best = self._untried.pop(0)
        self._current = self._best
        self._best_seconds = float("inf")
        self._seconds: list[float] = []
        self._warm = False

    @contextmanager
    def batch(self, images: int) -> Iterator[None]:
        """Times what the network does with one batch; the first one only warms it up."""
        start = time.perf_counter()
        yield
        seconds = (time.perf_counter() - start) / max(images, 1)
        if self._on and images and self._seconds_wanted:
            if self._warm:
                self._seconds.append(seconds)
            self._warm = True
            if len(self._seconds) == _BATCHES_EACH:
                self._judge(min(self._seconds))

    @property
    def _seconds_wanted(self) -> bool:
        return bool(self._untried) or self._current != self._best

    def _judge(self, seconds: float) -> None:
        faster = seconds < _FASTER * self._best_seconds
        if faster:
            self._best, self._best_seconds = self._current, seconds
        self._current = self._untried.pop(0) if faster and self._untried else self._best
        if not faster:
            self._untried = []
        self._seconds = []
        torch.set_num_threads(self._current)

    def __enter__(self) -> Self:
        if self._on:
            torch.set_num_threads(self._current)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        torch.set_num_threads(self._before)
