"""FaceSynthetics (Wood et al. 2021) and T-FAKE, its thermal rendering: `NNNNNN.png` and `NNNNNN_ldmks.txt`.

T-FAKE's pictures are 16-bit PNG, `NNNNNN.png` or `NNNNNN_thermal.png`, in a folder of their own for each condition.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from thermal_landmarks.data.annotation import Annotation
from thermal_landmarks.data.readers.annotation_files import LARGEST_RECORD, parse_points, require_folder, require_text
from thermal_landmarks.data.readers.base import FileReader

_LANDMARKS = "_ldmks.txt"


@dataclass(kw_only=True, eq=False)
class TFake(FileReader):
    """Synthetic faces with 70 landmarks (68 and the pupils) or 68; every image shows a person of its own."""

    folder: Path  # of the `_ldmks.txt` files
    image_dir: Path | None = None  # of the pictures; None: the same
    scheme: str = "tfake70"  # or `ibug68` for files of 68 lines (of 70 lines the first 68 are then taken)

    def _parse(self) -> list[Annotation]:
        files = sorted(require_folder(self.folder).glob(f"*{_LANDMARKS}"))
        self._images = require_folder(self.image_dir or self.folder)
        pictures = {path.name for path in self._images.glob("*.png")}
        return [self._read(file, pictures) for file in files]

    def _read(self, file: Path, pictures: set[str]) -> Annotation:
        self._at(file)
        number = file.name.removesuffix(_LANDMARKS)
        thermal = f"{number}_thermal.png"
        image = self._images / (thermal if thermal in pictures else f"{number}.png")
        subject = self._subject(image.name, number)
        return self._of_file(file, image, subject, self._points)

    def _points(self, file: Path) -> np.ndarray:
        points = parse_points(file, enumerate(require_text(file, at_most=LARGEST_RECORD).splitlines(), 1))
        return points[:68] if self.scheme == "ibug68" and len(points) == 70 else points
