"""The rows of an array in a `.npy` file, each read when it is asked for.

Not memory-mapped: a process that looks at a mapped page of a file that another program has shortened meanwhile is ended
by the system (SIGBUS), without a line. Reading costs the same, and what is missing is an error.
"""

import os
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol, SupportsIndex

import numpy as np

from thermal_landmarks.errors import DataError


class Rows(Protocol):
    """Stored images, each read when it is asked for."""

    def __len__(self) -> int: ...

    def __getitem__(self, rows: SupportsIndex | Sequence[int] | np.ndarray) -> np.ndarray: ...


class RowsOnDisk:
    """Rows of an array in C order, read one by one; a file that is deleted stays readable as long as this lives.

    Attributes:
        shape: Of the rows together.
        dtype: Of a value.
    """

    def __init__(self, path: Path, rows: Sequence[int] | np.ndarray | None = None) -> None:
        mapped = np.load(path, mmap_mode="r", allow_pickle=False)
        if not mapped.flags.c_contiguous:
            raise DataError(f"{path}: its rows lie scattered (Fortran's order). Save numpy.ascontiguousarray(...).")
        self.path, self.dtype, self._offset = path, mapped.dtype, int(mapped.offset)
        self._rows = np.arange(len(mapped)) if rows is None else np.asarray(rows)
        self.shape: tuple[int, ...] = (len(self._rows), *mapped.shape[1:])
        self._open()

    @property
    def ndim(self) -> int:
        """Axes, that of the rows included."""
        return len(self.shape)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: "SupportsIndex | Sequence[int] | np.ndarray") -> np.ndarray:
        """One row, or several as a new array.

        Raises:
            DataError: If the file has been shortened since it was opened.
        """
        wanted = self._rows[rows]
        found = np.empty((wanted.size, *self.shape[1:]), self.dtype)
        for place, row in zip(found, wanted.reshape(-1).tolist(), strict=True):
            place[...] = np.frombuffer(self._read(row, place.nbytes), self.dtype).reshape(place.shape)
        return found if wanted.ndim else found[0]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self[np.arange(len(self))], dtype=dtype)

    def _read(self, row: int, length: int) -> bytes:
        start = self._offset + row * length
        if hasattr(os, "pread"):
            content = os.pread(self._file, length, start)
        else:  # Windows, whose processes share no position in a file
            os.lseek(self._file, start, os.SEEK_SET)
            content = os.read(self._file, length)
        if len(content) < length:
            raise DataError(
                f"{self.path}: ends within row {row}: another program has shortened it while it was "
                "being read. Start again: the cache is made again, and training goes on with resume=RUN_FOLDER."
            )
        return content

    def _open(self) -> None:
        self._file = os.open(self.path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        weakref.finalize(self, os.close, self._file)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_file"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._open()


class JoinedRows:
    """The rows of one array on the disk, then those of another of the same shape."""

    def __init__(self, first: Rows, second: Rows) -> None:
        self._first, self._second = first, second

    def __len__(self) -> int:
        return len(self._first) + len(self._second)

    def __getitem__(self, rows: SupportsIndex | Sequence[int] | np.ndarray) -> np.ndarray:
        """One row, or several as a new array."""
        wanted = np.arange(len(self))[rows]
        numbers = wanted.reshape(-1)
        behind = numbers >= len(self._first)
        parts = self._first[numbers[~behind]], self._second[numbers[behind] - len(self._first)]
        found = np.empty((numbers.size, *parts[0].shape[1:]), parts[0].dtype)
        found[~behind], found[behind] = parts
        return found if wanted.ndim else found[0]
