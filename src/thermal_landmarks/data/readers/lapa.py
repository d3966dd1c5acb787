"""LaPa (Liu et al., AAAI 2020): 106 landmarks, in folders `images` and `landmarks` of train, val and test.

Not JD-landmark, although both have 106 points: other pictures, other annotators. The data set doesn't say who is seen:
each picture counts as a person of its own. Nor does it have face boxes: the rectangle around the true points is ours.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from thermal_landmarks.data.annotation import Annotation
from thermal_landmarks.data.readers.annotation_files import require_folder
from thermal_landmarks.data.readers.base import FileReader, Marks
from thermal_landmarks.data.readers.image_folder import ImageFinder
from thermal_landmarks.data.readers.jd106 import read_counted_points


@dataclass(kw_only=True, eq=False)
class Lapa(FileReader):
    """One face for each `landmarks/NAME.txt` (a line `106`, then 106 lines `x y`); its picture is `images/NAME.jpg`."""

    scheme: str = field(default="lapa106", init=False)
    subject_pattern: str | None = field(default=None, init=False)
    folder: Path  # of the data set
    parts: Sequence[str] = ("train",)  # which of `train`, `val` and `test` to read

    def _parse(self) -> list[Annotation]:
        finder = ImageFinder()
        folders = [(part, require_folder(self.folder / part / "landmarks")) for part in self.parts]
        return [self._read(file, part, finder) for part, folder in folders for file in sorted(folder.glob("*.txt"))]

    def _read(self, file: Path, part: str, finder: ImageFinder) -> Annotation:
        image = finder.find((self.folder / part / "images",), file.stem, "Complete the data set.")

        def marks() -> Marks:
            points = read_counted_points(file)
            return Marks(points, (*points.min(axis=0).tolist(), *points.max(axis=0).tolist()) if len(points) else None)

        return self._face(image, f"{part}/{file.stem}", file, marks)
