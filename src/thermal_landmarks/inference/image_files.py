"""Landmarks of image files, each taken for one face: find them, read them ahead, predict, write each result at once."""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np

from thermal_landmarks.data.annotation import ThermalImage
from thermal_landmarks.data.formats.images import list_images
from thermal_landmarks.data.paths import matching
from thermal_landmarks.errors import ConfigError
from thermal_landmarks.inference.ahead import Failure, predict_ahead, read_ahead, reason_of
from thermal_landmarks.inference.overlay_files import OverlayFiles
from thermal_landmarks.inference.picture_reader import PictureReader, Reading
from thermal_landmarks.inference.points_table import PointsTable
from thermal_landmarks.long_work import counting

if TYPE_CHECKING:  # exported files are predicted without PyTorch
    from thermal_landmarks.data.five_points import Found
    from thermal_landmarks.data.preprocessing import Box
    from thermal_landmarks.inference.predictor import Predictor

_log = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass
class Outcome:
    """What became of the files of one call."""

    predicted: int = 0  # files with a prediction
    failures: list[Failure] = field(default_factory=list)  # files without, and why
    # How many pictures were turned from each colour palette back into intensity
    palettes: Counter[str] = field(default_factory=Counter)
    masked: int = 0  # pictures with a camera's marks, which were filled

    def count(
        self, results: Iterable[tuple[Path, ThermalImage | str, T | Failure]], report: Callable[[Failure], None]
    ) -> Iterator[tuple[Path, ThermalImage, T]]:
        """The results of the files that have one; failures are kept and reported."""
        for path, image, result in results:
            if isinstance(result, Failure) or isinstance(image, str):
                assert isinstance(result, Failure)
                self.failures.append(result)
                report(result)
                continue
            yield path, image, result
            self.palettes.update([image.palette] if image.palette else [])
            self.masked += image.masked > 0
            self.predicted += 1


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
        files = list_images(path) if path.exists() else [match for match in matching(entry) if match.is_file()]
        if not files:
            raise ConfigError(f"source={entry}: there is no such file or folder, and no file matches it as a pattern.")
        found.update(dict.fromkeys(_absolute(file) for file in files))
    return list(found)


def predict_files(
    predictor: Predictor,
    files: Sequence[Path],
    folder: Path,
    *,
    boxes: dict[Path, Box] | None = None,
    five_points: Found | None = None,
    overlays: bool = True,
    workers: int = 1,
    reading: Reading | None = None,
) -> Outcome:
    """Predict the landmarks of image files; one that has no prediction does not stop the others.

    Args:
        predictor: The network.
        files: Absolute paths.
        folder: Gets `points.csv`, `landmarks.json` and `overlays/`.
        boxes: Face boxes, where the network needs them; None: each image is a face crop.
        five_points: Of the faces, where the network was trained on aligned ones; None: faces are cropped by their
            boxes, as is a face without five points. Of several faces the one nearest to the box's middle is taken.
        overlays: Whether pictures with the points are written.
        workers: Images that are predicted side by side; one: the images of a batch pass the network together.
        reading: How files are read, and what becomes of those that can't be.
    """
    outcome, reading, by_box = Outcome(), reading or Reading(), list[_Face]()

    def points_of(images: Sequence[tuple[Path, ThermalImage]]) -> list[np.ndarray | Failure]:
        faces = [_face(path, image, boxes, five_points) for path, image in images]
        by_box.extend(face for face in faces if isinstance(face, _Face) and face.five_points_px is None)
        points = iter(_predict(predictor, [face for face in faces if isinstance(face, _Face)], debug=reading.debug))
        return [next(points) if isinstance(face, _Face) else face for face in faces]

    with (
        PointsTable(folder, predictor.scheme, unit=reading.unit) as table,
        OverlayFiles(folder / "overlays", files, debug=reading.debug) as drawn,
        counting("Predicting", len(files)) as done,
    ):
        size = predictor.batch_size
        batches = read_ahead(files, PictureReader(files, reading), batch_size=size, debug=reading.debug)
        together = 1 if workers > 1 else size
        found = predict_ahead(batches, points_of, done, batch_size=size, workers=workers, together=together)
        for path, image, points_px in outcome.count(found, reading.report):
            table.add_points(path, image, points_px)
            if overlays:
                drawn.add(path, image, points_px)
    if five_points is not None and by_box:
        _log.warning("No five points for %d of %d images; their boxes are used.", len(by_box), len(files))
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


def _face(path: Path, image: ThermalImage, boxes: dict[Path, Box] | None, five_points: Found | None) -> _Face | Failure:
    """The image with the place of its face, or the reason why there is none."""
    from thermal_landmarks.data.five_points import face_in_box

    height, width = image.values.shape
    whole = (-0.5, -0.5, width - 0.5, height - 0.5)
    box = whole if boxes is None else boxes.get(path)
    points = None if five_points is None else face_in_box(five_points.get(path, []), box or whole)
    if box is None and points is None:
        given = "boxes" if five_points is None else "five points"
        return Failure(path, f"{path}: the file of {given} has none for this image.")
    return _Face(path, image, box or whole, points)
