"""Keeps the lower nose under the same pixel, where landmarks alone leave it trembling.

The edges of the nose and the gradients of the skin around it say where it is to a fraction of a pixel: each frame is
shifted until it fits the mean of those before (Lucas and Kanade 1981, with Huber's weights, so that nostrils that warm
and cool do not pull). A landmark network reacts to the breath itself; this does so less.
"""

import numpy as np
from jaxtyping import Float
from scipy.ndimage import map_coordinates

from thermal_landmarks.physiology.face_frame import FaceFrame

_RIGHT, _DOWN = (-0.30, 0.30), (-0.40, 0.14)  # of the area around the base of the nose, in outer eye distances
_STEP = 0.025
_STEPS_AT_MOST = 4
_STILL_PX = 0.01
_REMEMBERED = 300  # frames
_FARTHEST = 0.1  # a shift beyond it, in outer eye distances, is no trembling


class Registration:
    """One face's shifts, frame after frame."""

    def __init__(self, frame: FaceFrame) -> None:
        x, y = (np.arange(low, high + 1e-9, _STEP) for low, high in (_RIGHT, _DOWN))
        offsets = np.stack(np.meshgrid(x, y), axis=-1) * frame.size_px
        self.frame = frame
        self._places = frame.reference_px[frame.names.index("subnasale")] + offsets
        self._weights = frame.weights_at(self._places.reshape(-1, 2).mean(axis=0))
        self._mean: Float[np.ndarray, "height width"] | None = None
        self._seen = 0

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
            deviation of what is left, in the unit of the values; no shift and NaN where the nose is not in the frame.
        """
        affine = self.frame.fitted(self._weights, points_px)
        shift = np.zeros(2)
        seen = self._sample(values, affine, shift)
        if not np.isfinite(seen).all():
            return shift, float("nan")
        if self._mean is None:
            self._mean, self._seen = seen, 1
            return shift, float("nan")
        down, right = np.gradient(self._mean, _STEP * self.frame.size_px)
        slopes = np.column_stack(
            [right.ravel(), down.ravel(), np.ones(right.size), (self._mean - self._mean.mean()).ravel()]
        )
        for _ in range(_STEPS_AT_MOST):
            rest = (seen - self._mean).ravel()
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
        rest = seen - self._mean
        misfit = float(rest.std())
        self._seen = min(self._seen + 1, _REMEMBERED)
        self._mean = self._mean + (rest - rest.mean()) / self._seen
        return shift, misfit

    def _sample(
        self, values: Float[np.ndarray, "height width"], affine: Float[np.ndarray, "3 2"], shift: Float[np.ndarray, "2"]
    ) -> Float[np.ndarray, "rows columns"]:
        places = (self._places + shift) @ affine[:2] + affine[2]
        return map_coordinates(
            values, [places[..., 1], places[..., 0]], order=1, output=np.float64, cval=np.nan, prefilter=False
        )
