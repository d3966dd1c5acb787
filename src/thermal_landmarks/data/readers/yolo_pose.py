"""YOLO-pose labels as Ultralytics writes and trains on them (https://docs.ultralytics.com/datasets/pose/).

A text file an image, in a folder `labels` beside the images' folder; a face a line: class, box (centre x, y, width,
height), then x, y and, if there is a third number, visibility or confidence of each point. All are fractions of the
image's width and height. A line that ends after the box is a face without landmarks, as in data for a detector.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import yaml

from thermal_landmarks.data.annotation import Annotation
from thermal_landmarks.data.formats.images import read_image_size
from thermal_landmarks.data.readers.annotation_files import (
    LARGEST_RECORD,
    numbered_lines,
    require_folder,
    require_text,
    shortened,
)
from thermal_landmarks.data.readers.base import FileReader, Marks, stated_size
from thermal_landmarks.data.readers.image_folder import ImageFinder, MissingImageError
from thermal_landmarks.data.schemes import schemes_of
from thermal_landmarks.errors import DataError, require_choice

_log = logging.getLogger(__name__)

Part = Literal["train", "val", "test"]
_MISSING, _HIDDEN, _VISIBLE = 0, 1, 2
_BOX_END = 5  # class and box come before the points
_LARGEST_DESCRIPTION = 1 << 16  # bytes; with the names of a thousand classes it has half of it
_FARTHEST = 2.0  # a face may reach beyond its image, but not by a whole image


class _Line(NamedTuple):
    place: str
    image: Path | MissingImageError
    subject: str
    numbers: np.ndarray | DataError  # class, box, points
    size: tuple[int, int]  # height, width of the image


@dataclass(kw_only=True, eq=False)
class YoloPose(FileReader):
    """Faces of a folder of YOLO-pose labels; an image may show several, an empty file is an image without a face.

    Where the data set's YAML calls one of several classes `face`, lines of the others are left out.

    A point at 0, 0, of visibility 0, or of a confidence below `min_confidence` is missing. The third number of a point
    is its visibility (0 missing, 1 hidden, 2 visible) where all files hold nothing but these three, else a confidence.

    Raises:
        ConfigError: If there is no such part.
    """

    folder: Path  # of the data set; all `labels` folders in it are read
    # Name of the images' folder beside `labels`, with the same subfolders; images beside the text files are found, too
    images: str = "images"
    # Ultralytics' description of the data set; None: `data.yaml` or `dataset.yaml` in the folder, if there
    dataset_yaml: Path | None = None
    part: Part | None = None  # which of its `train`, `val` and `test` to read; None: all label files
    min_confidence: float = 0.0  # smallest confidence of a point

    def __post_init__(self) -> None:
        require_choice("data.source.part", self.part or "train", get_args(Part))
        super().__post_init__()

    def _parse(self) -> list[Annotation]:
        description = self._description()
        files = self._label_files(description)
        finder = ImageFinder()
        self._others, self._left_out = _other_classes(description.get("names")), 0
        lines = [line for file in files for line in self._read_file(file, finder)]
        if self._faceless:
            _log.info("%s: %d label file(s) without a face.", self.folder, len(self._faceless))
        if self._left_out:
            _log.warning("%s: %d line(s) of other classes than `face` are left out.", self.folder, self._left_out)
        self._warn_each_image_its_own_subject(len(files), "Set data.source.subject_pattern.")
        found = [line.numbers for line in lines if isinstance(line.numbers, np.ndarray)]
        thirds = [numbers[_BOX_END + 2 :: 3] for numbers in found if self._has_third(numbers)]
        flags = bool(np.isin(np.concatenate([*thirds, [0]]), (_MISSING, _HIDDEN, _VISIBLE)).all())
        return [
            self._face(line.image, line.subject, line.place, partial(self._marks, line.numbers, line.size, flags))
            for line in lines
        ]

    def _description(self) -> dict[str, Any]:
        usual = (require_folder(self.folder) / name for name in ("data.yaml", "dataset.yaml"))
        file = self.dataset_yaml or next((path for path in usual if path.is_file()), None)
        if file is None:
            return {}
        self._at(file)
        try:
            # not the loader in C, which ends the process where lists are nested deeply
            content = yaml.safe_load(require_text(file, at_most=_LARGEST_DESCRIPTION))
        except yaml.YAMLError as error:
            raise DataError(f"{file}: not valid YAML ({shortened(error)}).") from error
        if not isinstance(content, dict):
            raise DataError(f"{file}: expected names and values, as train: images/train.")
        shape, points = content.get("kpt_shape"), self._num_points
        if shape is not None and (not isinstance(shape, list) or shape not in ([points, 2], [points, 3])):
            raise DataError(
                f"{file}: kpt_shape is {shortened(shape)}, but scheme '{self.scheme}' has {points} points, "
                "each of 2 or 3 numbers. Set data.source.scheme to that which the data set is annotated in."
                f"{schemes_of(shape[0]) if shape and isinstance(shape, list) and isinstance(shape[0], int) else ''}"
            )
        return content

    def _label_files(self, description: dict[str, Any]) -> list[Path]:
        if self.part is None:
            found = [f for f in sorted(self.folder.rglob("*.txt")) if "labels" in f.parent.parts]
            if not found:
                raise DataError(f"{self.folder}: no text file in a folder 'labels' below it. Set data.source.folder.")
            return found
        stated = description.get(self.part)
        entries = [stated] if isinstance(stated, str) else stated
        if not isinstance(entries, list) or not entries or not all(isinstance(entry, str) for entry in entries):
            raise DataError(
                f"{self.dataset_yaml or self.folder}: no folder of images under '{self.part}' in the data set's YAML. "
                "Set data.source.dataset_yaml, or data.source.part=null for all files."
            )
        base = description.get("path")
        roots = [self.folder, *([self.folder / base] if isinstance(base, str) else [])]
        files: list[Path] = []
        for entry in entries:
            folders = [_renamed(root / entry, self.images, "labels") for root in roots]
            chosen = next((folder for folder in folders if folder.is_dir()), None)
            if chosen is None:
                raise DataError(
                    f"{self.folder}: no labels for {self.part}: {entry}. Looked in {', '.join(map(str, folders))}."
                )
            files += sorted(chosen.rglob("*.txt"))
        return files

    def _read_file(self, file: Path, finder: ImageFinder) -> list[_Line]:
        place = self._at(file)
        relative = file.relative_to(self.folder) if file.is_relative_to(self.folder) else file
        subject = self._subject(relative.as_posix(), relative.with_suffix("").as_posix())
        folders = (_renamed(file.parent, "labels", self.images), file.parent)
        image = finder.find(folders, file.stem, "Set data.source.images to the name of their folder.")
        try:
            listed = numbered_lines(file, at_most=LARGEST_RECORD)
            lines = [(number, line) for number, line in listed if line.split()[0] not in self._others]
            self._left_out += len(listed) - len(lines)
            size = read_image_size(image) if lines and isinstance(image, Path) else (0, 0)
        except DataError as error:
            return [_Line(place, image, subject, error, (0, 0))]
        if not lines and isinstance(image, Path):
            self._without_face(image, subject, place)
        return [_Line(f"{place}, line {n}", image, subject, self._numbers(line.split()), size) for n, line in lines]

    def _numbers(self, cells: Sequence[str]) -> np.ndarray | DataError:
        points = self._num_points
        if len(cells) not in (_BOX_END, _BOX_END + 2 * points, _BOX_END + 3 * points):
            fitting = [(len(cells) - _BOX_END) // n for n in (2, 3) if (len(cells) - _BOX_END) % n == 0]
            return DataError(
                f"{len(cells)} numbers, expected class, box and {points} points of scheme '{self.scheme}' of 2 or 3 "
                f"numbers: {_BOX_END + 2 * points} or {_BOX_END + 3 * points}; or {_BOX_END} for class and box alone. "
                f"Set data.source.scheme, or fix the line.{schemes_of(*fitting)}"
            )
        try:
            numbers = np.array(cells, dtype=np.float64)
        except ValueError as error:
            return DataError(f"{shortened(error)}. Fix or remove the line.")
        if not (np.abs(numbers[1:]) <= _FARTHEST).all():
            return DataError(
                f"found {np.abs(numbers[1:]).max():g}, expected fractions of the image's width and height."
            )
        return numbers

    def _marks(self, numbers: np.ndarray | DataError, size: tuple[int, int], flags: bool) -> Marks:
        if isinstance(numbers, DataError):
            raise numbers
        points = np.zeros((self._num_points, 2))
        if len(numbers) > _BOX_END:
            points = numbers[_BOX_END:].reshape(len(points), -1)
        missing = (points[:, :2] == 0).all(axis=1)
        visible = None
        if self._has_third(numbers):
            missing |= points[:, 2] == _MISSING if flags else points[:, 2] < self.min_confidence
            visible = points[:, 2] == _VISIBLE if flags else None
        height, width = size
        scale = np.array([width, height])
        middle, extent = numbers[1:3], numbers[3:5]
        # fractions count from the image's edge, pixels from the first pixel's centre
        left, top, right, bottom = np.concatenate([(middle + side * extent / 2) * scale - 0.5 for side in (-1, 1)])
        return Marks(
            np.where(missing[:, None], np.nan, points[:, :2] * scale - 0.5),
            (float(left), float(top), float(right), float(bottom)),
            visible,
            stated_size(width, height),
        )

    def _has_third(self, numbers: np.ndarray) -> bool:
        return len(numbers) == _BOX_END + 3 * self._num_points


def _other_classes(names: Any) -> set[str]:
    """Numbers of the classes that are no faces, if a data set's YAML calls one of several `face`."""
    named = dict(enumerate(names)) if isinstance(names, list) else names if isinstance(names, dict) else {}
    others = {str(number) for number, name in named.items() if str(name).lower() != "face"}
    return others if len(others) < len(named) else set()


def _renamed(folder: Path, old: str, new: str) -> Path:
    """A folder with the last part of that name renamed."""
    parts = list(folder.parts)
    if old in parts:
        parts[len(parts) - 1 - parts[::-1].index(old)] = new
    return Path(*parts)
