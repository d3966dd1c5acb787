"""Displacement fields that turn the mean head into a person, and a resting face into an expression.

Each field moves its main landmark by about 1 mm, so that a weight reads as millimetres; the weights of identity
are drawn a subject, those of expression an image. Positive weights do what the name says.
"""

from functools import lru_cache

import numpy as np
from jaxtyping import Float

from thermal_landmarks.data.synthetic.head_surface import bump, mean_head, smooth_step


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
    lower_nose = smooth_step(y, -10, 34) * (1 - smooth_step(y, 42, 60)) * bump(x, 0 * y, (0, 0), 22, 1)
    brows = bump(side, y, (38, -28), 24, 11)
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
        "chin_length": (zero, lower, zero),
        "chin_projection": (zero, zero, bump(x, y, (0, 108), 24, 16)),
        "chin_width": (sign * bump(side, y, (20, 108), 14, 14), zero, zero),
        "cheek_fullness": (0.7 * sign * bump(side, y, (58, 42), 16, 24), zero, 0.7 * bump(side, y, (48, 45), 18, 22)),
        "cheekbone": (0.5 * sign * bump(side, y, (54, 18), 14, 12), zero, bump(side, y, (48, 20), 14, 12)),
        "temple_width": (x / 72 * bump(0 * y, y, (0, -30), 1, 26), zero, zero),
        "eye_spacing": (sign * eyes, zero, zero),
        "eye_width": (sign * along_eye * eyes, zero, zero),
        "eye_height": (zero, -eyes, zero),
        "eye_tilt": (zero, -along_eye * eyes, zero),
        "eye_depth": (zero, zero, -bump(side, y, (30, -2), 15, 12)),
        "brow_height": (zero, -brows, zero),
        "brow_tilt": (zero, -((side - 26) / 18) * brows, zero),
        "brow_ridge": (zero, zero, bump(side, y, (24, -24), 24, 9)),
        "nasion_height": (zero, -bump(x, y, (0, -4), 9, 10), zero),
        "nasion_depth": (zero, zero, -bump(x, y, (0, -3), 9, 11)),
        "nose_length": (zero, lower_nose, zero),
        "nose_width": (sign * bump(side, y, (15, 40), 8, 9), zero, zero),
        "nose_projection": (zero, zero, bump(x, y, (0, 33), 10, 13)),
        "nose_tip_lift": (zero, -bump(x, y, (0, 33), 9, 7), zero),
        "mouth_width": (sign * bump(side, y, (25, 69), 13, 12), zero, zero),
        "mouth_height": (zero, -mouth, zero),
        "upper_lip_fullness": (zero, -bump(x, y, (0, 61), 18, 5), zero),
        "lower_lip_fullness": (zero, bump(x, y, (0, 80), 18, 6), zero),
        "lip_protrusion": (zero, zero, bump(x, y, (0, 70), 22, 12)),
        "nose_sideways": (bump(x, y, (0, 36), 16, 16), zero, zero),
        "mouth_sideways": (mouth, zero, zero),
        "chin_sideways": (lower * bump(x, 0 * y, (0, 0), 50, 1), zero, zero),
        "eyes_uneven": (zero, eyes * sign, zero),
        "brows_uneven": (zero, brows * sign, zero),
    }


def _expression_fields() -> dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    x, y, side, sign = _coordinates()
    zero = np.zeros_like(x)
    corners = bump(side, y, (26, 68), 13, 11)
    brows = bump(side, y, (34, -27), 24, 13)
    # Between the lips the surface tears open; beside the mouth the cheek stretches.
    spread = 24 * smooth_step(side, 22, 46)
    jaw = (
        smooth_step((y - 71) / (3 + spread), -1, 1)
        * (1 - 0.25 * smooth_step(y, 90, 116))
        * np.exp(-0.5 * (x / 52) ** 2)
    )
    cheeks = bump(side, y, (44, 38), 16, 16)
    return {
        "mouth_open": (zero, jaw, -0.25 * jaw),
        "smile": (0.8 * sign * corners, -0.6 * corners - 0.25 * cheeks, -0.3 * corners + 0.3 * cheeks),
        "frown": (0.1 * sign * corners, 0.7 * corners, zero),
        "pucker": (-sign * corners, zero, 0.6 * bump(x, y, (0, 70), 16, 11)),
        "mouth_aside": (bump(x, y, (0, 69), 32, 16), zero, zero),
        "brow_raise": (zero, -brows, zero),
        "brow_knit": (-0.4 * sign * bump(side, y, (22, -24), 12, 9), 0.8 * bump(side, y, (24, -26), 17, 10), zero),
        "lip_raise": (zero, -bump(x, y, (0, 60), 20, 6), zero),
    }
