"""An exported file (`thermal-landmarks export`) as a function from images to faces. Nothing here imports PyTorch.

Preprocessing, the finder, the crops and the confidence are inside the file; what is left is to hand over an image.
"""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from thermal_landmarks.errors import ConfigError, DataError, said_by
from thermal_landmarks.inference.face import MIN_SCORE, Face

if TYPE_CHECKING:
    from thermal_landmarks.data.schemes import Scheme

METADATA = "thermal_landmarks"
"""The entry of an ONNX file's metadata that holds ours, as JSON."""
SHIPPED_SPEED = "balanced"
"""Of the files that come with the package."""
RESULTS = ("points", "confidence", "point_confidence", "boxes", "angle", "score")
"""Outputs of the graph, a row a face."""

_LARGEST = 1e30  # values beyond are marks of missing ones (`data.annotation.NO_DATA`)


class ExportedFaces:
    """Finds the faces of an image and their landmarks.

    Args:
        path: An `.onnx` file that `export` has written, or the name of one that comes with the package.
        threads: That an image gets. More than one shorten the time of a single image on cores that nothing else uses;
            of many images, several side by side are quicker (`faces` may be called from several threads at once).

    Attributes:
        batch_size: Images that are read ahead of it; each is predicted by itself.
        settings: What the file says of itself: scheme, landmarks, speed, precision, checkpoints.

    Raises:
        ConfigError: If the file is missing or none of ours, or ONNX Runtime isn't installed.
    """

    batch_size = 8

    def __init__(self, path: str | Path = "thermal_real", *, threads: int = 1) -> None:
        shipped = shipped_exports()
        self.path = shipped.get(str(path), Path(path))
        if not self.path.is_file():
            raise ConfigError(
                f"{path}: there is no such file. Give one that `thermal-landmarks export checkpoint=...` has written, "
                f"or that comes with the package: {', '.join(shipped)}."
            )
        try:
            import onnxruntime
        except ModuleNotFoundError as error:
            raise ConfigError(
                "ONNX Runtime isn't installed. Install it: pip install 'thermal-landmarks[runtime]'"
            ) from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3  # errors
        try:
            self._session = onnxruntime.InferenceSession(str(self.path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # its errors have no common class of their own
            raise ConfigError(f"{path} is no ONNX file that ONNX Runtime can read ({said_by(error)}).") from error
        own = self._session.get_modelmeta().custom_metadata_map.get(METADATA)
        self.settings: dict[str, Any] = _settings(own)
        self._results = [result.name for result in self._session.get_outputs()]
        inputs = {given.name for given in self._session.get_inputs()}
        complete = inputs == {"image", "celsius"} and {*RESULTS} <= {*self._results}
        if self.settings.get("what") != "faces" or not complete:
            raise ConfigError(f"{path} is not an export of this project that finds faces. Write one: what=faces")

    @property
    def scheme(self) -> Scheme:
        """The landmark scheme of the points."""
        from thermal_landmarks.data.schemes import get_scheme

        return get_scheme(self.settings["scheme"])

    def faces(
        self,
        image: Any,
        *,
        min_score: float = MIN_SCORE,
        min_confidence: float = 0.0,
        unit: str | None = None,
    ) -> list[Face]:
        """Every face in one image with its landmarks, the surest first; an image may have none.

        Args:
            image: Temperatures or gray levels (height, width), bytes (height, width, 3) of red, green and blue, or a
                `ThermalImage`.
            min_score: What is less probably a face is left out.
            min_confidence: Faces whose landmarks are less probably right are left out.
            unit: `celsius` or `gray`, of an array. None: floating-point values are degrees Celsius.

        Raises:
            DataError: If the array is no image, has one value only, or holds values that are not finite.
        """
        values, celsius = _values(image, unit)
        try:
            results = self._session.run(self._results, {"image": values, "celsius": np.array(celsius)})
        except Exception as error:  # its errors have no common class of their own
            raise DataError(f"{self.path}: fails on this image ({said_by(error)}). Export it again.") from error
        found = dict(zip(self._results, results, strict=True))
        return as_faces(found, min_score=min_score, min_confidence=min_confidence)


def _settings(stored: str | None) -> dict[str, Any]:
    """What a file says of itself; nothing if that isn't what `export` writes."""
    try:
        settings = json.loads(stored or "{}")
    except (ValueError, RecursionError):
        return {}
    return settings if isinstance(settings, dict) and isinstance(settings.get("scheme"), str) else {}


def as_faces(found: dict[str, np.ndarray], *, min_score: float, min_confidence: float = 0.0) -> list[Face]:
    """Faces from the outputs of the graph, the surest first.

    Raises:
        DataError: If these are no faces, or a landmark is no finite number.
    """
    shapes = [np.shape(found[name]) for name in RESULTS]
    faces_and_points = shapes[0][:2]
    number = faces_and_points[:1]
    if shapes != [(*faces_and_points, 2), number, faces_and_points, (*number, 4), number, number]:
        raise DataError(f"The network gives results of shapes {shapes}, which are no faces. Export another checkpoint.")
    if not np.isfinite(found["points"]).all():
        raise DataError("The network gives points that are no finite numbers. Export another checkpoint.")
    faces = []
    for points, confidence, each, box, angle, score in zip(*(found[name] for name in RESULTS), strict=True):
        if score >= min_score and confidence >= min_confidence:
            x0, y0, x1, y1 = (float(end) for end in box)
            faces.append(
                Face(
                    points_px=points,
                    confidence=float(confidence),
                    box_px=(x0, y0, x1, y1),
                    point_confidence=each,
                    angle_deg=math.degrees(float(angle)),
                    score=float(score),
                )
            )
    return sorted(faces, key=lambda face: (-face.confidence, -face.score))


def shipped_exports() -> dict[str, Path]:
    """The exported files that come with the package, by name."""
    return {path.stem: path for path in sorted((Path(__file__).parent / "weights").glob("*.onnx"))}


def _values(image: Any, unit: str | None) -> tuple[np.ndarray, bool]:
    given = getattr(image, "values", image)
    unit = getattr(image, "unit", unit)
    array = np.asarray(given)
    if array.ndim == 3 and array.shape[2] == 3 and array.dtype == np.uint8:
        array = array @ np.array([0.299, 0.587, 0.114], dtype=np.float32)  # ITU-R BT.601
        unit = unit or "gray"
    if array.ndim != 2 or not array.size:
        raise DataError(f"image: expected values of shape (height, width), found {array.shape}.")
    if unit not in (None, "celsius", "gray"):
        raise DataError(f"unit={unit} is unknown. Choose celsius or gray.")
    celsius = np.issubdtype(array.dtype, np.floating) if unit is None else unit == "celsius"
    values = np.ascontiguousarray(array, dtype=np.float32)
    low, high = float(values.min()), float(values.max())  # NaN where a value is
    if not (low > -_LARGEST and high < _LARGEST):
        raise DataError(f"image: holds values that are NaN, infinite or beyond {_LARGEST:g}. Replace them.")
    if high - low <= 1e-6 * max(abs(low), abs(high)):
        raise DataError(f"image: all of the image has one value, {low:g}: there is no face to see.")
    return values, bool(celsius)


def cores() -> int:
    """That this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
