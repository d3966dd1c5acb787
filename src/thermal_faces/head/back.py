"""The back of the head, which the face's surface leaves open: seen in people who look to the side or away."""

import numpy as np
from jaxtyping import Float

from thermal_faces.camera.rasterizer import upsample
from thermal_faces.head.surface import longitudes_deg, mean_head

_UNDERSIDE_ROWS = 8
_COLUMNS = 41


def back_vertices_mm(head_mm: Float[np.ndarray, "rows columns 3"]) -> Float[np.ndarray, "down across 3"]:
    """A surface that closes a head from one edge of its grid around the back to the other, in the same frame.

    The rings are ellipses through both edges; the nape lies lower than the jaw line behind the ears.
    """
    last = float(longitudes_deg()[-1])
    # The underside of the jaw has no back; a coarse grid has fewer rows of it.
    rows = head_mm[: -round(_UNDERSIDE_ROWS * len(head_mm) / len(mean_head().vertices_mm))]
    turn = np.radians(np.linspace(last, 360 - last, _COLUMNS, dtype=np.float32))
    share = np.linspace(0, 1, _COLUMNS, dtype=np.float32)[None, :]
    right, left = rows[:, -1], rows[:, 0]

    def between(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return a[:, None] + share * (b - a)[:, None]

    edge = np.radians(last)
    x = between(right[:, 0], -left[:, 0]) * (np.sin(turn) / np.sin(edge))
    z = between(right[:, 2], left[:, 2]) * (np.cos(turn) / np.cos(edge))
    bulge = np.sin(np.pi * share)
    y = between(right[:, 1], left[:, 1]) + 14 * bulge * np.linspace(0, 1, len(rows))[:, None] ** 2
    return np.stack([x, y, z], axis=-1).astype(np.float32)


def back_texture_c(
    head_c: Float[np.ndarray, "down across"], rows: int, samples: int
) -> Float[np.ndarray, "down across"]:
    """Temperature of the back from that of the head's texture at its two edges; `samples` by `samples` a cell."""
    right, left = head_c[: (rows - 1) * samples, -1], head_c[: (rows - 1) * samples, 0]
    share = upsample(np.linspace(0, 1, _COLUMNS, dtype=np.float32)[None, :].repeat(2, 0), samples)[:1]
    return right[:, None] + share * (left - right)[:, None]
