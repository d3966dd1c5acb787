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
    """One face in one image.

    Attributes:
        points_px: Landmarks in pixels of the image, x before y, pixel centres at integers.
        confidence: Probability that this is a face whose landmarks are right: the mean error below a tenth of the
            distance of the outer eye corners.
        box_px: x_min, y_min, x_max, y_max: forehead to chin, ear to ear.
        point_confidence: Of each landmark, that it is in the picture, visible and right.
        angle_deg: In the picture's plane, clockwise as seen by a person.
        score: Probability that this is a face, whatever its landmarks.
    """

    points_px: Float32[np.ndarray, "point 2"]
    confidence: float
    box_px: tuple[float, float, float, float]
    point_confidence: Float32[np.ndarray, " point"]
    angle_deg: float
    score: float


class FindsFaces(Protocol):
    """What finds the faces of an image: a `Predictor` or an exported file.

    Attributes:
        batch_size: Images that are read ahead of it.
    """

    batch_size: int

    @property
    def scheme(self) -> Scheme:
        """Of the landmarks."""

    def faces(self, image: Any, *, min_score: float, min_confidence: float) -> list[Face]:
        """Every face with its landmarks, the surest first."""


MIN_SCORE = 0.65
"""Probability of being a face from which on something is taken for one."""
