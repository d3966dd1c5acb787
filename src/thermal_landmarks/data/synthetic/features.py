"""Small features of the face, painted into the texture: brows, eyes, nostrils, mouth."""

import numpy as np

from thermal_landmarks.data.synthetic.exact import exp, hypot
from thermal_landmarks.data.synthetic.head_surface import bump, mean_head
from thermal_landmarks.data.synthetic.noise import smooth_noise
from thermal_landmarks.data.synthetic.person import Moment, Person
from thermal_landmarks.data.synthetic.randomness import stream
from thermal_landmarks.data.synthetic.skin import Canvas


def paint_features(canvas: Canvas, person: Person, moment: Moment) -> None:
    """All small features of one face."""
    forehead_c = person.forehead_c + moment.drift_k
    for side in (-1, 1):
        _paint_brow(canvas, side, person)
        _paint_eye(canvas, side, person, moment.eye_opening, forehead_c)
    _paint_nose(canvas, person, forehead_c, moment.nostril_k)
    _paint_mouth(canvas, person, moment.expression_mm.get("mouth_open", 0.0), forehead_c)


def _place(name: str) -> tuple[float, float]:
    return mean_head().landmarks_frontal_mm[name]


def _soft(distance: np.ndarray, edge: float) -> np.ndarray:
    """1 inside (negative distance), 0 outside, over a border about `edge` mm wide."""
    return np.clip(np.float32(0.5) - distance / np.float32(edge), 0, 1)


def _line(distance: np.ndarray, width: float) -> np.ndarray:
    return exp(np.float32(-0.5 / width**2) * distance * distance)


def _paint_brow(canvas: Canvas, side: int, person: Person) -> None:
    peak_x, peak_y = _place("brow_right")
    view, x, y = canvas.window((8, 62) if side > 0 else (-62, -8), (-44, -10))
    along = (np.abs(x) - peak_x) / np.float32(20)
    middle = peak_y + 1.5 + 3.0 * along * along + np.where(along > 0, 3.5 * along * along, 0)
    half = np.clip(np.float32(3.0) - 1.6 * along, 0.4, 3.6)
    softness = person.brow_softness_mm
    ends = _soft(np.abs(x) - 56, 8) * _soft(14 - np.abs(x), 8)
    mask = _soft(np.abs(y - middle) - half, softness) * ends
    hairs = smooth_noise(stream(*person.key, "brow", side + 1), view.shape[0], view.shape[1], (10, 44))
    view += mask * np.float32(person.features_k["brow"]) * (1 + np.float32(0.25) * hairs)


def _paint_eye(canvas: Canvas, side: int, person: Person, opening: float, forehead_c: float) -> None:
    inner_x, inner_y = _place("eye_right_inner")
    outer_x, outer_y = _place("eye_right_outer")
    view, x, y = canvas.window((6, 58) if side > 0 else (-58, -6), (-22, 20))
    along = 2 * (np.abs(x) - inner_x) / (outer_x - inner_x) - 1
    axis = inner_y + (outer_y - inner_y) * (along + 1) / 2
    bow = np.clip(1 - along * along, 0, None)
    upper = axis - (6.0 * opening - 2.0 * (1 - opening)) * bow
    lower = axis + (2.6 + 0.4 * (1 - opening)) * bow
    within = _soft(np.abs(along) - 1, 0.15)
    k = person.features_k
    eyeball = _soft(np.maximum(upper - y, y - lower), 1.2) * within
    view += eyeball * (np.float32(forehead_c + 0.3 + k["eyeball"]) - view)
    lid = within * np.float32(k["lid_fold"])
    view += lid * 0.7 * _line(y - upper, 1.0) + lid * 0.6 * _line(y - lower, 0.9)
    view += np.float32(k["upper_lid"]) * bump(np.abs(x), y, (32, -14), 13, 4.5).astype(np.float32)
    view += np.float32(k["under_eye"]) * within * _line(y - lower - 4, 2.2)
    crease = axis - (8.5 + 1.5 * opening) * np.sqrt(np.clip(1.15 - along * along, 0, None))
    view += lid * 0.6 * _line(y - crease, 1.4)
    view -= np.float32(0.5) * within * _line(y - upper - np.float32(1.2), 0.7) * np.float32(opening)
    view += np.float32(0.3) * bump(np.abs(x), y, (inner_x - 0.5, inner_y), 2.2, 1.8).astype(np.float32)


def _paint_nose(canvas: Canvas, person: Person, forehead_c: float, nostril_k: float) -> None:
    _, base_y = _place("subnasale")
    ala_x, ala_y = _place("ala_right")
    view, x, y = canvas.window((-30, 30), (-14, 58))
    side = np.abs(x)
    wings = bump(side, y, (ala_x - 2.5, ala_y - 3), 3.6, 4.5).astype(np.float32)
    grooves = bump(side, y, (7.5, 5), 2.6, 8).astype(np.float32)
    view += np.float32(person.features_k["ala"]) * wings + np.float32(person.features_k["nose_groove"]) * grooves
    slant = (y - (base_y - 2.5)) + np.float32(0.25) * (side - 8)
    nostril = _soft(hypot((side - 8.2) / 4.6, slant / 2.4) - 1, 0.5)
    view += nostril * (np.float32(forehead_c + nostril_k) - view)
    crease = hypot((side - (ala_x - 7)) / 8.5, (y - (ala_y - 1)) / 7.5) - 1
    outer = _soft(ala_x - 6 - side, 5) * _soft(y - base_y - 1, 3)
    view += np.float32(0.6) * outer * _line(crease, 0.14)


def _paint_mouth(canvas: Canvas, person: Person, open_mm: float, forehead_c: float) -> None:
    corner_x, corner_y = _place("mouth_right")
    _, top_y = _place("upper_lip")
    _, bottom_y = _place("lower_lip")
    view, x, y = canvas.window((-38, 38), (52, 92))
    along = x / np.float32(corner_x)
    bow = np.clip(1 - along * along, 0, None)
    cupid = np.float32(1.3) * _line(x, 3.0)
    top = corner_y - (corner_y - top_y + 1.0) * bow + cupid
    bottom = corner_y + (bottom_y - corner_y) * np.sqrt(bow) * np.sqrt(bow)
    within = _soft(np.abs(along) - 1, 0.12)
    k = person.features_k
    lips = _soft(np.maximum(top - y, y - bottom), 4) * within
    lower = np.clip((y - corner_y) / 3 + np.float32(0.5), 0, 1)
    view += lips * (np.float32(k["upper_lip"]) * (1 - lower) + np.float32(k["lower_lip"]) * lower)
    # The jaw's displacement begins below the line: an opening stretches just this band.
    line_y = corner_y - np.float32(0.5) + np.float32(0.8) * bow
    closed = np.float32(np.clip(1 - open_mm / 4, 0, 1))
    view += closed * np.float32(k["mouth_line"]) * within * _line(y - line_y, 1.1)
    if open_mm > 0:
        cavity = _soft(np.maximum(line_y - y, y - line_y - 5.0 * bow), 1.0) * within * (1 - closed)
        view += cavity * (np.float32(forehead_c + k["mouth_cavity"]) - view)
