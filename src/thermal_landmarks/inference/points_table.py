"""What `predict` leaves: `points.csv` with one row a face or an image, `landmarks.json`, and COCO keypoints.

`points.csv` has the columns `image,subject,image_width,image_height`, of faces also
`face,score,confidence,box_x_min,...,angle`, then `x0,y0,x1,y1,...`, of faces also `c0,...`. `face` counts from 0, the
surest landmarks first; `score` is the probability of being a face, `confidence` that of right landmarks, `c0` that of
point 0. An image without a face has one row in which all of these are empty. Points are in pixels of the values that
`read_image` gives, which are image_width x image_height: for a radiometric FLIR JPEG those are its temperatures, whose
size may differ from the picture's. A prediction knows no person: `subject` is the image's folder. The table can be
looked at, corrected and trained on, as flat CSV data; `landmarks.json` names the landmarks.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from thermal_landmarks.csv_table import CsvTable
from thermal_landmarks.data.annotation import Annotation, ThermalImage
from thermal_landmarks.data.readers.coco import write_coco
from thermal_landmarks.inference.face import Face
from thermal_landmarks.runs import write_json

if TYPE_CHECKING:
    from thermal_landmarks.data.schemes import Scheme

_BOX = ("box_x_min", "box_y_min", "box_x_max", "box_y_max")
_VISIBLE = 0.5  # confidence of a landmark from which on COCO's flag says visible


class PointsTable(CsvTable):
    """`points.csv` and `landmarks.json`; the rows of an image are on the disk before the next one begins.

    A column says what the values were read as, where `unit` is set; `of_faces`: the rows are faces, with what is known
    of each, instead of images.
    """

    def __init__(self, folder: Path, scheme: Scheme, *, unit: str | None = None, of_faces: bool = False) -> None:
        super().__init__(folder / "points.csv")
        write_json(folder / "landmarks.json", {"scheme": scheme.name, "landmarks": list(scheme.landmark_names)})
        self._unit = {} if unit is None else {"unit": unit}
        about, confidences = ("face", "score", "confidence", *_BOX, "angle"), range(scheme.num_points)
        coordinates = [f"{axis}{i}" for i in range(scheme.num_points) for axis in "xy"]
        first = ["image", "subject", *self._unit, "image_width", "image_height"]
        if of_faces:
            self._header = [*first, *about, *coordinates, *(f"c{i}" for i in confidences)]
        else:
            self._header = [*first, *coordinates]
        self.add(self._header)
        self.flush()

    def add_points(self, path: Path, image: ThermalImage, points_px: Float[np.ndarray, "point 2"]) -> None:
        """Write one image's row."""
        self.add([*self._about(path, image), *_decimals(points_px.ravel())])
        self.flush()

    def add_faces(self, path: Path, image: ThermalImage, faces: Sequence[Face]) -> None:
        """Write the rows of one image, the surest face first; one empty row where it has none."""
        first = self._about(path, image)
        for number, face in enumerate(faces):
            about = (face.score, face.confidence, *face.box_px, face.angle_deg)
            self.add([*first, number, *_decimals((*about, *face.points_px.ravel(), *face.point_confidence))])
        if not faces:
            self.add([*first, *[None] * (len(self._header) - len(first))])
        self.flush()

    def _about(self, path: Path, image: ThermalImage) -> list[object]:
        height, width = image.values.shape[-2:]
        return [path, path.parent.name, *self._unit.values(), width, height]


def _decimals(values: Sequence[float] | np.ndarray) -> list[str]:
    return [f"{value:.3f}" for value in values]


class CocoFaces:
    """Faces that become COCO keypoints at the end."""

    def __init__(self, scheme: Scheme) -> None:
        self._scheme = scheme
        self._annotations: list[Annotation] = []
        self._sizes: dict[Path, tuple[int, int]] = {}

    def add(self, path: Path, image: ThermalImage, faces: Sequence[Face]) -> None:
        """The faces of one image."""
        height, width = image.values.shape[-2:]
        self._sizes[path] = height, width
        self._annotations += [
            Annotation(
                image=path,
                points_px=face.points_px,
                subject=f"{path.parent.name}/{number}",
                visible=face.point_confidence >= _VISIBLE,
                box_px=face.box_px,
                attributes={"score": round(face.confidence, 4)},
            )
            for number, face in enumerate(faces)
        ]

    def write(self, path: Path, *, unit: str | None) -> None:
        """Write all of them."""
        write_coco(path, self._annotations, scheme=self._scheme.name, sizes=self._sizes, unit=unit)
