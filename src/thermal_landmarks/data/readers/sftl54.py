"""SF-TL54 (Kuzdeuov et al. 2022): 54 landmarks on thermal faces, one labelme JSON an image, or lines of `labels.jsonl`.

Also the text form that other authors use for the same 54 points: lines `index x y ...`, x and y as fractions of the
image's width and height.
"""

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from thermal_landmarks.data.annotation import Annotation
from thermal_landmarks.data.formats.images import read_image_size
from thermal_landmarks.data.readers.annotation_files import (
    LARGEST_RECORD,
    numbered_lines,
    parse_json,
    require_folder,
    require_text,
    shortened,
)
from thermal_landmarks.data.readers.base import FileReader, Marks, stated_size
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

_REMEDY = "Fix or remove the record."
_SUBJECT = r"(?:^|/)([^/_]+)_[^/]*$"  # 111_1_2_1_120_100_1.png: person 111


class Sftl54(FileReader):
    """SF-TL54 from per-image JSON files (in `gray/train/json`), or from a `.jsonl` file with one image a line.

    Images lie in `image_dir`; None: for a folder in its neighbour `images`, for a file in its own. By default the
    subject is what stands before the first `_`.
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
        for number, line in numbered_lines(self.path):
            place = self._at(f"{self.path}, line {number}")
            record = parse_json(line, place)
            name = record.get("image") if isinstance(record, dict) else None
            if not isinstance(name, str):
                raise DataError(f"{place}: no 'image' name. Expected one JSON object an image.")
            found.append(self._face(folder / name, self._subject(name, name), place, partial(_marks, record)))
        return found

    def _read_file(self, file: Path, finder: ImageFinder) -> Annotation:
        folders = (self.image_dir,) if self.image_dir else (file.parent.parent / "images", file.parent)
        image = finder.find(folders, file.stem, "Set data.source.image_dir.")
        name = file.stem if isinstance(image, DataError) else image.name

        def marks() -> Marks:
            return _marks(parse_json(require_text(file, at_most=LARGEST_RECORD), str(file)))

        return self._face(image, self._subject(name, name), file, marks)


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
        image = file.with_suffix(self.suffix)
        relative = image.relative_to(self.folder).as_posix()
        return self._face(image, self._subject(relative, relative), file, lambda: self._marks(file, image))

    def _marks(self, file: Path, image: Path) -> Marks:
        fractions = np.full((self._num_points, 2), np.nan)
        for number, line in numbered_lines(file, at_most=LARGEST_RECORD):
            try:
                index, x, y = line.split()[:3]
                if not 0 <= int(index) < len(fractions):
                    raise ValueError
                fractions[int(index)] = float(x), float(y)
            except ValueError:
                found = f"line {number}: found '{shortened(line)}'"
                raise DataError(f"{found}, expected an index from 0 to {len(fractions) - 1}, x and y.") from None
        height, width = read_image_size(image)
        # fractions count from the image's edge, pixels from the first pixel's centre
        return Marks(fractions * [width, height] - 0.5, attributes=stated_size(width, height))


def _marks(record: Any) -> Marks:
    if not isinstance(record, dict):
        raise DataError("expected a JSON object.")
    groups, keys = record, ("width", "height")
    if "shapes" in record:  # of labelme
        shapes = record["shapes"] if isinstance(record["shapes"], list) else []
        named = [s for s in shapes if isinstance(s, dict) and isinstance(s.get("label"), str)]
        groups, keys = {s["label"]: s.get("points") for s in named}, ("imageWidth", "imageHeight")
    points = np.concatenate([_points(groups, group, size) for group, size in _GROUPS.items()])
    box = None
    if groups.get("face") is not None:
        low, high = np.sort(_points(groups, "face", 2), axis=0).tolist()
        box = (low[0], low[1], high[0], high[1])
    return Marks(points, box, attributes=stated_size(*(record.get(key) for key in keys)))


def _points(groups: dict[str, Any], group: str, size: int) -> Float[np.ndarray, "point 2"]:
    if group not in groups:
        raise DataError(f"no group '{group}'. {_REMEDY}")
    try:
        points = np.array(groups[group], dtype=np.float64).reshape(-1, 2)
    except (TypeError, ValueError, OverflowError):
        raise DataError(f"group '{group}' is not a list of x, y pairs. {_REMEDY}") from None
    if len(points) != size:
        raise DataError(f"group '{group}' has {len(points)} points instead of {size}. {_REMEDY}")
    return points
