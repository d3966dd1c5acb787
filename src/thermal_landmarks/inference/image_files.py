"""Landmarks of image files: find them, read them ahead, predict in batches, write each result at once.

`points.csv` has the columns `image,subject,image_width,image_height,x0,y0,x1,y1,...`, so that it can be looked at,
corrected and trained on (as flat CSV data); `landmarks.json` beside it names the landmarks. Points are in pixels of the
values that `read_image` gives, which are image_width x image_height: for a radiometric FLIR JPEG those are its
temperatures, whose size may differ from the picture's. A prediction knows no person: `subject` is the image's folder.
"""

from __future__ import annotations

import functools
import glob
import logging
import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Float

from thermal_landmarks.csv_table import CsvTable
from thermal_landmarks.data.annotation import ThermalImage
from thermal_landmarks.data.formats.images import list_images, read_image
from thermal_landmarks.data.formats.palettes import without_palette
from thermal_landmarks.errors import ConfigError
from thermal_landmarks.inference.overlay_files import OverlayFiles
from thermal_landmarks.inference.reading_ahead import read_ahead, reason_of
from thermal_landmarks.long_work import counting
from thermal_landmarks.runs import write_json

if TYPE_CHECKING:  # exported files are predicted without PyTorch
    from thermal_landmarks.data.five_points import Found
    from thermal_landmarks.data.preprocessing import Box
    from thermal_landmarks.inference.predictor import Predictor

_log = logging.getLogger(__name__)


class Failure(NamedTuple):
    """A file without a prediction."""

    path: Path
    reason: str


@dataclass
class Outcome:
    """What became of the files of one call.

    Attributes:
        predicted: Files with a prediction.
        failures: Files without, and why.
        palettes: How many pictures were turned from each colour palette back into intensity.
    """

    predicted: int = 0
    failures: list[Failure] = field(default_factory=list)
    palettes: Counter[str] = field(default_factory=Counter)


def find_images(source: str | Sequence[str] | None) -> list[Path]:
    """The image files that `source=` means, each once, as absolute paths.

    Args:
        source: A folder (with its subfolders), a file, a pattern with `*`, `?` or `[...]`, or a list of these.

    Raises:
        ConfigError: If nothing is given, or an entry means no file.
        DataError: If a folder holds no image.
    """
    entries = [str(entry) for entry in ([source] if isinstance(source, str) else source or ())]
    if not entries or not all(entries):
        raise ConfigError("source is not set. Give a folder, an image, a pattern or a list: source=PATH.")
    found: dict[Path, None] = {}
    for entry in entries:
        path = Path(entry).expanduser()
        if path.exists():
            files = list_images(path)
        else:
            matches = sorted(glob.glob(str(path), recursive=True))  # noqa: PTH207 (Path.glob refuses absolute patterns)
            files = [Path(match) for match in matches if Path(match).is_file()]
        if not files:
            raise ConfigError(f"source={entry}: there is no such file or folder, and no file matches it as a pattern.")
        found.update(dict.fromkeys(_absolute(file) for file in files))
    return list(found)


def read_seen(
    path: Path, *, unit: str | None = None, counts_table: Path | None = None, palette: str = "auto"
) -> ThermalImage:
    """Read one image file; the colours of a thermal camera become the intensity that they stand for."""
    return without_palette(read_image(path, unit=unit, counts_table=counts_table), palette)


class PointsFile:
    """`points.csv` and `landmarks.json`; every row is on the disk before the next batch begins.

    Args:
        folder: Where the two files go.
        predictor: Names the landmarks.
        unit: What the images' values were read as; gets a column where it is set.
    """

    def __init__(self, folder: Path, predictor: Predictor, *, unit: str | None = None) -> None:
        self.path = folder / "points.csv"
        scheme = predictor.scheme
        write_json(folder / "landmarks.json", {"scheme": scheme.name, "landmarks": list(scheme.landmark_names)})
        self._table = CsvTable(self.path)
        self._unit = {} if unit is None else {"unit": unit}
        coordinates = [f"{axis}{i}" for i in range(scheme.num_points) for axis in "xy"]
        self._table.add(["image", "subject", *self._unit, "image_width", "image_height", *coordinates])
        self._table.flush()

    def add(self, path: Path, image: ThermalImage, points_px: Float[np.ndarray, "point 2"]) -> None:
        """Write one image's row."""
        height, width = image.values.shape
        coordinates = [f"{value:.3f}" for value in points_px.ravel()]
        self._table.add([path, path.parent.name, *self._unit.values(), width, height, *coordinates])
        self._table.flush()

    def __enter__(self) -> PointsFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._table.close()


def predict_files(
    predictor: Predictor,
    files: Sequence[Path],
    folder: Path,
    *,
    unit: str | None = None,
    counts_table: Path | None = None,
    palette: str = "auto",
    boxes: dict[Path, Box] | None = None,
    five_points: Found | None = None,
    overlays: bool = True,
    debug: bool = False,
    report: Callable[[Failure], None] | None = None,
) -> Outcome:
    """Predict the landmarks of image files; one that has no prediction does not stop the others.

    Args:
        predictor: The network.
        files: Absolute paths.
        folder: Gets `points.csv`, `landmarks.json` and `overlays/`.
        unit: Of values that don't name theirs; see `read_image`.
        counts_table: See `read_image`.
        palette: Of 8-bit colour pictures; see `without_palette`.
        boxes: Face boxes, where the network needs them; None: each image is a face crop.
        five_points: Of the faces, where the network was trained on aligned ones; None: faces are cropped by their
            boxes, as is a face without five points. Of several faces the one nearest to the box's middle is taken.
        overlays: Whether pictures with the points are written.
        debug: Whether an error of the program itself on one file ends all instead of being named as that file's.
        report: Called with each failure as it happens.
    """
    from thermal_landmarks.inference.threads import MeasuredThreads

    outcome = Outcome()
    cropped_by_box = 0
    read = functools.partial(read_seen, unit=unit, counts_table=counts_table, palette=palette)
    with (
        PointsFile(folder, predictor, unit=unit) as rows,
        OverlayFiles(folder / "overlays", files, debug=debug) as drawn,
        MeasuredThreads(predictor.device) as threads,
        counting("Predicting", len(files)) as done,
    ):
        for batch in read_ahead(files, read, batch_size=predictor.batch_size, debug=debug):
            images: list[_Face] = []
            failures: list[Failure] = []
            for path, image in batch:
                face = _face(path, image, boxes, five_points) if isinstance(image, ThermalImage) else image
                if isinstance(face, _Face):
                    images.append(face)
                    cropped_by_box += five_points is not None and face.five_points_px is None
                else:
                    failures.append(Failure(path, face))
            with threads.batch(len(images)):
                predictions = _predict(predictor, images, debug=debug)
            for (path, image, *_), points_px in zip(images, predictions, strict=True):
                if isinstance(points_px, Failure):
                    failures.append(points_px)
                    continue
                rows.add(path, image, points_px)
                outcome.palettes.update([image.palette] if image.palette else [])
                if overlays:
                    drawn.add(path, image, points_px)
                outcome.predicted += 1
            outcome.failures += failures
            if report is not None:
                for failure in failures:
                    report(failure)
            done(len(batch))
    if cropped_by_box:
        _log.warning("No five points for %d of %d images; their boxes are used.", cropped_by_box, len(files))
    return outcome


class _Face(NamedTuple):
    path: Path
    image: ThermalImage
    box_px: Box
    five_points_px: np.ndarray | None


def _predict(predictor: Predictor, images: Sequence[_Face], *, debug: bool) -> Sequence[np.ndarray | Failure]:
    """The points of each image, or why it has none; one by one only where the batch as a whole can't be predicted."""
    if not images:
        return []
    _, thermal_images, boxes, five_points = zip(*images, strict=True)
    try:
        return list(predictor(thermal_images, boxes_px=boxes, five_points_px=five_points))
    except Exception as error:
        if len(images) == 1:
            path = images[0].path
            return [Failure(path, reason_of(error, path, debug=debug))]
    return [result for image in images for result in _predict(predictor, [image], debug=debug)]


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))  # noqa: PTH100 (`resolve` would follow links, and name other folders and files)


def _face(path: Path, image: ThermalImage, boxes: dict[Path, Box] | None, five_points: Found | None) -> _Face | str:
    """The image with the place of its face, or the reason why there is none."""
    from thermal_landmarks.data.five_points import face_in_box

    height, width = image.values.shape
    whole = (-0.5, -0.5, width - 0.5, height - 0.5)
    box = whole if boxes is None else boxes.get(path)
    points = None if five_points is None else face_in_box(five_points.get(path, []), box or whole)
    if box is None and points is None:
        return f"{path}: the file of {'boxes' if five_points is None else 'five points'} has none for this image."
    return _Face(path, image, box or whole, points)
