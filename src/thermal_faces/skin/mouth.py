"""The mouth, the fold below it and the pad of the chin, painted into the texture."""

import numpy as np

from thermal_faces.head.surface import bump, mean_head
from thermal_faces.person import Person
from thermal_faces.portable_math import hypot, power
from thermal_faces.skin.temperature_map import Canvas, line, soft


def paint_mouth(canvas: Canvas, person: Person, open_mm: float, forehead_c: float) -> None:
    """Lips, their border and surroundings, the line between them or the cavity with teeth, corners, the fold below."""
    places = mean_head().landmarks_frontal_mm
    (corner_x, corner_y), (_, top_y), (_, bottom_y) = (places[n] for n in ("mouth_right", "upper_lip", "lower_lip"))
    view, x, y = canvas.window((-46, 46), (46, 98))
    along = x / np.float32(corner_x)
    bow = np.clip(1 - along * along, 0, None)
    k = {name: np.float32(value) for name, value in person.features_k.items()}
    # The red ends inside the corners of the mouth, the line between the lips at or beyond them.
    red = (along / k["lip_width"]) * (along / k["lip_width"])
    fullness = np.clip(1 - red * (1 - k["lip_box"] + k["lip_box"] * red * red), 0, None)
    cupid = np.float32(1.3) * line(x, 3.0)
    top = corner_y - (corner_y - top_y + 1.0) * fullness + cupid
    bottom = corner_y + (bottom_y - corner_y) * fullness
    within = soft(np.abs(along) - k["lip_width"], 0.12)
    line_within = soft(np.abs(along) - k["mouth_line_length"], 0.12)
    lips = soft(np.maximum(top - y, y - bottom), float(k["lip_edge_softness"])) * within
    lower = np.clip((y - corner_y) / 3 + np.float32(0.5), 0, 1)
    view += lips * (k["upper_lip"] * (1 - lower) + k["lower_lip"] * lower)
    view += k["lip_border"] * within * (line(y - top, 0.9) + np.float32(0.7) * line(y - bottom, 1.1))
    # The jaw's displacement begins below the line: an opening stretches just this band.
    line_y = corner_y - np.float32(0.5) + np.float32(0.8) * bow
    closed = np.float32(np.clip(1 - open_mm / 2.5, 0, 1))
    view += closed * k["mouth_line"] * line_within * line(y - line_y, 1.1)
    view += k["mouth_corner"] * bump(np.abs(x), y, (corner_x + 0.5, corner_y), 2.6, 2.2).astype(np.float32)
    # Philtrum and cheek are often warmer than the lips and the corners: no border of theirs is the mouth's own.
    middle_y, half_height = (top_y + bottom_y) / 2, (bottom_y - top_y) / 2
    beyond = hypot(x / (corner_x + k["lip_halo_gap"]), (y - middle_y) / (half_height + k["lip_halo_gap"])) - 1
    halo = line(beyond * (half_height + k["lip_halo_gap"]), float(k["lip_halo_width"]))
    view += k["lip_halo"] * halo * soft(y - bottom_y, 10)
    fold = bottom_y + 6.5 + np.float32(0.006) * x * x
    view += k["chin_fold"] * line(y - fold, 2.4) * soft(np.abs(x) - 16, 12)
    if open_mm > 0:
        depth = np.float32(5.0) * power(bow, k["gape"])
        cavity = soft(np.maximum(line_y - y, y - line_y - depth), 1.0) * soft(np.abs(along) - 1, 0.12) * (1 - closed)
        # Painted on a band that opens evenly: as a share of its height.
        teeth = soft(
            (y - line_y) / np.maximum(depth, 0.5) - np.float32(min(person.features_k["teeth_shown"] / open_mm, 1)), 0.2
        )
        inside_k = k["mouth_cavity"] + teeth * (k["teeth"] - k["mouth_cavity"])
        view += (1 - closed) * cavity * (np.float32(forehead_c) + inside_k - view)


def paint_chin(canvas: Canvas, person: Person) -> None:
    """A cool pad from the fold below the lip to the edge of the chin, with a border of its own to jaw and throat."""
    places, k = mean_head().landmarks_frontal_mm, person.features_k
    view, x, y = canvas.window((-42, 42), (80, 134))
    upper = places["lower_lip"][1] + 11
    lower = places["chin"][1] + np.float32(k["chin_pad_drop"]) - np.float32(0.012) * x * x
    half_width, half_height = np.float32(k["chin_pad_half_width"]), (lower - upper) / 2
    radius = np.float32(0.8) * np.minimum(half_width, half_height)
    across, along = np.abs(x) - half_width + radius, np.abs(y - (lower + upper) / 2) - half_height + radius
    outside = hypot(np.maximum(across, 0), np.maximum(along, 0)) + np.minimum(np.maximum(across, along), 0) - radius
    view += np.float32(k["chin_pad"]) * soft(outside, k["chin_pad_edge"])
