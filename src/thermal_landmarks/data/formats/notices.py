"""What was assumed about a file, said once for all files of its folder."""

import logging
from pathlib import Path

_log = logging.getLogger(__name__)
_said: set[tuple[Path, str]] = set()


def say_once(path: Path, notice: str) -> None:
    """Log a warning about a file, unless the same was said of another file of its folder in this process."""
    if _is_new(path.parent, notice):
        _log.warning("%s: %s (said once for this folder)", path, notice)


def _is_new(folder: Path, notice: str) -> bool:
    new = (folder, notice) not in _said
    _said.add((folder, notice))
    return new
