"""Keeps a part of the face under the same pixel, where landmarks alone leave it trembling.

Edges and the gradients of the skin say where it is to a fraction of a pixel: each frame is shifted until it fits the
mean of those before (Lucas and Kanade 1981, with Huber's weights, so that nostrils that warm and cool do not pull). A
landmark network reacts to the breath itself; this does so less. The nose stands out from the face, and moves in the
picture of a head that turns where the lip does not, so each has shifts of its own.
"""

import numpy as np
from jaxtyping import Bool, Float
from scipy.ndimage import binary_dilation, map_coordinates

from thermal_landmarks.physiology.face_frame import FaceFrame

_RIGHT, _DOWN = (-0.30, 0.30), (-0.40, 0.14)  # of the area around the base of the nose, in outer eye distances
_NOSE_STEP, _LIP_STEP = 0.025, 0.0125
_BESIDE = 2  # steps around the region of the lip, where it has its edges; farther up are nostrils
_STEPS_AT_MOST = 4
_STILL_PX = 0.01
_REMEMBERED = 300  # frames
_FARTHEST = 0.1  # a shift beyond it, in outer eye distances, is no trembling


class Registration:
    """The shifts of a part of one face, frame after frame.

    Args:
        frame: The face at rest.
        places_px: A regular grid over that part, x and y in pixels of the face frame.
        used: Which of these places tell the shift.
    """

    def __init__(
        self,
        frame: FaceFrame,
        places_px: Float[np.ndarray, "rows columns 2"],
        used: Bool[np.ndarray, "rows columns"],
    ) -> None:
        self.frame, self._places, self._used = frame, places_px, used
        self._step_px = float(places_px[0, 1, 0] - places_px[0, 0, 0])
        self._weights = frame.weights_at(places_px[used].mean(axis=0))
        self._mean: Float[np.ndarray, "height width"] | None = None
        self._seen = 0

    @classmethod
    def of_nose(cls, frame: FaceFrame) -> "Registration":
        """The lower nose, on which the nostrils move."""
        places_px = (
            frame.reference_px[frame.names.index("subnasale")] + _grid(_RIGHT, _DOWN, _NOSE_STEP) * frame.size_px
        )
        return cls(frame, places_px, np.ones(places_px.shape[:2], dtype=bool))

    @classmethod
    def of_lip(cls, frame: FaceFrame) -> "Registration":
        """The upper lip, on which the pores move."""
        corners = frame.patches["perinasal"].corners_px / frame.size_px
        beside = (_BESIDE + 1) * _LIP_STEP
        right, down = zip(corners.min(axis=0) - beside, corners.max(axis=0) + beside, strict=True)
        places_px = _grid(right, down, _LIP_STEP) * frame.size_px
        return cls(frame, places_px, binary_dilation(frame.is_inside("perinasal", places_px), iterations=_BESIDE))

    @property
    def state(self) -> tuple[Float[np.ndarray, "rows columns"] | None, int]:
        """What it remembers of earlier frames: their mean, and how many they count as."""
        return self._mean, self._seen

    @state.setter
    def state(self, state: tuple[Float[np.ndarray, "rows columns"] | None, int]) -> None:
        self._mean, self._seen = state

    def __call__(
        self, values: Float[np.ndarray, "height width"], points_px: Float[np.ndarray, "landmark 2"]
    ) -> tuple[Float[np.ndarray, "2"], float]:
        """The shift of the next frame in pixels of the face frame, and how badly it fits then.

        Returns:
            What is to be added to a place of the face frame before it is mapped into the frame, and the standard
            deviation of what is left, in the unit of the values; no shift and NaN where the part is not in the frame.
        """
        affine = self.frame.fitted(self._weights, points_px)
        shift = np.zeros(2)
        seen = self._sample(values, affine, shift)
        used = self._used
        if not np.isfinite(seen).all():
            return shift, float("nan")
        if self._mean is None:
            self._mean, self._seen = seen, 1
            return shift, float("nan")
        down, right = (slope[used] for slope in np.gradient(self._mean, self._step_px))
        slopes = np.column_stack([right, down, np.ones(right.size), self._mean[used] - self._mean[used].mean()])
        for _ in range(_STEPS_AT_MOST):
            rest = (seen - self._mean)[used]
            rest_beside = np.abs(rest - np.median(rest))
            weight = 1 / np.maximum(1, rest_beside / (2 * 1.4826 * np.median(rest_beside) + 1e-9))
            weighted = slopes * weight[:, None]
            normal = weighted.T @ slopes
            normal += np.diag([1e-3, 1e-3, 0, 1e-2]) * np.trace(normal) / len(normal)
            step = np.linalg.solve(normal + 1e-12 * np.eye(4), weighted.T @ rest)[:2]
            moved = shift - step
            again = self._sample(values, affine, moved)
            if np.linalg.norm(moved) > _FARTHEST * self.frame.size_px or not np.isfinite(again).all():
                break
            shift, seen = moved, again
            if np.abs(step).max() < _STILL_PX:
                break
        left = seen - self._mean
        self._seen = min(self._seen + 1, _REMEMBERED)
        self._mean = self._mean + (left - left[used].mean()) / self._seen
        return shift, float(left[used].std())

    def _sample(
        self, values: Float[np.ndarray, "height width"], affine: Float[np.ndarray, "3 2"], shift: Float[np.ndarray, "2"]
    ) -> Float[np.ndarray, "rows columns"]:
        places = (self._places + shift) @ affine[:2] + affine[2]
        return map_coordinates(
            values, [places[..., 1], places[..., 0]], order=1, output=np.float64, cval=np.nan, prefilter=False
        )


def _grid(right: tuple[float, float], down: tuple[float, float], step: float) -> Float[np.ndarray, "rows columns 2"]:
    x, y = (np.arange(low, high + 1e-9, step) for low, high in (right, down))
    return np.stack(np.meshgrid(x, y), axis=-1)
