"""What all work over many items shares: a bar that says how far it is, and processes that share it."""

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from thermal_landmarks.allocator import keep_freed_memory


@contextmanager
def counting(what: str, total: int, *, console: Console | None = None) -> Iterator[Callable[[int], None]]:
    """A bar in the terminal with the items done and the time left, which goes when the work ends.

    Args:
        what: `Reading images`.
        total: Number of items.
        console: Where other lines are printed meanwhile.

    Yields:
        To be called with the number of items that are done since the last call.
    """
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = console or Console()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=total)
        yield lambda done: progress.advance(task, done)


def processes(workers: int) -> ProcessPoolExecutor:
    """Processes that begin afresh: forked ones would inherit torch's threads and locks."""
    spawn = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(workers, mp_context=spawn, initializer=keep_freed_memory)
