"""JD-landmark (Liu et al., ICMEW 2019): 106 landmarks on the faces of 300-W, in folders `picture`, `landmark`, `rect`.

The data set doesn't say who is seen: each picture counts as a person of its own.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from thermal_landmarks.data.annotation import Annotation
from thermal_landmarks.data.readers.annotation_files import (
    LARGEST_RECORD,
    numbered_lines,
    parse_points,
    require_folder,
    require_text,
)
from thermal_landmarks.data.readers.base import FileReader, Marks
from thermal_landmarks.errors import DataError


@dataclass(kw_only=True, eq=False)
class Jd106(FileReader):
    """One face for each `landmark/NAME.jpg.txt`: `picture/NAME.jpg`, and its box `rect/NAME.jpg.rect`."""

    scheme: str = field(default="jd106", init=False)
    subject_pattern: str | None = field(default=None, init=False)
    folder: Path  # of the data set
    parts: Sequence[str] = (".",)  # folders in it; each is searched, with its subfolders, for `landmark_dir`
    picture_dir: str = "picture"  # name of the folders of pictures beside it
    landmark_dir: str = "landmark"  # name of the folders of landmark files: a line `106`, then 106 lines `x y`
    # Name of the folders of boxes beside them, or the path of one folder for all: a line `x1 y1 x2 y2`
    rect_dir: str = "rect"
    corrections: Path | None = None  # folder of landmark files that replace those of the same name

    def _parse(self) -> list[Annotation]:
        found = []
        for part in self.parts:
            root = require_folder(self.folder / part)
            folders = sorted(p for p in root.rglob(self.landmark_dir) if (p.parent / self.picture_dir).is_dir())
            if not folders:
                raise DataError(
                    f"{root}: no folder '{self.landmark_dir}' beside a folder '{self.picture_dir}'. Check the path, or "
                    "set data.source.parts, picture_dir and landmark_dir."
                )
            found += [self._read(file) for folder in folders for file in sorted(folder.glob("*.txt"))]
        return found

    def _read(self, file: Path) -> Annotation:
        around = file.parent.parent
        image = around / self.picture_dir / file.stem
        rect = around / self.rect_dir / f"{image.name}.rect"  # an absolute rect_dir stands for itself
        if self.corrections is not None and (self.corrections / file.name).is_file():
            file = self.corrections / file.name

        def marks() -> Marks:
            return Marks(read_counted_points(file), _read_rect(rect) if rect.is_file() else None)

        return self._face(image, image.relative_to(self.folder).as_posix(), file, marks)


def read_counted_points(file: Path) -> np.ndarray:
    """The points (N, 2) of a file whose first line is N and whose others are x and y."""
    lines = numbered_lines(file, at_most=LARGEST_RECORD)
    stated = lines[0][1] if lines else ""
    if not re.fullmatch("[0-9]{1,6}", stated):
        raise DataError(f"{file}, line 1: expected the number of points. Fix or remove the file.")
    points = parse_points(file, lines[1:])
    if len(points) != int(stated):
        raise DataError(f"{file}: states {stated} points and holds {len(points)}. Fix or remove the file.")
    return points


def _read_rect(file: Path) -> tuple[float, float, float, float]:
    try:
        x1, y1, x2, y2 = map(float, require_text(file, at_most=LARGEST_RECORD).split())
    except ValueError as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{file}, line 1: expected 'x1 y1 x2 y2'. Fix or remove the file.") from None
    return (x1, y1, x2, y2)
