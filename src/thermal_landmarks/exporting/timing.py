"""How long an exported file and its network take for one image: the table at the end of an export."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

RUNS = 7


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    name: str  # of the way
    size_bytes: int | None  # of the file; None: a checkpoint's network in PyTorch
    one_thread_ms: float  # CPU time of one image
    two_threads_ms: float  # clock time of one image


def timed(name: str, size_bytes: int | None, on_threads: Callable[[int], Callable[[], object]]) -> Row:
    """A line of the table.

    Args:
        name: Of the way.
        size_bytes: Of the file, if it is one.
        on_threads: From a number of threads to what is timed.
    """
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        one = _milliseconds(on_threads(1), time.process_time)
        torch.set_num_threads(2)
        two = _milliseconds(on_threads(2), time.perf_counter)
    finally:
        torch.set_num_threads(before)
    return Row(name, size_bytes, one, two)


def _milliseconds(function: Callable[[], object], clock: Callable[[], float]) -> float:
    """The quickest of several calls."""
    function()
    taken = []
    for _ in range(RUNS):
        started = clock()
        function()
        taken.append(clock() - started)
    return 1e3 * min(taken)
