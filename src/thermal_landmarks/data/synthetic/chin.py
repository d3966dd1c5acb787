"""The pad of the chin, painted into the texture: cool, with a border of its own towards jaw and throat."""

import numpy as np

from thermal_landmarks.data.synthetic.brushes import soft
from thermal_landmarks.data.synthetic.head_surface import mean_head
from thermal_landmarks.data.synthetic.person import Person
from thermal_landmarks.data.synthetic.skin import Canvas


def paint_chin(canvas: Canvas, person: Person) -> None:
    """From the fold below the lip to the edge of the chin."""
    places, k = mean_head().landmarks_frontal_mm, person.features_k
    view, x, y = canvas.window((-42, 42), (80, 134))
    upper = places["lower_lip"][1] + 11 - y
    lower = y - places["chin"][1] - np.float32(k["chin_pad_drop"]) + np.float32(0.012) * x * x
    across = np.abs(x) - np.float32(k["chin_pad_half_width"])
    view += np.float32(k["chin_pad"]) * soft(np.maximum.reduce([upper, lower, across]), k["chin_pad_edge"])
