"""One table for everything: a row an image, with columns `image,subject,x0,y0,x1,y1,...`.

Further columns are optional: `unit`, and `box_x_min`, `box_y_min`, `box_x_max`, `box_y_max`.
"""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from thermal_landmarks.csv_table import original
from thermal_landmarks.data.annotation import Annotation
from thermal_landmarks.data.readers.annotation_files import require_text, shortened
from thermal_landmarks.data.readers.base import FileReader, stated_unit
from thermal_landmarks.data.schemes import get_scheme, schemes_of
from thermal_landmarks.errors import DataError

_BOX = ("box_x_min", "box_y_min", "box_x_max", "box_y_max")


@dataclass(kw_only=True, eq=False)
class FlatCsv(FileReader):
    """Faces of a CSV file; an empty cell is a missing coordinate."""

    annotation_file: Path  # separated by comma, semicolon or tab
    image_dir: Path | None = None  # of the images; None: that of the CSV file

    def _parse(self) -> list[Annotation]:
        lines = require_text(self.annotation_file).splitlines()
        separator = next((s for s in (";", "\t") if lines and s in lines[0]), ",")
        rows = csv.reader(lines, delimiter=separator)
        header = [cell.strip() for cell in next(rows, [])]
        self._check_header(header)
        found = []
        nameless = 0
        self._at(self.annotation_file)
        for cells in rows:
            if not any(original(cell.strip()) for cell in cells):
                continue
            place = self._at(f"{self.annotation_file}, line {rows.line_num}")
            if len(cells) != len(header):
                raise DataError(f"{place}: {len(cells)} cells, but the header has {len(header)}. Fix the line.")
            row = dict(zip(header, (original(cell.strip()) for cell in cells), strict=True))
            if row.get("face", "-") == "":  # a prediction's row for an image without a face
                continue
            nameless += not row.get("subject")
            found.append(self._read(row, place))
        self._warn_each_image_its_own_subject(nameless, "Fill the column 'subject'.")
        return found

    def _check_header(self, header: list[str]) -> None:
        count = get_scheme(self.scheme).num_points
        wanted = ["image", *(f"{axis}{i}" for i in range(count) for axis in "xy")]
        missing = [name for name in wanted if name not in header]
        if missing:
            raise DataError(
                f"{self.annotation_file}, line 1: no column '{missing[0]}' ({len(missing)} column(s) missing). "
                f"Expected image,subject,x0,y0,...,x{count - 1},y{count - 1} for scheme '{self.scheme}'."
                f"{schemes_of(_points_in(header))}"
            )
        beyond = [name for name in (f"x{count}", f"y{count}") if name in header]
        if beyond:
            raise DataError(
                f"{self.annotation_file}, line 1: column '{beyond[0]}', but scheme '{self.scheme}' has {count} points. "
                f"Set data.source.scheme to that which the table is written in.{schemes_of(_points_in(header))}"
            )

    def _read(self, row: dict[str, str], place: str) -> Annotation:
        name = row["image"]
        image = (self.image_dir or self.annotation_file.parent) / name
        subject = self._subject(name, row.get("subject") or name)
        count = get_scheme(self.scheme).num_points
        try:
            points = np.array([[_number(row[f"{axis}{i}"]) for axis in "xy"] for i in range(count)])
            box = [_number(row.get(key, "")) for key in _BOX]
        except ValueError as error:
            return self._fault(image, place, f"{error}. Fix the cell; leave it empty where missing.", subject=subject)
        box_px = (box[0], box[1], box[2], box[3]) if np.isfinite(box).all() else None
        attributes = stated_unit(row.get("unit"))
        return self._annotation(image, points, subject, place, box_px=box_px, attributes=attributes)


def _points_in(header: list[str]) -> int:
    return sum(name[:1] == "x" and name[1:].isdecimal() for name in header)


def _number(cell: str) -> float:
    try:
        return float(cell) if cell else float("nan")
    except ValueError:
        raise ValueError(f"found '{shortened(cell)}', expected a number") from None
