"""WFLW (Wu et al., CVPR 2018): 98 landmarks on visible-light faces, six flags, official train and test lists.

The data set doesn't say who is seen. Each photograph counts as a person of its own, so that a validation set taken from
the training list shares no photograph with it; the same person may still be in both.
"""

import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from thermal_landmarks.data.annotation import Annotation
from thermal_landmarks.data.readers.annotation_files import numbered_lines, require_folder
from thermal_landmarks.data.readers.base import Attributes, FileReader, Marks
from thermal_landmarks.errors import DataError, require_choice

_log = logging.getLogger(__name__)

Part = Literal["train", "test"]
FLAGS = ("pose", "expression", "illumination", "make_up", "occlusion", "blur")
"""The six flags of a list line, in its order; the subsets that results are given for."""

_POINTS = 98
_FIELDS = 2 * _POINTS + 4 + len(FLAGS) + 1
_LIST_FOLDERS = ("WFLW_annotations/list_98pt_rect_attr_train_test", "list_98pt_rect_attr_train_test", ".")


@dataclass(kw_only=True, eq=False)
class Wflw(FileReader):
    """Faces of one official list; a line has 196 coordinates, the face box, six flags and the picture's path."""

    scheme: str = field(default="wflw98", init=False)
    subject_pattern: str | None = field(default=None, init=False)
    folder: Path  # holds `WFLW_annotations` and `WFLW_images`
    part: Part = "train"  # which of the official lists
    list_file: Path | None = None  # a list of another name or place; None: the official one below `folder`
    image_dir: Path | None = None  # of the pictures; None: `WFLW_images` in `folder`

    def __post_init__(self) -> None:
        require_choice("data.source.part", self.part, get_args(Part))
        super().__post_init__()
        self._images = self.image_dir or self.folder / "WFLW_images"

    def _parse(self) -> list[Annotation]:
        file = self.list_file or self._official_list(self.part)
        if file is None:
            looked = ", ".join(str(require_folder(self.folder) / f / _list_name(self.part)) for f in _LIST_FOLDERS)
            raise DataError(
                f"{self.folder}: no official {self.part} list of WFLW. Looked for {looked}. "
                "Set data.source.folder, or data.source.list_file."
            )
        lines = numbered_lines(file)
        found = [self._read(line.split(), f"{file}, line {number}") for number, line in lines]
        if self.part == "test":
            self._warn_of_shared_pictures(found)
        return found

    def _read(self, fields: list[str], place: str) -> Annotation:
        return self._face(self._images / fields[-1], f"{self.part}/{fields[-1]}", place, lambda: _marks(fields))

    def _official_list(self, part: Part) -> Path | None:
        places = (self.folder / folder / _list_name(part) for folder in _LIST_FOLDERS)
        return next((place for place in places if place.is_file()), None)

    def _warn_of_shared_pictures(self, test: list[Annotation]) -> None:
        """The official lists divide faces; two faces of one photograph can be on either side."""
        train = self._official_list("train")
        if train is None:
            return
        pictures = {self._images / line.split()[-1] for _, line in numbered_lines(train)}
        if shared := sum(annotation.image in pictures for annotation in test):
            _log.warning(
                "WFLW: %d of %d test faces are in photographs from which the official training list takes other faces.",
                shared,
                len(test),
            )


def _marks(fields: list[str]) -> Marks:
    if len(fields) != _FIELDS:
        raise DataError(
            f"{len(fields)} fields, expected {_FIELDS}: 196 coordinates, 4 of the box, 6 flags and the path. "
            "Fix or remove the line."
        )
    points, box, flags = np.split(np.array(fields[:-1], dtype=np.float64), [2 * _POINTS, 2 * _POINTS + 4])
    if not np.isin(flags, (0, 1)).all():
        raise DataError(f"flags {' '.join(fields[-7:-1])}, expected six times 0 or 1. Fix or remove the line.")
    x_min, y_min, x_max, y_max = box.tolist()
    attributes: Attributes = {name: bool(flag) for name, flag in zip(FLAGS, flags, strict=True)}
    return Marks(points, (x_min, y_min, x_max, y_max), attributes=attributes)


def _list_name(part: Part) -> str:
    return f"list_98pt_rect_attr_{part}.txt"
