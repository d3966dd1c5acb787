"""Every face of image files, as rows of `points.csv` and on wish as COCO keypoints."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from thermal_landmarks.data.annotation import ThermalImage
from thermal_landmarks.inference.ahead import Failure, predict_ahead, read_ahead, reason_of
from thermal_landmarks.inference.face import MIN_SCORE, Face, FindsFaces
from thermal_landmarks.inference.image_files import Outcome
from thermal_landmarks.inference.overlay_files import OverlayFiles
from thermal_landmarks.inference.picture_reader import PictureReader, Reading
from thermal_landmarks.inference.points_table import CocoFaces, PointsTable
from thermal_landmarks.long_work import counting

if TYPE_CHECKING:  # exported files are predicted without PyTorch
    from thermal_landmarks.data.preprocessing import Box
    from thermal_landmarks.inference.finder import Finder

Format = Literal["csv", "coco"]


@dataclass
class FaceOutcome(Outcome):
    """What became of the files of one call."""

    faces: int = 0  # all faces
    without: int = 0  # images in which none was found

    def __str__(self) -> str:
        without = f", {self.without} without" if self.without else ""
        return f"{_count(self.faces, 'face')} in {_count(self.predicted, 'image')}{without}"


def predict_faces(
    predictor: FindsFaces,
    files: Sequence[Path],
    folder: Path,
    *,
    finder: Finder | None = None,
    most: int | None = None,
    min_score: float = MIN_SCORE,
    min_confidence: float = 0.0,
    boxes: dict[Path, list[Box]] | None = None,
    form: Format = "csv",
    overlays: bool = True,
    workers: int = 1,
    reading: Reading | None = None,
    also: Callable[[Path, ThermalImage, list[Face]], None] = lambda *_: None,
) -> FaceOutcome:
    """Find the faces of image files and predict their landmarks; one file that can't be read does not stop the others.

    Args:
        predictor: Of landmarks; or an exported file, which takes neither finder nor boxes.
        files: Absolute paths.
        folder: Gets `points.csv`, `landmarks.json`, `faces.json` and `overlays/`.
        finder: Of faces. None: the one that comes with the package.
        most: Faces an image, the surest ones. None: all.
        min_score: What is less probably a face is left out.
        min_confidence: Faces whose landmarks are less probably right are left out.
        boxes: Where the faces of each image are, instead of looking for them.
        form: `coco` writes `faces.json` beside the table.
        overlays: Whether pictures with the points are written.
        workers: Images that are predicted side by side.
        reading: How files are read, and what becomes of those that can't be.
        also: Called with each image and its faces, in the order of the table.
    """
    outcome, reading = FaceOutcome(), reading or Reading()

    def faces_of(seen: Sequence[tuple[Path, ThermalImage]]) -> list[list[Face] | Failure]:
        ((path, image),) = seen
        settings: dict[str, Any] = {} if boxes is None else {"boxes_px": boxes.get(path, [])}
        if finder is not None:
            settings["finder"] = finder
        try:
            faces = predictor.faces(image, min_score=min_score, min_confidence=min_confidence, **settings)
        except Exception as error:
            return [Failure(path, reason_of(error, path, debug=reading.debug))]
        return [faces if most is None else sorted(faces, key=lambda face: -face.score)[:most]]

    coco = CocoFaces(predictor.scheme) if form == "coco" else None
    with (
        PointsTable(folder, predictor.scheme, unit=reading.unit, of_faces=True) as table,
        OverlayFiles(folder / "overlays", files, debug=reading.debug) as drawn,
        counting("Finding faces", len(files)) as done,
    ):
        batches = read_ahead(files, PictureReader(files, reading), batch_size=predictor.batch_size, debug=reading.debug)
        found = predict_ahead(batches, faces_of, done, batch_size=predictor.batch_size, workers=workers)
        for path, image, faces in outcome.count(found, reading.report):
            table.add_faces(path, image, faces)
            also(path, image, faces)
            if coco is not None:
                coco.add(path, image, faces)
            if overlays:
                points = [face.points_px for face in faces]
                drawn.add(
                    path,
                    image,
                    np.concatenate(points) if points else np.empty((0, 2)),
                    boxes_px=[face.box_px for face in faces],
                    labels=[f"{i}: {face.score:.2f} / {face.confidence:.2f}" for i, face in enumerate(faces)],
                )
            outcome.faces += len(faces)
            outcome.without += not faces
    if coco is not None:
        coco.write(folder / "faces.json", unit=reading.unit)
    return outcome


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"
