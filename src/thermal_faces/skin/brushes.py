"""Soft edges and lines: the brush strokes of the painted features."""

import numpy as np
from jaxtyping import Float

from thermal_faces.portable_math import exp


def soft(distance: Float[np.ndarray, "*shape"], edge: float) -> Float[np.ndarray, "*shape"]:
    """1 inside (negative distance), 0 outside, over a border about `edge` wide (same unit)."""
    return np.clip(np.float32(0.5) - distance / np.float32(edge), 0, 1)


def line(distance: Float[np.ndarray, "*shape"], width: float) -> Float[np.ndarray, "*shape"]:
    """A Gaussian ridge of height 1 along distance 0; `width` is its standard deviation."""
    return exp(np.float32(-0.5 / width**2) * distance * distance)
