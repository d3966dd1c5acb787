"""LaPa (Liu et al., AAAI 2020): 106 landmarks, in folders `images` and `landmarks` of train, val and test.

Not JD-landmark, although both have 106 points: other pictures, other annotators. The data set doesn't say who is seen:
each picture counts as a person of its own. Nor does it have face boxes: the rectangle around the true points is ours.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from thermal_landmarks.data.annotation import Annotation
from thermal_landmarks.data.readers.annotation_files import require_folder
from thermal_landmarks.data.readers.base import FileReader, finding_of
from thermal_landmarks.data.readers.image_folder import ImageFinder
from thermal_landmarks.data.readers.jd106 import read_counted_points
from thermal_landmarks.errors import DataError


@dataclass(kw_only=True, eq=False)
class Lapa(FileReader):
    """One face for each `landmarks/NAME.txt` (a line `106`, then 106 lines `x y`); its picture is `images/NAME.jpg`."""

    scheme: str = field(default="lapa106", init=False)
    subject_pattern: str | None = field(default=None, init=False)
    folder: Path  # of the data set
    parts: Sequence[str] = ("train",)  # which of `train`, `val` and `test` to read

    def _parse(self) -> list[Annotation]:
        finder = ImageFinder()
        found = []
        for part in self.parts:
            landmarks = require_folder(self.folder / part / "landmarks")
            found += [self._read(file, part, finder) for file in sorted(landmarks.glob("*.txt"))]
        return found

    def _read(self, file: Path, part: str, finder: ImageFinder) -> Annotation:
        self._at(file)
        subject = f"{part}/{file.stem}"
        images = self.folder / part / "images"
        image = finder.find((images,), file.stem)
        if image is None:
            return self._fault(images / file.stem, str(file), f"no image of that name in {images}.", subject=subject)
        try:
            points = read_counted_points(file)
        except DataError as error:
            return self._fault(image, str(file), finding_of(error, file), subject=subject)
        box = (*points.min(axis=0).tolist(), *points.max(axis=0).tolist()) if len(points) else None
        return self._annotation(image, points, subject, str(file), box_px=box)
