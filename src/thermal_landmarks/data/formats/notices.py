"""What was assumed about a file, said once for all files of its folder."""

import logging
from functools import lru_cache
from pathlib import Path

_log = logging.getLogger(__name__)


def say_once(path: Path, notice: str) -> None:
    """Log a warning about a file, unless the same was said of another file of its folder in this process."""
    if _is_new(path.parent, notice):
        _log.warning("%s: %s (said once for this folder)", path, notice)


def _is_new(folder: Path, notice: str) -> bool:
    before = _remembered.cache_info().misses
    _remembered(folder, notice)
    return _remembered.cache_info().misses > before


@lru_cache(maxsize=1024)
def _remembered(folder: Path, notice: str) -> None:
    """Holds what was said; the cache is the memory."""
    del folder, notice
