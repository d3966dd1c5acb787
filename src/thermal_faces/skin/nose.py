"""The nose and what leads from it to the mouth, painted into the texture.

In the long-wave infrared the lobule (tip and wings) is a cool, rather sharply bounded shape; the crease around the
wings is warm, nostrils are cool or warm with the breath.
"""

import numpy as np

from thermal_faces.head.surface import bump, mean_head, smooth_step
from thermal_faces.person import FrameState, Person
from thermal_faces.portable_math import hypot
from thermal_faces.skin.temperature_map import Canvas, line, soft


def paint_nose(canvas: Canvas, person: Person, forehead_c: float, frame_state: FrameState) -> None:
    """Sides, lobule, creases, nostrils with the breath below them, columella and philtrum."""
    places = mean_head().landmarks_frontal_mm
    base_y, (_, tip_y), (ala_x, ala_y) = places["subnasale"][1], places["nose_tip"], places["ala_right"]
    view, x, y = canvas.window((-36, 36), (-14, 60))
    side, k = np.abs(x), {name: np.float32(value) for name, value in person.features_k.items()}
    view += k["nose_groove"] * bump(side, y, (7.5, 5), 2.6, 8).astype(np.float32)
    flank = bump(side - 0.28 * np.clip(y, 0, None), y, (5.5, 12), 3.0, 7).astype(np.float32)
    view += k["nose_flank"] * flank
    # Distances in millimetres, negative inside.
    # The axis of a wing leans inwards, so that the outlines of both lead up to the ridge.
    axis = ala_x - 4.8 + k["wing_lean"] * (y - ala_y + 4)
    wing = _wing_mm(side - axis, y, ala_y, float(k["wing_half_height"]))
    lower, size = y - k["lobule_shift"], k["lobule_size"]
    tip = (hypot(x / (9.5 * size), (lower - tip_y - 1) / (9.5 * size)) - 1) * 9
    flare = size * (ala_x - 10 * (1 - smooth_step(lower, tip_y - 12, ala_y - 3)))
    bell = np.maximum(np.maximum(side - flare, lower - base_y + 1.5 + 0.1 * side), tip_y - k["lobule_height"] - lower)
    lobed = k["lobule_lobed"]
    lobes = np.minimum(_wing_mm((side - axis) / size, lower, ala_y, float(k["wing_half_height"])), tip)
    lobule = soft(lobed * lobes + (1 - lobed) * bell, float(k["lobule_edge"]))
    outer_half = np.clip(0.6 + (side - axis) / np.float32(10), 0.2, 1)
    view += lobule * k["lobule"] + soft(wing, 3.0) * outer_half * k["ala"]
    outside = soft(axis - side, 5) * soft(4.5 - side, 5)
    view += k["alar_crease"] * outside * line(wing - 1.3, 1.1)
    view += 0.7 * k["alar_crease"] * soft(side - ala_x, 4) * line(y - base_y - 1.0 - 0.04 * side, 1.1)
    size = k["nostril_size"]
    slant = (y - (base_y - 2.5)) + np.float32(0.25) * (side - 8)
    nostril = soft(hypot((side - 8.2) / (4.6 * size), slant / (2.4 * size)) - 1, 0.5)
    view += nostril * (np.float32(forehead_c + frame_state.nostril_k) - view)
    view += np.float32(frame_state.breath_k) * bump(side, y, (7, base_y + 5), 5, 4.5).astype(np.float32)
    view += k["columella"] * bump(x, y, (0, base_y - 3), 2.2, 3.5).astype(np.float32)
    philtrum = smooth_step(y, base_y, base_y + 3) * (1 - smooth_step(y, 56, 60))
    view += k["philtrum"] * (philtrum * (line(side - 3.6, 1.2) - np.float32(0.7) * line(x, 1.5))).astype(np.float32)


def _wing_mm(beside: np.ndarray, y: np.ndarray, ala_y: float, half_height: float) -> np.ndarray:
    """Distance to the outline of a wing, whose lower end stays with the landmark whatever its height."""
    return (hypot(beside / 6.3, (y - (ala_y + 2.6 - half_height)) / half_height) - 1) * 6


def paint_nasolabial_fold(canvas: Canvas, person: Person) -> None:
    """The line from the wing of the nose past the corner of the mouth."""
    ala_x, ala_y = mean_head().landmarks_frontal_mm["ala_right"]
    view, x, y = canvas.window((-46, 46), (34, 86))
    down = np.clip((y - ala_y) / 32, 0, None)
    fold_x = ala_x + 3 + 17 * np.float32(person.features_k["area_width"]) * np.sqrt(down) * np.sqrt(np.sqrt(down))
    fade = smooth_step(y, ala_y - 6, ala_y + 2) * (1 - smooth_step(y, 62, 80))
    view += np.float32(person.features_k["fold"]) * (line(np.abs(x) - fold_x, 1.8) * fade).astype(np.float32)
