"""Flat things in the picture: which place of a plane in the head's or the body's frame is seen at a pixel."""

import numpy as np
from jaxtyping import Float

from thermal_faces.camera.view import View

Grid = Float[np.ndarray, "*grid"]


def seen_on_plane(
    view: View, matrix: Float[np.ndarray, "3 3"], z_mm: float, x_px: Grid, y_px: Grid, *, bow: float = 0.0
) -> tuple[Grid, Grid]:
    """Place in mm (x and y) of what is seen at pixels on the plane at depth `z_mm` of a turned frame.

    The frame is that of `View.head` or `View.body`; the surface bends back by `bow` for each squared mm of x.
    """
    r, distance = matrix.astype(np.float32), np.float32(view.distance_mm)
    across = (x_px - np.float32(view.centre_px[0])) / np.float32(view.focal_px)
    down = (y_px - np.float32(view.centre_px[1])) / np.float32(view.focal_px)
    towards = r[0, 2] * across + r[1, 2] * down - r[2, 2]
    depth = np.float32(z_mm)
    for _ in range(3 if bow else 1):
        reach = (depth - r[2, 2] * distance) / towards
        u, v, w = reach * across, reach * down, distance - reach
        x = r[0, 0] * u + r[1, 0] * v + r[2, 0] * w
        depth = np.float32(z_mm) - np.float32(bow) * np.minimum(x * x, 8000)
    return x, r[0, 1] * u + r[1, 1] * v + r[2, 1] * w


def pixels_around(
    points_px: Float[np.ndarray, "points 2"], margin_px: float, size: tuple[int, int]
) -> tuple[slice, slice]:
    """Rows and columns of the smallest part of a frame that holds all points."""
    low, high = points_px.min(axis=0) - margin_px, points_px.max(axis=0) + margin_px
    columns, rows = (
        slice(int(np.clip(a, 0, length)), int(np.clip(b + 1, 0, length)))
        for a, b, length in zip(low, high, size[::-1], strict=True)
    )
    return rows, columns
