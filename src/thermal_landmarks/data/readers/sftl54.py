"""SF-TL54 (Kuzdeuov et al. 2022): 54 landmarks on thermal faces, one labelme JSON an image, or lines of `labels.jsonl`.

Also the text form that other authors use for the same 54 points: lines `index x y ...`, x and y as fractions of the
image's width and height.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from thermal_landmarks.data.annotation import Annotation
from thermal_landmarks.data.formats.images import read_image_size
from thermal_landmarks.data.readers.annotation_files import (
    LARGEST_RECORD,
    parse_json,
    require_folder,
    require_text,
    shortened,
)
from thermal_landmarks.data.readers.base import FileReader, finding_of, is_faulty, stated_size
from thermal_landmarks.data.readers.image_folder import ImageFinder
from thermal_landmarks.errors import DataError

_GROUPS = {
    "chin": 17,
    "left_eyebrow": 5,
    "right_eyebrow": 5,
    "nose_bridge": 4,
    "nose_tip": 5,
    "left_eye": 6,
    "right_eye": 6,
    **{f"lip_p{i}": 1 for i in range(1, 7)},
}
"""Point groups of the JSON form and their sizes, in the scheme's order."""

_SUBJECT = r"(?:^|/)([^/_]+)_[^/]*$"  # 111_1_2_1_120_100_1.png: person 111


class Sftl54(FileReader):
    """SF-TL54 from per-image JSON files, or from a `.jsonl` file with one image a line.

    Args:
        annotations: Folder of JSON files (`gray/train/json`), or a `.jsonl` file.
        image_dir: Folder of the images; None: for a folder, its neighbour `images`; for a file, its own folder.
        unit: What image values mean; None: what the files say.
        subject_pattern: Regular expression on the image's path; its first group is the subject.
    """

    def __init__(
        self,
        *,
        annotations: str | Path,
        image_dir: str | Path | None = None,
        unit: str | None = None,
        subject_pattern: str | None = _SUBJECT,
    ) -> None:
        self.path = Path(annotations)
        self.image_dir = Path(image_dir) if image_dir is not None else None
        super().__init__(scheme="sftl54", unit=unit, subject_pattern=subject_pattern)

    def _parse(self) -> list[Annotation]:
        if self.path.is_dir():
            finder = ImageFinder()
            return [self._read_file(file, finder) for file in sorted(self.path.rglob("*.json"))]
        folder = self.image_dir or self.path.parent
        found = []
        for number, line in enumerate(require_text(self.path).splitlines(), 1):
            if line.strip():
                place = self._at(f"{self.path}, line {number}")
                record = parse_json(line, place)
                name = record.get("image") if isinstance(record, dict) else None
                if not isinstance(name, str):
                    raise DataError(f"{place}: no 'image' name. Expected one JSON object an image.")
                found.append(self._read(folder / name, name, place, record))
        return found

    def _read_file(self, file: Path, finder: ImageFinder) -> Annotation:
        self._at(file)
        folders = (self.image_dir,) if self.image_dir else (file.parent.parent / "images", file.parent)
        image = finder.find(folders, file.stem)
        if image is None:
            return self._fault(file, str(file), f"no image named {file.stem} found for it. Set data.source.image_dir.")
        try:
            record = parse_json(require_text(file, at_most=LARGEST_RECORD), str(file))
        except DataError as error:
            return self._fault(image, str(file), finding_of(error, file))
        return self._read(image, image.name, str(file), record)

    def _read(self, image: Path, name: str, place: str, record: Any) -> Annotation:
        subject = self._subject(name, name)
        try:
            groups = _by_group(record)
            points = np.concatenate([_points(groups, group, size) for group, size in _GROUPS.items()])
            box = _box(groups.get("face"))
        except ValueError as error:
            return self._fault(image, place, f"{error} Fix or remove the record.", subject=subject)
        keys = ("imageWidth", "imageHeight") if "shapes" in record else ("width", "height")
        size = stated_size(*(record.get(key) for key in keys))
        return self._annotation(image, points, subject, place, box_px=box, attributes=size)


@dataclass(kw_only=True, eq=False)
class Sftl54Text(FileReader):
    """Folder of images with text files of 54 lines `index x y ...`, x and y as fractions of width and height."""

    scheme: str = field(default="sftl54", init=False)
    folder: Path  # of the text files and the images
    suffix: str = ".npy"  # which image belongs to a text file (`.npy` or `.jpg`, ...)
    subject_pattern: str | None = _SUBJECT

    def _parse(self) -> list[Annotation]:
        return [self._read(file) for file in sorted(require_folder(self.folder).rglob("*.txt"))]

    def _read(self, file: Path) -> Annotation:
        self._at(file)
        image = file.with_suffix(self.suffix)
        relative = image.relative_to(self.folder).as_posix()
        subject = self._subject(relative, relative)
        fractions = np.full((sum(_GROUPS.values()), 2), np.nan)
        try:
            text = require_text(file, at_most=LARGEST_RECORD)
        except DataError as error:
            return self._fault(image, str(file), finding_of(error, file), subject=subject)
        for number, line in enumerate(text.splitlines(), 1):
            cells = line.split()
            if not cells:
                continue
            try:
                index, x, y = int(cells[0]), float(cells[1]), float(cells[2])
                if not 0 <= index < len(fractions):
                    raise ValueError
            except (ValueError, IndexError):
                finding = f"line {number}: found '{shortened(line.strip())}', expected an index from 0 to 53, x and y."
                return self._fault(image, str(file), finding, subject=subject)
            fractions[index] = x, y
        try:
            height, width = read_image_size(image)
        except DataError as error:
            return self._fault(image, str(file), str(error), subject=subject)
        annotation = self._annotation(image, fractions, subject, str(file))
        if is_faulty(annotation):
            return annotation
        # fractions count from the image's edge, pixels from the first pixel's centre
        points = fractions * [width, height] - 0.5
        return self._annotation(image, points, subject, str(file), attributes=stated_size(width, height))


def _by_group(record: Any) -> dict[str, Any]:
    if not isinstance(record, dict):
        raise ValueError("expected a JSON object.")
    if "shapes" not in record:
        return record
    shapes = record["shapes"] if isinstance(record["shapes"], list) else []
    return {s["label"]: s.get("points") for s in shapes if isinstance(s, dict) and isinstance(s.get("label"), str)}


def _points(groups: dict[str, Any], group: str, size: int) -> Float[np.ndarray, "point 2"]:
    if group not in groups:
        raise ValueError(f"no group '{group}'.")
    try:
        points = np.array(groups[group], dtype=np.float64).reshape(-1, 2)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"group '{group}' is not a list of x, y pairs.") from None
    if len(points) != size:
        raise ValueError(f"group '{group}' has {len(points)} points instead of {size}.")
    return points


def _box(corners: Any) -> tuple[float, float, float, float] | None:
    if corners is None:
        return None
    low, high = np.sort(_points({"face": corners}, "face", 2), axis=0).tolist()
    return (low[0], low[1], high[0], high[1])
