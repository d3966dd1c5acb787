"""Rows of numbers on the disk: a night has too many of them for memory."""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from jaxtyping import Float

from thermal_landmarks.errors import DataError
from thermal_landmarks.runs import unwritable

_WAITING_BYTES = 1 << 16  # in memory, before they are written
_READ_BYTES = 1 << 22  # at once, of a column


class RowStore:
    """A table that grows row by row, in a file of bare numbers, which is open only while it is read or written.

    `kept` rows of a file that is there already stay, and it goes on after them.

    Raises:
        OutputError: If it can't be written; also by `append` and `flush`.
        DataError: If the file has fewer rows than should be kept.
    """

    def __init__(self, path: Path, width: int, dtype: type[np.floating] = np.float32, *, kept: int = 0) -> None:
        self.path, self.width, self.dtype = path, width, np.dtype(dtype)
        self._row_bytes = width * self.dtype.itemsize
        self._rows = kept
        self._waiting = bytearray()
        try:
            path.touch()
            if path.stat().st_size < kept * self._row_bytes:
                raise DataError(f"{path}: has fewer than {kept} rows.")
            os.truncate(path, kept * self._row_bytes)
        except OSError as error:
            raise unwritable(path, error) from error

    def __len__(self) -> int:
        return self._rows

    def append(self, row: Float[np.ndarray, " width"]) -> None:
        """One row more."""
        self._add(row[None])

    def fill(self, rows: int) -> None:
        """Rows without values until there are so many."""
        while self._rows < rows:
            some = min(rows - self._rows, 1 + _READ_BYTES // self._row_bytes)
            self._add(np.full((some, self.width), np.nan))

    def _add(self, rows: Float[np.ndarray, "rows width"]) -> None:
        self._waiting += rows.astype(self.dtype, copy=False).tobytes()
        self._rows += len(rows)
        if len(self._waiting) >= _WAITING_BYTES:
            self.flush()

    def flush(self) -> None:
        """Bring all rows to the disk."""
        if not self._waiting:
            return
        try:
            with self.path.open("ab") as file:
                file.write(self._waiting)
        except OSError as error:
            raise unwritable(self.path, error) from error
        self._waiting.clear()

    def __getitem__(self, rows: slice) -> Float[np.ndarray, "rows width"]:
        """Rows without a gap between them."""
        self.flush()
        start, stop, _ = rows.indices(self._rows)
        numbers = np.fromfile(self.path, self.dtype, max(stop - start, 0) * self.width, offset=start * self._row_bytes)
        return numbers.reshape(-1, self.width)

    def pieces(self) -> Iterator[Float[np.ndarray, "rows width"]]:
        """All rows, some at a time."""
        step = 1 + _READ_BYTES // self._row_bytes
        for start in range(0, self._rows, step):
            yield self[start : start + step]

    def column(self, number: int) -> Float[np.ndarray, " rows"]:
        """One column of all rows."""
        return np.concatenate([np.empty(0, self.dtype), *(piece[:, number].copy() for piece in self.pieces())])
