"""The files of one cache: their place on the disk is reserved, one process fills them, each use begins with a check.

A memory-mapped file is sparse: without its blocks reserved, a full disk would end the process that writes into it by a
signal instead of an error. The checksum of a block is the CRC-32 of the sums of its pages: a sixth of the time of a CRC
of all bytes, and changed, exchanged and emptied pages are found all the same.
"""

import errno
import functools
import json
import logging
import os
import shutil
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout

from thermal_landmarks.errors import OutputError

_log = logging.getLogger(__name__)

_NOT_WRITABLE = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.EEXIST}
CHECKSUMS = "checksums.json"
_PAGE = 4096  # bytes
_BLOCK = 1024 * _PAGE
_PARTIAL = ".partial-"
_PATIENCE_S = 2.0  # before it is said that another process is waited for


def reserve(path: Path, shape: tuple[int, ...], dtype: type[np.unsignedinteger[Any]] = np.uint16) -> None:
    """Make a `.npy` file whose blocks all have their place on the disk.

    Raises:
        OutputError: If there is not enough space; says how much is missing.
    """
    free = shutil.disk_usage(path.parent).free
    needed = np.dtype(dtype).itemsize * int(np.prod(shape, dtype=object))
    if needed > free:
        raise _no_space(path, needed, free)
    np.lib.format.open_memmap(path, mode="w+", dtype=dtype, shape=shape).flush()
    if hasattr(os, "posix_fallocate"):  # not on Windows and macOS
        try:
            with path.open("r+b") as file:
                os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise _no_space(path, needed, min(free, shutil.disk_usage(path.parent).free)) from error
            if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL):  # file systems that can't reserve
                raise


def is_usable(folder: Path) -> bool:
    """Whether a cache is there and whole, by its checksums; a damaged one is told."""
    if not folder.is_dir():
        return False
    files = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in sorted(folder.iterdir())]
    return _is_whole(folder, tuple(files))


def see_to(folder: Path, fill: Callable[[Path], None]) -> None:
    """See to it that a cache is there and whole; else one process fills it for all.

    `fill` writes its files into a new folder, which takes the place of this one.

    Raises:
        OutputError: If it can't be written.
    """
    if not is_usable(folder):
        with only_one(folder):
            if not is_usable(folder):  # else another process has filled it meanwhile
                with filling(folder) as partial:
                    fill(partial)


@functools.lru_cache(maxsize=16)  # a process reads a cache once for its check, unless a file changes
def _is_whole(folder: Path, files: tuple[tuple[str, int, int], ...]) -> bool:
    finding = _damage(folder, {name for name, *_ in files})
    if finding:
        _log.warning("The cache %s is damaged (%s); it is made again.", folder, finding)
    return not finding


def _damage(folder: Path, names: set[str]) -> str:
    """What is wrong with a cache, or nothing."""
    try:
        sums = json.loads((folder / CHECKSUMS).read_text(encoding="utf-8"))
        if sums.keys() != names - {CHECKSUMS}:
            return "a file is missing or too many"
        for name, expected in sums.items():
            found = _checksums(folder / name)
            if found[0] != expected[0]:
                return f"{name} is truncated or too long"
            if found != expected:
                return f"{name} has changed bytes"
    except (OSError, ValueError, AttributeError) as error:
        return f"{CHECKSUMS} can't be read: {error}"
    return ""


def _checksums(path: Path) -> list[int]:
    """The size of a file, then a checksum of each block."""
    buffer = bytearray(_BLOCK)
    pages = np.frombuffer(buffer, np.uint64).reshape(-1, _PAGE // 8)
    sums = [path.stat().st_size]
    with path.open("rb") as file:
        while length := file.readinto(buffer):
            buffer[length:] = bytes(_BLOCK - length)
            sums.append(zlib.crc32(pages.sum(axis=1)))
    return sums


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Only one process at a time is in the body for a cache; what killed processes have left of any cache is removed.

    Raises:
        OutputError: If the folder of all caches can't be written.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        lock = _lock(folder.parent, folder.name)
        try:
            lock.acquire(timeout=_PATIENCE_S)
        except Timeout:
            _log.warning("Another process fills the cache %s; waiting for it.", folder)
            lock.acquire()
        try:
            _remove_leftovers(folder)
            yield
        finally:
            lock.release()
    except OSError as error:
        if error.errno not in _NOT_WRITABLE:
            raise
        raise OutputError(
            f"data.cache_dir={folder.parent}: can't be written ({error.strerror}). Free space, or set "
            "data.cache_dir to a folder that you may write to."
        ) from error


@contextmanager
def filling(folder: Path) -> Iterator[Path]:
    """A new folder to fill, which takes the place of `folder`, checksums included, if the body ends well."""
    partial = folder.with_name(f"{folder.name}{_PARTIAL}{os.getpid()}")
    partial.mkdir()
    try:
        yield partial
        sums = {path.name: _checksums(path) for path in sorted(partial.iterdir())}
        (partial / CHECKSUMS).write_text(json.dumps(sums), encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _remove_leftovers(folder: Path) -> None:
    """Remove partial folders that no living process holds the lock of; that of `folder` is held by this one."""
    for partial in folder.parent.glob(f"*{_PARTIAL}*"):
        name = partial.name.partition(_PARTIAL)[0]
        if name == folder.name:
            shutil.rmtree(partial, ignore_errors=True)
            continue
        with suppress(Timeout), _lock(folder.parent, name).acquire(timeout=0):
            shutil.rmtree(partial, ignore_errors=True)


def _lock(caches: Path, name: str) -> FileLock:
    return FileLock(caches / f".{name}.lock")


def _no_space(path: Path, needed: int, free: int) -> OutputError:
    return OutputError(
        f"data.cache_dir={path.parent.parent}: the decoded images need {_in_words(needed)}, but only "
        f"{_in_words(free)} are free: {_in_words(max(needed - free, 0))} are missing. Free space, or set "
        "data.cache_dir to a folder on another disk."
    )


def _in_words(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"
