"""What a prediction says of one face."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:  # the runtime does without jaxtyping
    import numpy as np
    from jaxtyping import Float32

    from thermal_landmarks.data.schemes import Scheme


@dataclass(frozen=True)
class Face:
    """One face in one image."""

    points_px: Float32[np.ndarray, "point 2"]  # landmarks in pixels of the image, x before y, pixel centres at integers
    # Probability that this is a face whose landmarks are right: the mean error below a tenth of the distance of the
    # outer eye corners
    confidence: float
    box_px: tuple[float, float, float, float]  # x_min, y_min, x_max, y_max: forehead to chin, ear to ear
    point_confidence: Float32[np.ndarray, " point"]  # of each landmark, that it is in the picture, visible and right
    angle_deg: float  # in the picture's plane, clockwise as seen by a person
    score: float  # probability that this is a face, whatever its landmarks


class FindsFaces(Protocol):
    """What finds the faces of an image: a `Predictor` or an exported file."""

    batch_size: int  # images that are read ahead of it

    @property
    def scheme(self) -> Scheme:
        """Of the landmarks."""

    def faces(self, image: Any, *, min_score: float = ..., min_confidence: float = ..., unit: Any = ...) -> list[Face]:
        """Every face with its landmarks, the surest first."""


MIN_SCORE = 0.6
"""Probability of being a face from which on something is taken for one."""
