"""Files of annotations as text: what is missing, too large or no text is named, and messages quote it safely."""

import csv
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from thermal_landmarks.csv_table import original
from thermal_landmarks.errors import DataError

LARGEST_RECORD = 4 << 20
"""Bytes of a file that describes one image."""

_LARGEST_LIST = 256 << 20  # bytes of a file that describes a data set; COCO's own largest has 240 million


def require_folder(folder: str | Path) -> Path:
    """The folder as a path; a `DataError` if there is none."""
    path = Path(folder)
    if not path.is_dir():
        raise DataError(f"{path}: no such folder. Check the data set's path.")
    return path


def require_bytes(file: str | Path, *, at_most: int = _LARGEST_LIST) -> bytes:
    """The content of an annotation file; arguments and errors as of `require_text`."""
    path = Path(file)
    try:
        size = path.stat().st_size
        if size <= at_most:
            return path.read_bytes()
    except FileNotFoundError:
        raise DataError(f"{path}: no such file. Check the data set's path.") from None
    except (OSError, ValueError) as error:
        raise DataError(f"{shortened(path)}: can't be read ({shortened(error)}).") from error
    raise DataError(
        f"{path}: {size / 1e6:.1f} MB, but annotation files of this kind have at most {at_most / 1e6:.1f} MB. Is it "
        "another file? Otherwise divide it."
    )


def require_text(file: str | Path, *, at_most: int = _LARGEST_LIST) -> str:
    """The content of a text file with at most so many bytes, every line end as a newline.

    Raises:
        DataError: If there is none, it is larger, or it is not text.
    """
    content = require_bytes(file, at_most=at_most)
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        raise DataError(f"{file}: can't be read as text ({shortened(error)}). Save it as UTF-8.") from error


def parse_json(text: str, place: str) -> Any:
    """Parsed JSON.

    Raises:
        DataError: If it is not JSON; names line and column.
    """
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise DataError(f"{place}, line {error.lineno}, column {error.colno}: not valid JSON ({error.msg}).") from error
    except (RecursionError, ValueError) as error:  # lists in lists in lists, numbers of thousands of digits
        raise DataError(f"{place}: can't be read as JSON ({shortened(error)}).") from error


def numbered_lines(file: Path, *, at_most: int = _LARGEST_LIST) -> list[tuple[int, str]]:
    """The lines of a text file that are not empty, with their numbers; arguments and errors as `require_text`."""
    lines = require_text(file, at_most=at_most).splitlines()
    return [(number, line.strip()) for number, line in enumerate(lines, 1) if line.strip()]


def parse_points(file: Path, lines: Iterable[tuple[int, str]] | None = None) -> Float[np.ndarray, "point 2"]:
    """Points from the lines `x y` of a file that describes one image, float32; `lines` are those that count.

    Raises:
        DataError: If a line is something else; names it. Otherwise as `require_text`.
    """
    points = []
    for number, line in numbered_lines(file, at_most=LARGEST_RECORD) if lines is None else lines:
        if line.strip():
            try:
                x, y = map(float, line.split())
            except ValueError:
                finding = f"found '{shortened(line.strip())}', expected x and y."
                raise DataError(f"{file}, line {number}: {finding}") from None
            points.append((x, y))
    return np.array(points, dtype=np.float32).reshape(-1, 2)


def table_rows(file: Path) -> Iterator[tuple[int, list[str]]]:
    """Line number and cells of each row of a CSV file that is not empty; separated by comma, semicolon or tab.

    Raises:
        DataError: If a row can't be read; names its line. Otherwise as `require_text`.
    """
    lines = require_text(file).splitlines()
    rows = csv.reader(lines, delimiter=next((s for s in (";", "\t") if lines and s in lines[0]), ","))
    try:
        for row in rows:
            cells = [original(cell.strip()) for cell in row]
            if any(cells):
                yield rows.line_num, cells
    except csv.Error as error:  # a cell too long to be one
        raise DataError(f"{file}, line {rows.line_num}: can't be read ({error}). Fix or remove the line.") from error


def shortened(found: object, length: int = 80) -> str:
    """What was found, for a message: on one line, cut, without characters that can't be printed."""
    text = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(found)[: length + 1])
    return text if len(text) <= length else f"{text[:length]}..."
