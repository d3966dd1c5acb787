"""Smooth irregular patterns from a few random values."""

import numpy as np
from jaxtyping import Float

from thermal_faces.portable_math import compiled


def smooth_noise(
    generator: np.random.Generator, rows: Float[np.ndarray, " height"] | int, columns: int, knots: tuple[int, int]
) -> Float[np.ndarray, "height columns"]:
    """Smoothed normal noise of deviation about 1 from so many random values (`knots`) along each side.

    `rows` is their number, or the place of each in ascending order, where rows are not evenly spaced. The draws depend
    on `knots` only, so that a pattern keeps its form at any size.
    """
    values = generator.standard_normal((knots[0] + 3, knots[1] + 3), dtype=np.float32)
    # Averaged neighbours: less of the grid shows.
    values = values[:-1] + values[1:]
    values = values[:, :-1] + values[:, 1:]
    values *= np.float32(0.4)
    # Across first, while there are few rows: the large step then copies whole rows.
    across = _stretch(np.ascontiguousarray(values.T), _even_places(columns)).T
    if isinstance(rows, int):
        places = _even_places(rows)
    else:
        places = ((rows - rows[0]) / (rows[-1] - rows[0])).astype(np.float32)
    return _stretch(np.ascontiguousarray(across), places)


def _even_places(length: int) -> Float[np.ndarray, " length"]:
    return (np.arange(length, dtype=np.float32) + np.float32(0.5)) / np.float32(length)


@compiled("f4[:,::1](f4[:,::1], f4[::1])")
def _stretch(values: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Rows smoothly interpolated at places between 0 (first row) and 1 (last row)."""
    stretched = np.empty((places.size, values.shape[1]), np.float32)
    for i in range(places.size):
        place = places[i] * np.float32(values.shape[0] - 1)
        row = min(int(place), values.shape[0] - 2)
        part = place - np.float32(row)
        part = part * part * (np.float32(3) - np.float32(2) * part)
        upper, lower, target = values[row], values[row + 1], stretched[i]
        for j in range(target.size):
            target[j] = upper[j] + (lower[j] - upper[j]) * part
    return stretched
