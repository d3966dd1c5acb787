"""FaceSynthetics (Wood et al. 2021) and T-FAKE, its thermal rendering: `NNNNNN.png` and `NNNNNN_ldmks.txt`.

T-FAKE's pictures are 16-bit PNG, `NNNNNN.png` or `NNNNNN_thermal.png`, in a folder of their own for each condition.
"""

from pathlib import Path

from thermal_landmarks.data.annotation import Annotation
from thermal_landmarks.data.readers.annotation_files import LARGEST_RECORD, parse_points, require_folder, require_text
from thermal_landmarks.data.readers.base import FileReader, finding_of
from thermal_landmarks.errors import DataError

_LANDMARKS = "_ldmks.txt"


class TFake(FileReader):
    """Synthetic faces with 70 landmarks (68 and the pupils) or 68; every image shows a person of its own.

    Args:
        folder: Where the `_ldmks.txt` files are.
        image_dir: Folder of the pictures; None: the same.
        scheme: `tfake70`, or `ibug68` for files of 68 lines (of 70 lines the first 68 are then taken).
        unit: What the 16-bit values mean; None: gray levels.
        subject_pattern: Regular expression on the file name; its first group is the subject.
    """

    def __init__(
        self,
        *,
        folder: str | Path,
        image_dir: str | Path | None = None,
        scheme: str = "tfake70",
        unit: str | None = None,
        subject_pattern: str | None = None,
    ) -> None:
        self.folder = Path(folder)
        self.image_dir = Path(image_dir) if image_dir is not None else self.folder
        settings = {"folder": self.folder, "images": self.image_dir}
        super().__init__(scheme=scheme, unit=unit, subject_pattern=subject_pattern, settings=settings)

    def _parse(self) -> list[Annotation]:
        files = sorted(require_folder(self.folder).glob(f"*{_LANDMARKS}"))
        pictures = {path.name for path in require_folder(self.image_dir).glob("*.png")}
        return [self._read(file, pictures) for file in files]

    def _read(self, file: Path, pictures: set[str]) -> Annotation:
        self._at(file)
        number = file.name.removesuffix(_LANDMARKS)
        thermal = f"{number}_thermal.png"
        image = self.image_dir / (thermal if thermal in pictures else f"{number}.png")
        subject = self._subject(image.name, number)
        try:
            points = parse_points(file, enumerate(require_text(file, at_most=LARGEST_RECORD).splitlines(), 1))
        except DataError as error:
            return self._fault(image, str(file), finding_of(error, file), subject=subject)
        if self.scheme == "ibug68" and len(points) == 70:
            points = points[:68]
        return self._annotation(image, points, subject, str(file))
