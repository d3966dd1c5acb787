"""Brows and eyes, painted into the texture."""

import numpy as np

from thermal_faces.head.surface import bump, mean_head
from thermal_faces.noise import smooth_noise
from thermal_faces.person import Person
from thermal_faces.randomness import rng
from thermal_faces.skin.temperature_map import Canvas, line, soft


def paint_brow(canvas: Canvas, side: int, person: Person) -> None:
    """One brow; `side` is -1 or 1."""
    peak_x, peak_y = mean_head().landmarks_frontal_mm["brow_right"]
    view, x, y = canvas.window((8, 62) if side > 0 else (-62, -8), (-44, -10))
    along = (np.abs(x) - peak_x) / np.float32(20)
    middle = peak_y + 1.0 + 2.0 * along * along + np.where(along > 0, 5.5 * along * along, 0)
    half = np.clip(np.float32(3.0) - 1.6 * along, 0.4, 3.6) * np.float32(person.features_k["brow_thickness"])
    softness = person.brow_softness_mm
    ends = soft(np.abs(x) - 56, 8) * soft(14 - np.abs(x), 8)
    mask = soft(np.abs(y - middle) - half, softness) * ends
    hairs = smooth_noise(rng(*person.key, "brow", side + 1), view.shape[0], view.shape[1], (10, 44))
    view += mask * np.float32(person.features_k["brow"]) * (1 + np.float32(0.25) * hairs)


def paint_eye(canvas: Canvas, side: int, person: Person, opening: float, forehead_c: float) -> None:
    """Eyeball, lids, lashes and the folds around them; `side` is -1 or 1, `opening` 0 (closed) to 1."""
    places = mean_head().landmarks_frontal_mm
    (inner_x, inner_y), (outer_x, outer_y) = places["eye_right_inner"], places["eye_right_outer"]
    view, x, y = canvas.window((6, 58) if side > 0 else (-58, -6), (-22, 20))
    across = np.abs(x)
    along = 2 * (across - inner_x) / (outer_x - inner_x) - 1
    axis = inner_y + (outer_y - inner_y) * (along + 1) / 2
    bow = np.clip(1 - along * along, 0, None)
    k = person.features_k
    upper = axis - (6.0 * k["lid_height"] * opening - 2.0 * k["lower_lid_height"] * (1 - opening)) * bow
    lower = axis + k["lower_lid_height"] * (2.6 + 0.4 * (1 - opening)) * bow
    within = soft(np.abs(along) - 1, 0.15)
    between = np.maximum(upper - y, y - lower)
    eyeball = soft(between, k["eyeball_edge"]) * within
    view += eyeball * (np.float32(forehead_c + 0.3 + k["eyeball"]) - view)
    length = np.float32(k["canthus_length"])
    # The warm skin of the corners is warmest inside them, not at their ends.
    inset = float(k["canthus_inset"])
    inner_end, outer_end = across - inner_x - inset, outer_x - across - 0.5 * inset
    wedges = np.clip(1 - np.maximum(inner_end, -2 * inner_end) / length, 0, 1)
    wedges += 0.5 * np.clip(1 - 1.5 * np.maximum(outer_end, -2 * outer_end) / length, 0, 1)
    view += np.float32(k["canthus"]) * (wedges * soft(between - 0.5, 2.0) * within)
    lid = within * np.float32(k["lid_fold"])
    view += lid * 0.7 * line(y - upper, 1.0) + lid * 0.6 * line(y - lower, 0.9)
    view += np.float32(k["upper_lid"]) * bump(across, y, (32, -14), 13, 4.5).astype(np.float32)
    view += np.float32(k["under_eye"]) * within * line(y - lower - 4, 2.2)
    crease = axis - k["crease_height"] * (8.5 + 1.5 * opening) * np.sqrt(np.clip(1.15 - along * along, 0, None))
    view += within * np.float32(k["lid_crease"]) * line(y - crease, 1.4)
    # Lashes lie over the eye, closed ones over the lower lid.
    view += np.float32(k["lash"]) * within * line(y - upper - np.float32(1.2 * opening), 0.8)
    patch = line(along - 0.4, 0.3) * line(y - upper + np.float32(k["lash_lift"] * opening), 1.4)
    view += np.float32(k["lash_patch"]) * patch
    tail = soft(across - outer_x - 6, 4) * soft(outer_x - across, 2)
    view += np.float32(k["lid_tail"]) * tail * line(y - outer_y - np.float32(0.4) * (across - outer_x), 1.3)
    inner_spot = bump(across, y, (inner_x - 0.5 + inset, inner_y), 2.2, 1.8)
    outer_spot = bump(across, y, (outer_x - 0.5 * inset, outer_y), 1.8, 1.4)
    view += np.float32(k["eye_corner"]) * (inner_spot + 0.5 * outer_spot).astype(np.float32)
