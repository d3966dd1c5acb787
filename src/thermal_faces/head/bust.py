"""Neck, shoulders, clothes and ears: surfaces around the face, on coarser grids."""

from functools import lru_cache

import numpy as np
from jaxtyping import Float
from scipy.interpolate import PchipInterpolator

from thermal_faces.camera.rasterizer import upsample
from thermal_faces.camera.view import turn
from thermal_faces.noise import smooth_noise
from thermal_faces.person import FrameState, Person
from thermal_faces.portable_math import exp
from thermal_faces.randomness import rng

# Rings from the neck's top to the chest: half-width, half-depth, depth of the centre, height in front and at the sides.
_RINGS_MM = np.array(
    [
        (50, 50, -6, 88, 60),
        (52, 52, -10, 120, 100),
        (54, 53, -14, 145, 130),
        (62, 56, -18, 168, 150),
        (90, 66, -24, 186, 163),
        (135, 80, -26, 204, 176),
        (180, 92, -26, 224, 192),
        (212, 104, -24, 255, 228),
        (225, 112, -20, 310, 290),
        (228, 116, -20, 400, 390),
        (228, 116, -20, 620, 610),
    ],
    dtype=float,
)
_LONGITUDES_DEG = np.linspace(-95, 95, 33)
_ROWS = 48


def bust_vertices_mm(person: Person) -> Float[np.ndarray, "rows columns 3"]:
    """Neck and torso in the body's frame."""
    longitude = np.radians(_LONGITUDES_DEG)[None, :]
    half_width, half_depth, centre, front, sides = (_even_rings_mm()[:, i] for i in range(5))
    x = half_width * np.sin(longitude) * (1 + 0.008 * person.shape_mm["jaw_width"])
    y = front + (sides - front) * (1 - np.cos(longitude))
    return np.stack([x, y, half_depth * np.cos(longitude) + centre], axis=-1).astype(np.float32)


@lru_cache(maxsize=1)
def _even_rings_mm() -> Float[np.ndarray, "rows 5 1"]:
    """Rings at even distances along the outline."""
    along = np.concatenate([[0], np.cumsum(np.hypot(np.diff(_RINGS_MM[:, 0]), np.diff(_RINGS_MM[:, 4])))])
    return PchipInterpolator(along, _RINGS_MM)(np.linspace(0, along[-1], _ROWS))[..., None]


def turned_bust_mm(
    person: Person, head: Float[np.ndarray, "3 3"], body: Float[np.ndarray, "3 3"], *, waist: float = 0.0
) -> Float[np.ndarray, "rows columns 3"]:
    """Neck and torso in the camera's directions: the neck's top follows the head, the rest the body.

    `waist` is the share by which the torso is narrower below the arms; 0: as wide as with arms that hang.
    """
    vertices = bust_vertices_mm(person)
    if waist:
        vertices[..., 0] *= 1 - np.float32(waist) * np.clip((vertices[..., 1:2] - 260) / 130, 0, 1)[..., 0]
    share = np.clip(1 - np.arange(_ROWS, dtype=np.float32) / 12, 0, 1)[:, None, None]
    with_head, with_body = turn(vertices, head), turn(vertices, body)
    return with_body + share * (with_head - with_body)


def bust_texture_c(
    person: Person, frame_state: FrameState, rows: int, samples: int, ambient_c: float
) -> Float[np.ndarray, "down across"]:
    """Skin above the neckline, clothes below; for the first `rows` rows of vertices."""
    vertices = bust_vertices_mm(person)
    generator = rng(*person.key, "clothes")
    pattern, fine_folds, long_folds = (
        smooth_noise(generator, vertices.shape[0], vertices.shape[1], knots) for knots in ((10, 9), (14, 18), (7, 30))
    )
    skin_c = person.forehead_c + frame_state.drift_k + person.regions_k["neck"] + frame_state.regions_k["neck"]
    skin = np.float32(skin_c) + np.float32(1.5 * person.blotch_k) * pattern
    # Throat muscles and the slanting sides.
    turn_rad = np.radians(_LONGITUDES_DEG)[None, :]
    slant = (1 - np.cos(turn_rad).clip(0)).astype(np.float32)
    skin -= np.float32(0.5) * exp(-0.5 * ((np.abs(turn_rad) - 0.35) / 0.15) ** 2).astype(np.float32)
    skin += np.float32(frame_state.grazing_loss) * slant * slant * slant * np.float32(ambient_c - skin_c)
    warmth = np.float32(frame_state.cloth_warmth) + np.float32(0.05) * (fine_folds + long_folds)
    depth = np.clip((vertices[..., 1] - np.float32(frame_state.neckline_mm)) / 120, 0, 1)
    cloth = np.float32(ambient_c) + warmth * np.float32(skin_c - ambient_c) * (1 - np.float32(0.25) * depth)
    x, y, skin, cloth = (
        upsample(np.ascontiguousarray(grid[:rows]), samples)
        for grid in (vertices[..., 0], vertices[..., 1], skin, cloth)
    )
    # From a round neckline to a pointed one, with a cool or warm hem.
    pointed, hem_k = np.float32(generator.random()), np.float32(generator.uniform(-2.0, 0.5))
    below_edge = y - np.float32(frame_state.neckline_mm) + pointed * np.abs(x) + np.float32(0.004) * x * x
    cover = np.clip(below_edge / 3 + np.float32(0.5), 0, 1)
    cloth += hem_k * exp(np.float32(-0.5 / 36) * (below_edge - 9) ** 2)
    return skin + cover * (cloth - skin)


def ear_vertices_mm(side: int, person: Person) -> Float[np.ndarray, "rows columns 3"]:
    """One ear, a shallow shell that stands off the skull; `side` is -1 or 1."""
    generator = rng(*person.key, "ears")
    length, width = generator.uniform(54, 66), generator.uniform(27, 35)
    stand_off_rad = np.radians(generator.uniform(15, 45))
    centre_y = generator.uniform(6, 16)
    down = np.linspace(-1, 1, 15)[:, None]
    back = np.linspace(0, 1, 9)[None, :]
    # An egg, wider above; its front edge sits on the skull.
    outline = np.sqrt(np.clip(1 - down**2, 0, None)) * (1 - 0.22 * down)
    reach = back * outline * width
    y = centre_y + down * length / 2 - 0.12 * reach
    out = reach * np.sin(stand_off_rad) + 3 * np.sin(back * np.pi)
    x = side * (70 + person.shape_mm["head_width"] + out + 0 * down)
    z = -4 - reach * np.cos(stand_off_rad) - 0.1 * (y - centre_y)
    vertices = np.stack([x, y + 0 * x, z], axis=-1).astype(np.float32)
    return vertices if side > 0 else vertices[:, ::-1]


def ear_texture_c(side: int, person: Person, frame_state: FrameState, samples: int) -> Float[np.ndarray, "down across"]:
    """Cool rim, warmer hollow."""
    down = np.linspace(-1, 1, 14 * samples, dtype=np.float32)[:, None]
    back = np.linspace(0, 1, 8 * samples, dtype=np.float32)[None, :]
    ears_k = person.regions_k["ears"] + frame_state.regions_k["ears"]
    hollow = exp(-0.5 * (((back - np.float32(0.35)) / np.float32(0.2)) ** 2 + (down / np.float32(0.4)) ** 2))
    rim = back + 0 * down
    texture = np.float32(person.forehead_c + frame_state.drift_k) + np.float32(ears_k) * (
        np.float32(0.55) + np.float32(0.6) * rim - np.float32(0.6) * hollow
    )
    return texture if side > 0 else texture[:, ::-1]
