"""One table for everything: a row an image, with columns `image,subject,x0,y0,x1,y1,...`.

Further columns are optional: `unit`, and `box_x_min`, `box_y_min`, `box_x_max`, `box_y_max`.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from thermal_landmarks.data.annotation import Annotation
from thermal_landmarks.data.readers.annotation_files import shortened, table_rows
from thermal_landmarks.data.readers.base import FileReader, Marks, stated_unit
from thermal_landmarks.data.schemes import schemes_of
from thermal_landmarks.errors import DataError

_BOX = ("box_x_min", "box_y_min", "box_x_max", "box_y_max")


@dataclass(kw_only=True, eq=False)
class FlatCsv(FileReader):
    """Faces of a CSV file; an empty cell is a missing coordinate."""

    annotation_file: Path  # separated by comma, semicolon or tab
    image_dir: Path | None = None  # of the images; None: that of the CSV file

    def _parse(self) -> list[Annotation]:
        rows = table_rows(self.annotation_file)
        _, header = next(rows, (1, []))
        self._check_header(header)
        faces = []
        for line, cells in rows:
            place = self._at(f"{self.annotation_file}, line {line}")
            if len(cells) != len(header):
                raise DataError(f"{place}: {len(cells)} cells, but the header has {len(header)}. Fix the line.")
            row = dict(zip(header, cells, strict=True))
            if row.get("face", "-") != "":  # empty: a prediction's row for an image without a face
                faces.append((row, place))
        nameless = sum(not row.get("subject") for row, _ in faces)
        self._warn_each_image_its_own_subject(nameless, "Fill the column 'subject'.")
        return [self._read(row, place) for row, place in faces]

    def _check_header(self, header: list[str]) -> None:
        count = self._num_points
        fitting = schemes_of(sum(name[:1] == "x" and name[1:].isdecimal() for name in header))
        wanted = ["image", *(f"{axis}{i}" for i in range(count) for axis in "xy")]
        missing = [name for name in wanted if name not in header]
        if missing:
            raise DataError(
                f"{self.annotation_file}, line 1: no column '{missing[0]}' ({len(missing)} column(s) missing). "
                f"Expected image,subject,x0,y0,...,x{count - 1},y{count - 1} for scheme '{self.scheme}'.{fitting}"
            )
        beyond = [name for name in (f"x{count}", f"y{count}") if name in header]
        if beyond:
            raise DataError(
                f"{self.annotation_file}, line 1: column '{beyond[0]}', but scheme '{self.scheme}' has {count} points. "
                f"Set data.source.scheme to that which the table is written in.{fitting}"
            )

    def _read(self, row: dict[str, str], place: str) -> Annotation:
        name = row["image"]
        image = (self.image_dir or self.annotation_file.parent) / name
        return self._face(image, self._subject(name, row.get("subject") or name), place, lambda: self._marks(row))

    def _marks(self, row: dict[str, str]) -> Marks:
        points = [[_number(row[f"{axis}{i}"]) for axis in "xy"] for i in range(self._num_points)]
        left, top, right, bottom = box = [_number(row.get(key, "")) for key in _BOX]
        box_px = (left, top, right, bottom) if np.isfinite(box).all() else None
        return Marks(np.array(points), box_px, attributes=stated_unit(row.get("unit")))


def _number(cell: str) -> float:
    try:
        return float(cell) if cell else float("nan")
    except ValueError:
        found = f"found '{shortened(cell)}', expected a number"
        raise DataError(f"{found}. Fix the cell; leave it empty where missing.") from None
