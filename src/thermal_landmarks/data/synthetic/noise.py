"""Smooth irregular patterns from a few random values."""

import numpy as np
from jaxtyping import Float


def smooth_noise(
    generator: np.random.Generator, shape: tuple[int, int], knots: tuple[int, int]
) -> Float[np.ndarray, "height width"]:
    """Smoothed normal noise of deviation about 1; `knots` random values along each side.

    The draws depend on `knots` only, so that a pattern keeps its form at any size.
    """
    rows, columns = knots
    values = generator.standard_normal((rows + 3, columns + 3), dtype=np.float32)
    # Averaged neighbours: less of the grid shows.
    values = 0.5 * (values[:-1] + values[1:])
    values = 0.5 * (values[:, :-1] + values[:, 1:])
    pattern = _stretch(_stretch(values, shape[0], 0), shape[1], 1)
    return np.float32(1.6) * pattern


def _stretch(values: np.ndarray, length: int, axis: int) -> np.ndarray:
    values = np.moveaxis(values, axis, 0)
    place = (np.arange(length, dtype=np.float32) + np.float32(0.5)) * np.float32((len(values) - 1) / length)
    index = np.minimum(place.astype(np.int32), len(values) - 2)
    part = (place - index).reshape(-1, *[1] * (values.ndim - 1))
    part = part * part * (3 - 2 * part)
    return np.moveaxis(values[index] + part * (values[index + 1] - values[index]), 0, axis)
