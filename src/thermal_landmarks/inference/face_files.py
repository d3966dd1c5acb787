"""Every face of image files: `points.csv` with one row a face, and on wish `faces.json` as COCO keypoints.

`points.csv` has the columns `image,subject,image_width,image_height,face,score,confidence,box_x_min,...,angle,x0,...`
and `c0,...`. `face` counts from 0, the surest landmarks first; `score` is the probability of being a face, `confidence`
that of right landmarks, `c0` that of point 0. An image without a face has one row in which all of these are empty. The
table can be trained on, as flat CSV data.
"""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from thermal_landmarks.csv_table import CsvTable
from thermal_landmarks.data.annotation import Annotation, ThermalImage
from thermal_landmarks.data.readers.coco import write_coco
from thermal_landmarks.inference.face import MIN_SCORE, Face, FindsFaces
from thermal_landmarks.inference.image_files import Failure, Outcome, read_seen
from thermal_landmarks.inference.overlay_files import OverlayFiles
from thermal_landmarks.inference.reading_ahead import read_ahead, reason_of
from thermal_landmarks.long_work import counting
from thermal_landmarks.runs import write_json

if TYPE_CHECKING:  # exported files are predicted without PyTorch
    from thermal_landmarks.data.preprocessing import Box
    from thermal_landmarks.inference.finder import Finder

Format = Literal["csv", "coco"]

_VISIBLE = 0.5  # confidence of a landmark from which on COCO's flag says visible
_BOX = ("box_x_min", "box_y_min", "box_x_max", "box_y_max")


@dataclass
class FaceOutcome(Outcome):
    """What became of the files of one call.

    Attributes:
        faces: All faces.
        without: Images in which none was found.
    """

    faces: int = 0
    without: int = 0

    def __str__(self) -> str:
        without = f", {self.without} without" if self.without else ""
        return f"{_count(self.faces, 'face')} in {_count(self.predicted, 'image')}{without}"


class FacesFile:
    """`points.csv` and `landmarks.json`; the rows of an image are on the disk before the next one begins.

    Args:
        folder: Where the files go.
        predictor: Names the landmarks.
        unit: What the images' values were read as; gets a column where it is set.
        coco: Whether `faces.json` is written too, at the end.
    """

    def __init__(self, folder: Path, predictor: FindsFaces, *, unit: str | None = None, coco: bool = False) -> None:
        self._folder, self._scheme = folder, predictor.scheme
        self._coco = coco
        self._annotations: list[Annotation] = []
        self._sizes: dict[Path, tuple[int, int]] = {}
        names = list(self._scheme.landmark_names)
        write_json(folder / "landmarks.json", {"scheme": self._scheme.name, "landmarks": names})
        self._table = CsvTable(folder / "points.csv")
        self._unit = {} if unit is None else {"unit": unit}
        count = self._scheme.num_points
        coordinates = [f"{axis}{i}" for i in range(count) for axis in "xy"]
        confidences = [f"c{i}" for i in range(count)]
        header = ["image", "subject", *self._unit, "image_width", "image_height"]
        self._table.add([*header, "face", "score", "confidence", *_BOX, "angle", *coordinates, *confidences])
        self._table.flush()

    def add(self, path: Path, image: ThermalImage, faces: Sequence[Face]) -> None:
        """Write the rows of one image, the surest face first; one empty row where it has none."""
        height, width = image.values.shape[-2:]
        first = [path, path.parent.name, *self._unit.values(), width, height]
        for number, face in enumerate(faces):
            numbers = [f"{value:.3f}" for value in (face.score, face.confidence, *face.box_px, face.angle_deg)]
            points = [f"{value:.3f}" for value in (*face.points_px.ravel(), *face.point_confidence)]
            self._table.add([*first, number, *numbers, *points])
        if not faces:
            self._table.add([*first, *[None] * (3 + len(_BOX) + 1 + 3 * self._scheme.num_points)])
        self._table.flush()
        self._sizes[path] = (height, width)
        if self._coco:
            self._annotations += [self._annotation(path, number, face) for number, face in enumerate(faces)]

    def __enter__(self) -> FacesFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._table.close()
        if self._coco and error is None:
            write_coco(
                self._folder / "faces.json",
                self._annotations,
                scheme=self._scheme.name,
                sizes=self._sizes,
                unit=self._unit.get("unit"),
            )

    @staticmethod
    def _annotation(path: Path, number: int, face: Face) -> Annotation:
        return Annotation(
            image=path,
            points_px=face.points_px,
            subject=f"{path.parent.name}/{number}",
            visible=face.point_confidence >= _VISIBLE,
            box_px=face.box_px,
            attributes={"score": round(face.confidence, 4)},
        )


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
    unit: str | None = None,
    counts_table: Path | None = None,
    palette: str = "auto",
    form: Format = "csv",
    overlays: bool = True,
    workers: int = 1,
    debug: bool = False,
    report: Callable[[Failure], None] | None = None,
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
        unit: Of values that don't name theirs; see `read_image`.
        counts_table: See `read_image`.
        palette: Of 8-bit colour pictures; see `without_palette`.
        form: `coco` writes `faces.json` beside the table.
        overlays: Whether pictures with the points are written.
        workers: Images that are predicted side by side.
        debug: Whether an error of the program itself on one file ends all instead of being named as that file's.
        report: Called with each failure as it happens.
    """
    outcome = FaceOutcome()
    read = functools.partial(read_seen, unit=unit, counts_table=counts_table, palette=palette)

    def attempt(path: Path, image: ThermalImage | str) -> list[Face] | Failure:
        if isinstance(image, str):
            return Failure(path, image)
        settings: dict[str, Any] = {} if boxes is None else {"boxes_px": boxes.get(path, [])}
        if finder is not None:
            settings["finder"] = finder
        try:
            faces = predictor.faces(image, min_score=min_score, min_confidence=min_confidence, **settings)
        except Exception as error:
            return Failure(path, reason_of(error, path, debug=debug))
        return faces if most is None else sorted(faces, key=lambda face: -face.score)[:most]

    with (
        FacesFile(folder, predictor, unit=unit, coco=form == "coco") as rows,
        OverlayFiles(folder / "overlays", files, debug=debug) as drawn,
        counting("Finding faces", len(files)) as done,
    ):
        batches = read_ahead(files, read, batch_size=predictor.batch_size, debug=debug)
        for path, image, faces in _side_by_side(batches, attempt, workers, predictor.batch_size):
            done(1)
            if isinstance(faces, Failure):
                outcome.failures.append(faces)
                if report is not None:
                    report(faces)
                continue
            assert isinstance(image, ThermalImage)
            rows.add(path, image, faces)
            outcome.palettes.update([image.palette] if image.palette else [])
            if overlays:
                points = [face.points_px for face in faces]
                drawn.add(
                    path,
                    image,
                    np.concatenate(points) if points else np.empty((0, 2)),
                    boxes_px=[face.box_px for face in faces],
                    labels=[f"{i}: {face.score:.2f} / {face.confidence:.2f}" for i, face in enumerate(faces)],
                )
            outcome.predicted += 1
            outcome.faces += len(faces)
            outcome.without += not faces
    return outcome


def _side_by_side(
    batches: Iterable[list[tuple[Path, ThermalImage | str]]],
    attempt: Callable[[Path, ThermalImage | str], list[Face] | Failure],
    workers: int,
    batch_size: int,
) -> Iterator[tuple[Path, ThermalImage | str, list[Face] | Failure]]:
    """The faces of each image in order, while those of the next ones are looked for."""
    pending: deque[tuple[Path, ThermalImage | str, Future[list[Face] | Failure]]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        try:
            for batch in batches:
                for path, image in batch:
                    pending.append((path, image, pool.submit(attempt, path, image)))
                    while len(pending) > 2 * workers:
                        path, image, faces = pending.popleft()
                        yield path, image, faces.result()
                # Large images make small batches, the next of which is read when this one is done with.
                while pending and len(batch) < batch_size:
                    path, image, faces = pending.popleft()
                    yield path, image, faces.result()
            for path, image, faces in pending:
                yield path, image, faces.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"
