"""CSV tables that nobody's spreadsheet takes for a program, and that are read back to the same text.

A spreadsheet runs a cell that begins with `=`, `+`, `-` or `@` as a formula. Names of files and people come from
others, so such a text gets an apostrophe in front (https://owasp.org/www-community/attacks/CSV_Injection); numbers stay
numbers.
"""

import csv
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from thermal_landmarks.runs import replacing, unwritable

_STARTS_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class CsvTable:
    """A CSV file that is written row by row.

    Its folder is made if missing. A file that is there already goes on after `kept` bytes; what comes after them is cut
    off.

    Raises:
        OutputError: If it can't be written; also by every method.
    """

    def __init__(self, path: Path, *, kept: int = 0) -> None:
        self.path = path
        with self._named():
            path.parent.mkdir(parents=True, exist_ok=True)
            if kept:
                os.truncate(path, kept)
            self._file = path.open("a" if kept else "w", newline="", encoding="utf-8")
        self._rows = csv.writer(self._file)

    def add(self, cells: Iterable[object]) -> None:
        """Write one row; None is an empty cell."""
        with self._named():
            self._rows.writerow(map(harmless, cells))

    def flush(self) -> None:
        """Bring all rows to the disk."""
        with self._named():
            self._file.flush()

    @property
    def size(self) -> int:
        """Bytes of the file with all rows so far."""
        self.flush()
        return self.path.stat().st_size

    def close(self) -> None:
        """End the file."""
        with self._named():
            self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise unwritable(self.path, error) from error


def write_table(path: Path, header: Iterable[object], rows: Iterable[Iterable[object]]) -> None:
    """Write a CSV file at once; where it can't be written, the file that was there before is intact.

    Raises:
        OutputError: If it can't be written.
    """
    with replacing(path) as file:
        table = csv.writer(file)
        table.writerow(map(harmless, header))
        table.writerows(map(harmless, row) for row in rows)


def write_rows(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    """`write_table` of rows by column; a column stays empty where a row lacks it."""
    columns = dict.fromkeys(name for row in rows for name in row)
    write_table(path, columns, ([row.get(name) for name in columns] for row in rows))


def harmless(cell: object) -> object:
    """A cell as it is written: text that a spreadsheet would run gets an apostrophe in front.

    Names of files need not be valid text; what can't be encoded is written as `\\udcff`.
    """
    if cell is None or isinstance(cell, int | float):
        return cell
    text = str(cell).encode("utf-8", "backslashreplace").decode()
    if text.startswith(_STARTS_FORMULA) and not _is_number(text):
        return f"'{text}"
    return text


def original(cell: str) -> str:
    """The text of a cell that `harmless` may have changed."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_STARTS_FORMULA) else cell


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
