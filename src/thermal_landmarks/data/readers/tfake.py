"""FaceSynthetics (Wood et al. 2021) and T-FAKE, its thermal rendering: `NNNNNN.png` and `NNNNNN_ldmks.txt`.

T-FAKE's pictures are 16-bit PNG, `NNNNNN.png` or `NNNNNN_thermal.png`, in a folder of their own for each condition.
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from thermal_landmarks.data.annotation import Annotation
from thermal_landmarks.data.readers.annotation_files import parse_points, require_folder
from thermal_landmarks.data.readers.base import FileReader, Marks

_LANDMARKS = "_ldmks.txt"


@dataclass(kw_only=True, eq=False)
class TFake(FileReader):
    """Synthetic faces with 70 landmarks (68 and the pupils) or 68; every image shows a person of its own."""

    folder: Path  # of the `_ldmks.txt` files
    image_dir: Path | None = None  # of the pictures; None: the same
    scheme: str = "tfake70"  # or `ibug68` for files of 68 lines (of 70 lines the first 68 are then taken)

    def _parse(self) -> list[Annotation]:
        files = sorted(require_folder(self.folder).glob(f"*{_LANDMARKS}"))
        images = require_folder(self.image_dir or self.folder)
        thermal = {path.name.removesuffix("_thermal.png") for path in images.glob("*_thermal.png")}
        numbers = [file.name.removesuffix(_LANDMARKS) for file in files]
        pictures = [images / f"{number}{'_thermal' if number in thermal else ''}.png" for number in numbers]
        return [
            self._face(image, self._subject(image.name, number), file, partial(self._marks, file))
            for file, number, image in zip(files, numbers, pictures, strict=True)
        ]

    def _marks(self, file: Path) -> Marks:
        points = parse_points(file)
        return Marks(points[:68] if self.scheme == "ibug68" and len(points) == 70 else points)
