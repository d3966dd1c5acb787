"""Text tables of temperatures, as thermal cameras' programs export them: a row of numbers for each row of pixels.

Separated by semicolon, tab, comma or blanks; header lines before the first row of numbers are skipped.
"""

import csv
from itertools import islice
from pathlib import Path

import numpy as np
from jaxtyping import Float

from thermal_landmarks.errors import DataError

_PEEK_LINES = 40
_STATED_UNITS = {"°c": "celsius", "celsius": "celsius", "°f": "fahrenheit", "fahrenheit": "fahrenheit"}


def read_table(path: Path) -> tuple[Float[np.ndarray, "height width"], str | None]:
    """The numbers of a table, and the unit that its header lines name (None: none).

    A decimal comma is understood where the separator is not a comma, or where the cell is quoted.

    Raises:
        DataError: If there are no rows of numbers, or rows of different length, or a cell that is not a number.
    """
    lines = _text(path).splitlines()
    start, separator = _first_row(lines)
    if start is None:
        raise DataError(f"{path}: no row of numbers found. Expected a table with one number for each pixel.")
    rows: list[list[float]] = []
    for number, cells in enumerate(_split(lines[start:], separator), start + 1):
        if not cells:
            continue
        try:
            row = [_number(cell) for cell in cells]
        except ValueError as error:
            raise DataError(f"{path}, line {number}: {error}; expected a number.") from error
        if rows and len(row) != len(rows[0]):
            raise DataError(
                f"{path}, line {number}: {len(row)} numbers, but the rows before have {len(rows[0])}. "
                "Where numbers have a decimal comma, separate them by semicolons or tabs."
            )
        rows.append(row)
    header = " ".join(lines[:start]).lower()
    unit = next((unit for word, unit in _STATED_UNITS.items() if word in header), None)
    return np.array(rows), unit


def is_numeric_table(path: Path) -> bool:
    """Whether a text file has a row of numbers near its beginning."""
    with path.open("rb") as file:
        beginning = b"".join(islice(file, _PEEK_LINES))
    return _first_row(_decode(beginning).splitlines())[0] is not None


def _text(path: Path) -> str:
    return _decode(path.read_bytes())


def _decode(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _first_row(lines: list[str]) -> tuple[int | None, str | None]:
    for index, line in enumerate(lines[:_PEEK_LINES]):
        separator = next((s for s in (";", "\t", ",") if s in line), None)
        cells = next(iter(_split([line], separator)), [])
        if len(cells) > 1 and all(map(_is_number, cells)):
            return index, separator
    return None, None


def _split(lines: list[str], separator: str | None) -> list[list[str]]:
    rows = [line.split() for line in lines] if separator is None else csv.reader(lines, delimiter=separator)
    # exporters often close each row with a separator
    return [row[:-1] if row and not row[-1].strip() else row for row in rows]


def _number(cell: str) -> float:
    try:
        return float(cell.strip().replace(",", "."))
    except ValueError:
        raise ValueError(f"found '{cell.strip()}'") from None


def _is_number(cell: str) -> bool:
    try:
        _number(cell)
    except ValueError:
        return False
    return True
