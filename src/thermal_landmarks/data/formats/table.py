"""Text tables of temperatures, as thermal cameras' programs export them: a row of numbers for each row of pixels.

Separated by semicolon, tab, comma or blanks; header lines before the first row of numbers are skipped. What exports
add (indices of rows and columns, a comma as separator and as decimal mark) is taken away where it can't be anything
else, with a notice; lists of pixels, columns with names and several frames in one file are refused.
"""

import csv
import re
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from thermal_landmarks.data.formats.limits import check_bytes
from thermal_landmarks.data.formats.notices import say_once
from thermal_landmarks.errors import DataError

_PEEK_LINES, _PEEK_BYTES = 40, 2**20
_STATED_UNITS = {"°c": "celsius", "celsius": "celsius", "°f": "fahrenheit", "fahrenheit": "fahrenheit"}
_LONGEST_SIDE = 4  # times the other; no camera's picture is longer
_SHORTEST_INDEX = 4
_BEYOND_RANGE = re.compile(r"\s*[<>]\s*(?=[-−+]?\d)")


class _Layout(NamedTuple):
    start: int  # line of the first row of numbers
    separator: str | None  # None: blanks


def read_table(path: Path) -> tuple[Float[np.ndarray, "height width"], str | None]:
    """The numbers of a table, and the unit that its header lines name (None: none).

    A decimal comma is understood where the separator is not a comma, where the cell is quoted, or where all numbers
    have one. Cells such as `<-20.00` are the end of the camera's range.

    Raises:
        DataError: If there are no rows of numbers, rows of different length, a cell that is not a number, or if the
            numbers are no picture.
    """
    check_bytes(path, path.stat().st_size, per_pixel=1, what="the table")
    lines = _decode(path.read_bytes()).splitlines()
    layout, reason = _layout(lines)
    if layout is None:
        raise DataError(f"{path}: {reason}, so it is no picture. Expected a table with one number for each pixel.")
    numbered = _rows(path, lines, layout)
    _refuse_blocks(path, [number for number, _ in numbered])
    if layout.separator == "," and _are_decimal_pairs([cells for _, cells in numbered[:_PEEK_LINES]]):
        say_once(path, "a comma divides its numbers and is their decimal mark, too: 23,5,24,1 is read as 23.5 and 24.1")
        numbered = [(number, _paired(cells)) for number, cells in numbered]
    values = np.stack(_parsed(path, numbered))
    if any("<" in line or ">" in line for line in lines[layout.start :]):
        say_once(path, "cells such as <-20.00 are beyond the camera's range and read as its end, -20.00")
    values = _without_indices(path, values)
    _refuse_lists(path, values)
    header = " ".join(lines[: layout.start]).lower()
    unit = next((unit for word, unit in _STATED_UNITS.items() if word in header), None)
    return values, unit


def why_no_picture(path: Path) -> str | None:
    """Why a text file is no picture, judged by its beginning; None: it may be one."""
    try:
        with path.open("rb") as file:
            beginning = file.read(_PEEK_BYTES)
    except OSError as error:
        return f"can't be read ({error.strerror})"
    if not beginning.strip():
        return "is empty"
    return _layout(_decode(beginning).splitlines())[1]


def _decode(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _layout(lines: list[str]) -> tuple[_Layout | None, str | None]:
    """Where the numbers begin; or None, and why the text is no picture."""
    for index, line in enumerate(lines[:_PEEK_LINES]):
        separator = next((s for s in (";", "\t", ",") if s in line), None)
        try:
            cells = _split(line, separator)
            if len(cells) > 1 and all(map(_is_number, cells)):
                header = _split(lines[index - 1], separator) if index else []
                if len(header) == len(cells) and _are_names(header):
                    return None, f"has columns with names ({_shortened(header)})"
                return _Layout(index, separator), None
        except csv.Error:
            if any(map(_is_number, line.split(separator))):
                return _Layout(index, separator), None  # a row with a broken quote, which its reading names
    return None, "has no row of numbers"


def _rows(path: Path, lines: list[str], layout: _Layout) -> list[tuple[int, list[str]]]:
    """Numbers and cells of the lines that are not blank."""
    rows = []
    for number, line in enumerate(lines[layout.start :], layout.start + 1):
        try:
            if cells := _split(line, layout.separator):
                rows.append((number, cells))
        except csv.Error as error:
            raise DataError(f"{path}, line {number}: not a row of a table ({error}). Fix its quotes.") from error
    return rows


def _split(line: str, separator: str | None) -> list[str]:
    if separator is None:
        return line.split()
    # a row is one line: a quote that is not closed must not take the next line into its cell
    cells = next(csv.reader([line], delimiter=separator, strict=True), []) if '"' in line else line.split(separator)
    return cells[:-1] if cells and not cells[-1].strip() else cells  # exporters often close each row with a separator


def _parsed(path: Path, numbered: list[tuple[int, list[str]]]) -> list[np.ndarray]:
    rows: list[np.ndarray] = []
    for number, cells in numbered:
        try:
            row = _numbers(cells)
        except ValueError as error:
            raise DataError(
                f"{path}, line {number}: {error}; expected a number. If a further frame begins here, write one a file."
            ) from error
        if rows and len(row) != len(rows[0]):
            raise DataError(
                f"{path}, line {number}: {len(row)} numbers, but the rows before have {len(rows[0])}. "
                "Where numbers have a decimal comma, separate them by semicolons or tabs."
            )
        rows.append(row)
    return rows


def _numbers(cells: list[str]) -> np.ndarray:
    try:
        return np.array(list(map(float, cells)))
    except ValueError:
        return np.array(list(map(_number, cells)))


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        pass
    try:
        return float(_BEYOND_RANGE.sub("", cell).strip().replace("−", "-").replace(",", "."))
    except ValueError:
        shown = cell.strip()
        raise ValueError(f"found '{shown[:40]}{'...' if len(shown) > 40 else ''}'") from None


def _is_number(cell: str) -> bool:
    try:
        _number(cell)
    except ValueError:
        return False
    return True


def _are_names(header: list[str]) -> bool:
    """Whether cells above the first row of numbers are names of columns, not numbers of columns (0, 1, ...; C1, C2)."""
    return bool(header) and not _are_counted(header) and not _are_counted(header[1:])


def _are_counted(header: list[str]) -> bool:
    counted = [re.fullmatch(r"\s*([^\d]*?)(\d{1,6})\s*", cell) for cell in header]
    if not header or not all(counted):
        return False
    prefixes, numbers = zip(*((match[1], int(match[2])) for match in counted if match), strict=True)
    return len(set(prefixes)) == 1 and list(numbers) == list(range(numbers[0], numbers[0] + len(numbers)))


def _refuse_blocks(path: Path, numbers: list[int]) -> None:
    gaps = [second for first, second in pairwise(numbers) if second - first > 1]
    if gaps and len(gaps) < len(numbers) - 1:  # otherwise blank lines stand between all rows
        raise DataError(
            f"{path}: blank lines divide its rows, first before line {gaps[0]}: {len(gaps) + 1} frames in one file. "
            "Write one image a file."
        )


def _are_decimal_pairs(rows: list[list[str]]) -> bool:
    """Whether every second cell holds the decimals of the cell before: always as long, and no number of its own."""
    whole, decimals = ([cell.strip() for row in rows for cell in row[start::2]] for start in (0, 1))
    if any(len(row) < 4 or len(row) % 2 for row in rows):
        return False
    if not all(cell.isdecimal() for cell in decimals) or not all(re.fullmatch(r"[-−+]?\d+", cell) for cell in whole):
        return False
    lengths = {len(cell) for cell in decimals}
    if len(lengths) > 1 or max(lengths) > 3:
        return False
    return any(len(cell) > 1 for cell in whole) if lengths == {1} else any(cell[0] == "0" for cell in decimals)


def _paired(cells: list[str]) -> list[str]:
    return [f"{whole.strip()}.{decimals.strip()}" for whole, decimals in zip(cells[::2], cells[1::2], strict=False)]


def _without_indices(path: Path, values: Float[np.ndarray, "row column"]) -> Float[np.ndarray, "height width"]:
    """The values without a first row that counts the columns and a first column that counts the rows."""
    row, column = _counts_up(values[0]), _counts_up(values[:, 0])
    if not row and not column and _counts_up(values[0, 1:]) and _counts_up(values[1:, 0]):
        row = column = True  # with a corner between them
    if row:
        say_once(path, "its first row counts the columns and is left out")
    if column:
        say_once(path, "its first column counts the rows and is left out")
    return values[int(row) :, int(column) :]


def _counts_up(numbers: Float[np.ndarray, " n"]) -> bool:
    return (
        len(numbers) >= _SHORTEST_INDEX
        and numbers[0] in (0, 1)
        and np.array_equal(numbers, numbers[0] + np.arange(len(numbers)))
    )


def _refuse_lists(path: Path, values: Float[np.ndarray, "height width"]) -> None:
    height, width = values.shape
    grid = values[:, :2]
    if width == 3 and height > 3 and (grid == np.rint(grid)).all() and len(np.unique(grid, axis=0)) == height:
        raise DataError(
            f"{path}: three columns, of which two look like places: a list of x, y and value. Write the image as a "
            "table, a row of numbers for each row of pixels."
        )
    if max(height, width) > _LONGEST_SIDE * min(height, width):
        raise DataError(
            f"{path}: {height} rows of {width} numbers are no camera's picture. Are these several frames, or a list of "
            "pixels? Write one image a file, a row of numbers for each row of pixels."
        )


def _shortened(header: list[str]) -> str:
    names = [cell.strip()[:20] for cell in header]
    return ", ".join(names[:4]) + (", ..." if len(names) > 4 else "")
