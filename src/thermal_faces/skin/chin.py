"""The pad of the chin, painted into the texture: cool, with a border of its own towards jaw and throat."""

import numpy as np

from thermal_faces.head.surface import mean_head
from thermal_faces.person import Person
from thermal_faces.portable_math import hypot
from thermal_faces.skin.brushes import soft
from thermal_faces.skin.temperature_map import Canvas


def paint_chin(canvas: Canvas, person: Person) -> None:
    """From the fold below the lip to the edge of the chin."""
    places, k = mean_head().landmarks_frontal_mm, person.features_k
    view, x, y = canvas.window((-42, 42), (80, 134))
    upper = places["lower_lip"][1] + 11
    lower = places["chin"][1] + np.float32(k["chin_pad_drop"]) - np.float32(0.012) * x * x
    half_width, half_height = np.float32(k["chin_pad_half_width"]), (lower - upper) / 2
    radius = np.float32(0.8) * np.minimum(half_width, half_height)
    across, along = np.abs(x) - half_width + radius, np.abs(y - (lower + upper) / 2) - half_height + radius
    outside = hypot(np.maximum(across, 0), np.maximum(along, 0)) + np.minimum(np.maximum(across, along), 0) - radius
    view += np.float32(k["chin_pad"]) * soft(outside, k["chin_pad_edge"])
