"""What all work over many items shares: a bar that says how far it is, and processes that share it."""

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)

from thermal_landmarks.allocator import keep_freed_memory


@contextmanager
def counting(
    what: str, total: int | None, *, before: int = 0, console: Console | None = None
) -> Iterator[Callable[[int], None]]:
    """A bar in the terminal with the items done, their rate and the time left, which goes when the work ends.

    Args:
        what: `Reading images`.
        total: Number of items; None: not known.
        before: Items that an earlier job has done.
        console: Where other lines are printed meanwhile.

    Yields:
        To be called with the number of items that are done since the last call.
    """
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), _RateColumn(), TimeRemainingColumn())
    console = console or Console()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=total, completed=before)
        yield lambda done: progress.advance(task, done)


class _RateColumn(ProgressColumn):
    """Items a second, of late."""

    def render(self, task: Task) -> str:
        return f"{task.speed:.3g}/s" if task.speed else ""


Job = TypeVar("Job")
Result = TypeVar("Result")


def in_chunks(
    what: str, function: Callable[[Job], Sequence[Result]], jobs: Sequence[Job], *, total: int, workers: int
) -> Iterator[Result]:
    """The results of jobs in their order, made by several processes (0: one a core) where that pays.

    A function does one job and gives a result for each of its items, of which all jobs together have `total`.
    """
    workers = workers or os.cpu_count() or 1
    with ExitStack() as stack:
        done = stack.enter_context(counting(what, total))
        alone = workers == 1 or len(jobs) <= 2
        over = map if alone else stack.enter_context(processes(workers)).map
        for results in over(function, jobs):
            done(len(results))
            yield from results


def processes(workers: int) -> ProcessPoolExecutor:
    """Processes that begin afresh: forked ones would inherit torch's threads and locks."""
    spawn = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(workers, mp_context=spawn, initializer=keep_freed_memory)
