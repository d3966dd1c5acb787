"""Temperatures of the regions of every face in still pictures, as `predict temperatures=true` writes them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float

from thermal_landmarks.csv_table import CsvTable
from thermal_landmarks.data.annotation import ThermalImage
from thermal_landmarks.data.schemes import SCHEMES, Scheme
from thermal_landmarks.errors import DataError
from thermal_landmarks.inference.face import Face
from thermal_landmarks.inference.head_pose import head_pose_deg
from thermal_landmarks.physiology.face_frame import STATISTICS, FaceFrame, face16_places
from thermal_landmarks.physiology.regions import Corner, available

_ABOUT = ("image", "face", "confidence", "yaw_deg", "pitch_deg", "roll_deg")


def region_temperatures(
    image: ThermalImage,
    points_px: Float[np.ndarray, "point 2"],
    *,
    scheme: Scheme = SCHEMES["face16"],
    regions: Mapping[str, Sequence[Corner]] | None = None,
) -> dict[str, float]:
    """Temperatures of a face in one picture, in degrees Celsius, by `REGION_STATISTIC` as `signals` names them.

    `regions` come beside the usual ones; see `physiology.regions.read_regions`.

    Raises:
        DataError: If the picture holds no temperatures.
        ConfigError: If a region needs a landmark that the scheme lacks.
    """
    if image.unit != "celsius":
        raise DataError(
            f"The picture has values in '{image.unit}' and no temperatures. Name their unit (unit=centi_kelvin, ...), "
            "or give a radiometric file."
        )
    names, places = face16_places(scheme)
    face_px = np.asarray(points_px, dtype=float)[places]
    frame = FaceFrame(face_px[None], names, own=regions)
    measured = {name: frame.statistics(name, frame.warp(name, image.values, face_px)) for name in frame.patches}
    return {f"{name}_{kind}": value for name, kinds in measured.items() for kind, value in kinds.items()}


class TemperatureTable(CsvTable):
    """`temperatures.csv`, a row a face; cells are empty where a region leaves the picture, or values are no degrees."""

    def __init__(self, path: Path, scheme: Scheme, regions: Mapping[str, Sequence[Corner]]) -> None:
        super().__init__(path)
        self._scheme, self._regions = scheme, regions
        names = [*available(face16_places(scheme)[0]), *regions]
        self._columns = [f"{name}_{kind}" for name in names for kind in STATISTICS]
        self.without = 0  # pictures with faces and without temperatures
        self.add([*_ABOUT, *self._columns])
        self.flush()

    def add_faces(self, path: Path, image: ThermalImage, faces: Sequence[Face]) -> None:
        """Write the rows of one picture, in the order of `points.csv`."""
        self.without += bool(faces) and image.unit != "celsius"
        for number, face in enumerate(faces):
            values: dict[str, float] = {}
            if image.unit == "celsius":
                values = region_temperatures(image, face.points_px, scheme=self._scheme, regions=self._regions)
            about = (face.confidence, *head_pose_deg(face.points_px, self._scheme))
            degrees = [values.get(column, np.nan) for column in self._columns]
            self.add([path, number, *map(_cell, (*about, *degrees))])
        self.flush()


def _cell(value: float) -> str:
    return f"{value:.3f}" if np.isfinite(value) else ""
