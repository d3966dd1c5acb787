"""Displacement fields that turn the mean head into a person, and a resting face into an expression.

Each field moves its main landmark by about 1 mm, so that a weight reads as millimetres; the weights of identity
are drawn a subject, those of expression an image. Positive weights do what the name says.
"""

from functools import lru_cache

import numpy as np
from jaxtyping import Float

from thermal_faces.head.surface import bump, mean_head, smooth_step


def identity_modes() -> tuple[str, ...]:
    """Names of the fields that make a person."""
    return tuple(_identity_fields())


def expression_modes() -> tuple[str, ...]:
    """Names of the fields that make an expression."""
    return tuple(_expression_fields())


def displace(weights_mm: dict[str, float]) -> Float[np.ndarray, "rows columns 3"]:
    """The mean head moved by the weighted fields, in mm (float32)."""
    fields = _all_fields()
    vertices = mean_head().vertices_mm.copy()
    for name, weight in weights_mm.items():
        for axis, field in fields[name]:
            vertices[..., axis] += np.float32(weight) * field
    return vertices


@lru_cache(maxsize=1)
def _all_fields() -> dict[str, tuple[tuple[int, np.ndarray], ...]]:
    """Every field as its non-zero axes, so that a sum touches no zeros."""
    fields = {**_identity_fields(), **_expression_fields()}
    return {
        name: tuple((axis, part.astype(np.float32)) for axis, part in enumerate(parts) if np.any(part))
        for name, parts in fields.items()
    }


def _coordinates() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Frontal x and y, its distance from the middle, and its side (-1, 0 or 1)."""
    x, y = np.moveaxis(mean_head().frontal_mm.astype(np.float64), -1, 0)
    return x, y, np.abs(x), np.tanh(x / 3)


def _identity_fields() -> dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    x, y, side, sign = _coordinates()
    z = mean_head().vertices_mm[..., 2].astype(np.float64)
    zero = np.zeros_like(x)
    eyes = bump(side, y, (31, 0), 14, 13)
    along_eye = (side - 31) / 14
    lower_nose = smooth_step(y, -10, 32) * (1 - smooth_step(y, 43, 60)) * bump(x, 0 * y, (0, 0), 22, 1)
    brows = bump(side, y, (38, -26), 24, 11)
    mouth = bump(x, y, (0, 69), 34, 16)
    lower = smooth_step(y, 70, 112)
    front = np.clip(z / 90, 0, None)
    return {
        "head_width": (x / 70, zero, zero),
        "head_depth": (zero, zero, z / 90),
        "forehead_height": (zero, -smooth_step(-y, 30, 120) * 1.0, zero),
        "forehead_slope": (zero, zero, -smooth_step(-y, 30, 110) * front),
        "face_length": (zero, np.clip(y, 0, None) / 116, zero),
        "jaw_width": (x / 60 * smooth_step(y, 15, 75), zero, zero),
        "jaw_angle": (sign * bump(side, y, (58, 66), 14, 20), zero, zero),
        "jowls": (0.6 * sign * bump(side, y, (42, 92), 16, 15), 0.6 * bump(side, y, (42, 92), 18, 15), zero),
        "double_chin": (zero, 0.7 * smooth_step(y, 116, 136), 0.7 * smooth_step(y, 116, 136)),
        "chin_length": (zero, lower, zero),
        "chin_projection": (zero, zero, bump(x, y, (0, 108), 24, 16)),
        "chin_width": (sign * bump(side, y, (20, 108), 14, 14), zero, zero),
        "cheek_fullness": (0.7 * sign * bump(side, y, (58, 42), 16, 24), zero, 0.7 * bump(side, y, (48, 45), 18, 22)),
        "cheekbone": (0.5 * sign * bump(side, y, (54, 18), 14, 12), zero, bump(side, y, (48, 20), 14, 12)),
        "midface_depth": (zero, zero, bump(x, y, (0, 44), 44, 26)),
        "temple_width": (x / 72 * bump(0 * y, y, (0, -30), 1, 26), zero, zero),
        "eye_spacing": (sign * eyes, zero, zero),
        "eye_width": (sign * along_eye * eyes, zero, zero),
        "eye_height": (zero, -eyes, zero),
        "eye_tilt": (zero, -along_eye * eyes, zero),
        "eye_depth": (zero, zero, -bump(side, y, (30, -2), 15, 12)),
        "eye_bulge": (zero, zero, bump(side, y, (31, -1), 8, 8)),
        "brow_height": (zero, -brows, zero),
        "brow_spacing": (sign * brows, zero, zero),
        "brow_tilt": (zero, -((side - 26) / 18) * brows, zero),
        "brow_ridge": (zero, zero, bump(side, y, (24, -24), 24, 9)),
        "nasion_height": (zero, -bump(x, y, (0, -3), 9, 10), zero),
        "nasion_depth": (zero, zero, -bump(x, y, (0, -3), 9, 11)),
        "nose_bridge": (zero, zero, bump(x, y, (0, 10), 8, 13)),
        "nose_length": (zero, lower_nose, zero),
        "nose_width": (sign * bump(side, y, (14, 40), 8, 9), zero, zero),
        "nose_projection": (zero, zero, bump(x, y, (0, 32), 11, 13)),
        "nose_tip_lift": (zero, -bump(x, y, (0, 31), 9, 7), zero),
        "nose_base": (zero, bump(x, y, (0, 46), 7, 6), zero),
        "nose_base_depth": (zero, zero, bump(x, y, (0, 45), 8, 7)),
        "ala_height": (zero, -bump(side, y, (14, 41), 5, 7), zero),
        "mouth_width": (sign * bump(side, y, (24, 69), 13, 12), zero, zero),
        "mouth_height": (zero, -mouth, zero),
        "mouth_corners": (zero, -bump(side, y, (25, 69), 9, 9), zero),
        "upper_lip_fullness": (zero, -bump(x, y, (0, 58), 18, 6), zero),
        "lower_lip_fullness": (zero, bump(x, y, (0, 81), 18, 6), zero),
        "lip_protrusion": (zero, zero, bump(x, y, (0, 70), 22, 12)),
        "lower_lip_depth": (zero, zero, bump(x, y, (0, 80), 20, 7)),
        "nose_sideways": (bump(x, y, (0, 36), 16, 16), zero, zero),
        "bridge_sideways": (bump(x, y, (0, 2), 12, 16), zero, zero),
        "mouth_sideways": (mouth, zero, zero),
        "chin_sideways": (lower * bump(x, 0 * y, (0, 0), 50, 1), zero, zero),
        "eyes_uneven": (zero, eyes * sign, zero),
        "brows_uneven": (zero, brows * sign, zero),
        "mouth_uneven": (zero, mouth * sign, zero),
    }


def _expression_fields() -> dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    x, y, side, sign = _coordinates()
    zero = np.zeros_like(x)
    corners = bump(side, y, (26, 68), 13, 11)
    brows = bump(side, y, (34, -26), 24, 13)
    # Between the lips the surface tears open, lower in the middle; beside the mouth the cheek stretches.
    towards_corner = np.clip(side / 24, 0, 1) ** 2
    cheek = smooth_step(side, 22, 46)
    below = np.clip((y - 71.5 + 2.5 * towards_corner) / (5 - 1.5 * towards_corner + 44 * cheek) + 0.5, 0, 1)
    jaw = (below + cheek * (smooth_step(below, 0, 1) - below)) * np.exp(-0.5 * (x / 52) ** 2)
    cheeks = bump(side, y, (44, 38), 16, 16)
    under_eye = bump(side, y, (33, 13), 16, 8)
    return {
        # The chin swings back about the joint before the ear.
        "mouth_open": (
            -0.1 * sign * corners,
            jaw * (1 - 0.12 * smooth_step(y, 90, 116)),
            -(0.35 + 0.2 * smooth_step(y, 82, 116)) * jaw,
        ),
        "smile": (0.8 * sign * corners, -0.6 * corners - 0.25 * cheeks, -0.3 * corners + 0.3 * cheeks),
        "frown": (0.1 * sign * corners, 0.7 * corners, zero),
        "pucker": (-sign * corners, zero, 0.6 * bump(x, y, (0, 70), 16, 11)),
        "mouth_aside": (bump(x, y, (0, 69), 32, 16), zero, zero),
        "mouth_wide": (sign * corners, zero, -0.2 * corners),
        "mouth_tilt": (zero, -sign * corners, zero),
        "jaw_aside": (smooth_step(y, 66, 88) * bump(x, 0 * y, (0, 0), 45, 1), zero, zero),
        "lip_raise": (zero, -bump(x, y, (0, 58), 20, 7), zero),
        "lip_drop": (zero, bump(x, y, (0, 80), 20, 6), zero),
        "lip_press": (zero, bump(x, y, (0, 57), 20, 6) - bump(x, y, (0, 81), 20, 6), -0.5 * bump(x, y, (0, 69), 22, 9)),
        "cheek_puff": (0.6 * sign * bump(side, y, (46, 62), 15, 15), zero, 0.8 * bump(side, y, (40, 62), 15, 15)),
        "squint": (zero, 0.3 * brows - under_eye, 0.3 * under_eye),
        "nose_wrinkle": (zero, 0.4 * brows - bump(side, y, (13, 40), 8, 9) - 0.4 * bump(x, y, (0, 58), 20, 7), zero),
        "brow_raise": (zero, -brows, zero),
        "brows_askew": (zero, -sign * brows, zero),
        "brow_knit": (-0.4 * sign * bump(side, y, (22, -24), 12, 9), 0.8 * bump(side, y, (24, -25), 17, 10), zero),
    }
