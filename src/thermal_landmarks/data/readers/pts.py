"""Folders of `.pts` files beside their images, as 300-W and 300-VW come (https://ibug.doc.ic.ac.uk/resources/300-W/).

Their coordinates count from 1 (MATLAB); here the first pixel's centre is 0.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from thermal_landmarks.data.annotation import Annotation
from thermal_landmarks.data.readers.annotation_files import (
    LARGEST_RECORD,
    parse_points,
    require_folder,
    require_text,
    shortened,
)
from thermal_landmarks.data.readers.base import FileReader, Marks
from thermal_landmarks.data.readers.image_folder import ImageFinder
from thermal_landmarks.errors import DataError

_IMAGE_FOLDERS = (".", "../imgs", "../images")  # 300-W keeps images beside the points, 300-VW in `imgs`


@dataclass(kw_only=True, eq=False)
class PtsFolder(FileReader):
    """One face for each `.pts` file in a folder and its subfolders."""

    folder: Path  # of the `.pts` files
    # Of the images, with the same subfolders; None: beside each `.pts` file, or in a folder `imgs` or `images` next to
    # its own
    image_dir: Path | None = None
    scheme: str = "ibug68"
    first_pixel: float = 1.0  # coordinate of the first pixel's centre in the files

    def _parse(self) -> list[Annotation]:
        files = sorted(require_folder(self.folder).rglob("*.pts"))
        self._warn_each_image_its_own_subject(len(files), "Set data.source.subject_pattern.")
        finder = ImageFinder()
        return [self._read(file, finder) for file in files]

    def _read(self, file: Path, finder: ImageFinder) -> Annotation:
        relative = file.relative_to(self.folder)
        beside = [file.parent / other for other in _IMAGE_FOLDERS]
        folders = beside if self.image_dir is None else [self.image_dir / relative.parent]
        image = finder.find(folders, file.stem, "Set data.source.image_dir.")
        subject = self._subject(relative.as_posix(), relative.with_suffix("").as_posix())
        return self._face(image, subject, file, lambda: Marks(read_pts(file) - np.float32(self.first_pixel)))


def read_pts(file: Path) -> np.ndarray:
    """The points (N, 2) of one `.pts` file, in its own coordinates.

    Raises:
        DataError: If it is not of the form `n_points: N { x y ... }`.
    """
    text = require_text(file, at_most=LARGEST_RECORD)
    stated = re.search(r"n_points:\s*(\d+)", text)
    start, end = text.find("{") + 1, text.rfind("}")
    if stated is None or not 0 < start <= end:
        raise DataError(f"{file}: expected 'n_points: N' and points between braces. Fix or remove the file.")
    first_line = text[:start].count("\n") + 1
    points = parse_points(file, enumerate(text[start:end].splitlines(), first_line))
    if str(len(points)) != stated[1].lstrip("0").rjust(1, "0"):
        stated_points = shortened(stated[1])
        raise DataError(f"{file}: states {stated_points} points and holds {len(points)}. Fix or remove the file.")
    return points
