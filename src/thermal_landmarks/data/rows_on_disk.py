"""The rows of arrays in `.npy` files, each read when it is asked for.

Not memory-mapped: a process that looks at a mapped page of a file that another program has shortened meanwhile is ended
by the system (SIGBUS), without a line. Reading costs the same, and what is missing is an error.
"""

import os
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any, SupportsIndex

import numpy as np

from thermal_landmarks.errors import DataError


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
        self.dtype = mapped.dtype
        rows = np.arange(len(mapped)) if rows is None else np.asarray(rows)
        self.shape: tuple[int, ...] = (len(rows), *mapped.shape[1:])
        self._parts = [(path, int(mapped.offset))]  # files, and where in them the first row begins
        self._places = np.column_stack([np.zeros_like(rows), rows])  # part and row in it
        self._open()

    def followed_by(self, other: "RowsOnDisk") -> "RowsOnDisk":
        """These rows, then those of another array of the same shape."""
        both = object.__new__(RowsOnDisk)
        behind = np.add(other._places, [len(self._parts), 0])
        state = {"_parts": self._parts + other._parts, "_places": np.concatenate([self._places, behind])}
        both.__setstate__({**self.__getstate__(), **state, "shape": (len(self) + len(other), *self.shape[1:])})
        return both

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
        wanted = self._places[rows]
        found = np.empty((wanted.size // 2, *self.shape[1:]), self.dtype)
        for target, (part, row) in zip(found, wanted.reshape(-1, 2).tolist(), strict=True):
            target[...] = np.frombuffer(self._read(part, row, target.nbytes), self.dtype).reshape(target.shape)
        return found if wanted.ndim > 1 else found[0]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self[np.arange(len(self))], dtype=dtype)

    def _read(self, part: int, row: int, length: int) -> bytes:
        path, offset = self._parts[part]
        start = offset + row * length
        if hasattr(os, "pread"):
            content = os.pread(self._files[part], length, start)
        else:  # Windows, whose processes share no position in a file
            os.lseek(self._files[part], start, os.SEEK_SET)
            content = os.read(self._files[part], length)
        if len(content) < length:
            raise DataError(
                f"{path}: ends within row {row}: another program has shortened it while it was "
                "being read. Start again: the cache is made again, and training goes on with resume=RUN_FOLDER."
            )
        return content

    def _open(self) -> None:
        self._files = [os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0)) for path, _ in self._parts]
        for file in self._files:
            weakref.finalize(self, os.close, file)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_files"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._open()
