"""Reads the image files of one call: the palette turned back into heat, and the camera's marks filled."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from thermal_landmarks.data.annotation import ThermalImage
from thermal_landmarks.data.formats.displayed import as_heat
from thermal_landmarks.data.formats.images import read_image_size, read_stored, to_image
from thermal_landmarks.data.formats.marks import constant_marks
from thermal_landmarks.data.formats.stored import Stored
from thermal_landmarks.errors import UserError
from thermal_landmarks.inference.ahead import Failure

_SAMPLE = 9  # files that are compared
_LARGEST = 2_000_000  # pixels of one of them


@dataclass(frozen=True)
class Reading:
    """How image files are read, and what becomes of those without a prediction."""

    unit: str | None = None  # of values that don't name theirs; see `read_image`
    counts_table: Path | None = None  # see `read_image`
    palette: str = "auto"  # of 8-bit pictures; see `as_heat`
    marks: str = "masked"  # of cameras in 8-bit pictures; see `as_heat`
    # Whether an error of the program itself on one file ends all instead of being named as that file's
    debug: bool = False
    report: Callable[[Failure], None] = lambda _: None  # called with each failure as it happens


class PictureReader:
    """A function from a file to its image, as it is predicted.

    What several of the files show at one place, while the picture around it changes, is a mark of their camera.

    Args:
        files: All that will be read.
        reading: How.
    """

    def __init__(self, files: Sequence[Path], reading: Reading) -> None:
        self._reading = reading
        self._constant: dict[tuple[int, ...], np.ndarray] = {}
        if reading.marks == "masked":
            self._constant = self._compared([files[i] for i in np.linspace(0, len(files) - 1, _SAMPLE).astype(int)])

    def __call__(self, path: Path) -> ThermalImage:
        """Read one; errors as of `read_image`."""
        image = to_image(path, self._stored(path))
        return as_heat(
            image, self._reading.palette, self._reading.marks, known_marks=self._constant.get(image.values.shape)
        )

    def _stored(self, path: Path) -> Stored:
        return read_stored(path, unit=self._reading.unit, counts_table=self._reading.counts_table)

    def _compared(self, sample: Sequence[Path]) -> dict[tuple[int, ...], np.ndarray]:
        """Marks of each size of 8-bit pictures in a sample; nothing of a folder of a few files."""
        levels: dict[tuple[int, ...], list[np.ndarray]] = defaultdict(list)
        if len(set(sample)) < _SAMPLE:
            return {}
        for path in sample:
            try:
                height, width = read_image_size(path)
                small = height * width <= _LARGEST
                image = to_image(path, self._stored(path), quiet=True) if small else None
            except UserError:  # whoever asks for this file will be told
                continue
            if image is not None and image.unit == "gray" and image.values.max() <= 255:
                levels[image.values.shape].append(image.values.astype(np.uint8))
        return {shape: constant_marks(each) for shape, each in levels.items()}
