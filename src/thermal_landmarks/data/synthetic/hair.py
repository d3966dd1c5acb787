"""Hair, beard, glasses and cap, painted over the skin; hair also thickens the skull."""

from functools import lru_cache

import numpy as np
from jaxtyping import Float

from thermal_landmarks.data.synthetic.exact import hypot, power
from thermal_landmarks.data.synthetic.head_surface import longitudes_deg, mean_head, smooth_step
from thermal_landmarks.data.synthetic.noise import smooth_noise
from thermal_landmarks.data.synthetic.person import Moment, Person
from thermal_landmarks.data.synthetic.randomness import stream
from thermal_landmarks.data.synthetic.rasterizer import upsample
from thermal_landmarks.data.synthetic.skin import Canvas

_CAP_EDGE_MM = 52.0


def _hairline_mm(longitude_deg: np.ndarray, person: Person) -> np.ndarray:
    """Frontal y of the hairline: high over the forehead, down to the sideburns, low behind the ears."""
    turn = np.abs(longitude_deg)
    edge = -person.hairline_mm + (person.hairline_mm + 8) * smooth_step(
        turn, person.hairline_turn_deg - 20, person.hairline_turn_deg + 20
    )
    edge = edge + 45 * smooth_step(turn, 92, 112)
    if person.fringe_mm:
        edge = edge + person.fringe_mm * (1 - smooth_step(turn, 15, 62))
    return edge.astype(np.float32)


def thicken(vertices_mm: Float[np.ndarray, "rows columns 3"], person: Person, moment: Moment) -> None:
    """Moves the scalp outwards by the hair's thickness (or the cap's), in place."""
    y = mean_head().frontal_mm[..., 1]
    thickness = np.zeros_like(y)
    if person.hair_mm:
        inside = _hairline_mm(longitudes_deg(), person) - y - np.float32(person.fringe_mm)
        # Thin around the ears, which stand off it.
        thickness = np.float32(person.hair_mm) * smooth_step(inside, 0, 30) * (1 - 0.8 * smooth_step(y, -35, 10))
    if moment.cap:
        thickness = np.maximum(np.float32(0.5) * thickness, 8 * smooth_step(-_CAP_EDGE_MM - y, -4, 6))
    if not thickness.any():
        return
    outward = vertices_mm - np.array([0, -20, 0], np.float32)
    outward /= np.sqrt((outward * outward).sum(axis=-1, keepdims=True)) + np.float32(1e-3)
    vertices_mm += thickness[..., None].astype(np.float32) * outward


def paint_hair(canvas: Canvas, person: Person, ambient_c: float) -> None:
    """Hair on the head, then the beard."""
    if person.hair_mm:
        _paint_scalp(canvas, person, ambient_c)
    if person.beard or person.moustache:
        _paint_beard(canvas, person)


def _paint_scalp(canvas: Canvas, person: Person, ambient_c: float) -> None:
    y = _scalp_samples_mm(canvas.samples)
    longitude = upsample(np.repeat(longitudes_deg()[None], 2, axis=0), canvas.samples)[:1]
    view = canvas.texture[: y.shape[0]]
    generator = stream(*person.key, "hair")
    strands = smooth_noise(generator, y[:, y.shape[1] // 2], y.shape[1], (9, 110))
    waves = smooth_noise(generator, y[:, y.shape[1] // 2], y.shape[1], (8, 10))
    inside = _hairline_mm(longitude, person) - y
    inside += np.float32(0.22 * person.hair_softness_mm) * strands
    inside += 4 * waves
    # Warmer at the roots along the hairline, cooler towards the crown.
    waves *= np.float32(0.12)
    strands *= np.float32(0.06)
    warmth = waves
    warmth += strands
    warmth += np.float32(person.hair_warmth)
    root = np.clip(inside * np.float32(1 / 60), 0, 1)
    root -= 1
    root *= np.float32(-0.45)
    warmth += root * (np.float32(0.9) - warmth)
    np.clip(warmth, 0.1, 0.97, out=warmth)
    warmth *= np.float32(person.forehead_c - ambient_c)
    warmth += np.float32(ambient_c)
    inside *= np.float32(1 / person.hair_softness_mm)
    inside += np.float32(0.3)
    cover = np.clip(inside, 0, 0.97, out=inside)
    warmth -= view
    warmth *= cover
    view += warmth


@lru_cache(maxsize=8)
def _scalp_samples_mm(samples: int) -> np.ndarray:
    """Frontal y at the samples of all rows that hair can reach."""
    head = mean_head()
    rows = int(np.flatnonzero(head.frontal_mm[:, 0, 1] < 60)[-1])
    return upsample(np.ascontiguousarray(head.frontal_mm[: rows + 1, :, 1]), samples)


def _paint_beard(canvas: Canvas, person: Person) -> None:
    view, x, y = canvas.window((-66, 66), (44, 140))
    side = np.abs(x)
    generator = stream(*person.key, "beard")
    strands = smooth_noise(generator, y[:, y.shape[1] // 2], y.shape[1], (22, 90))
    lips = hypot(x / 25, (y - 71) / 9.5)
    free = np.clip((lips - 1) * 4, 0, 1)
    chin = smooth_step(y + 0.25 * side, 76, 90) * (1 - smooth_step(y, 122, 134))
    cheeks = smooth_step(side, 28, 44) * smooth_step(y, 48, 66)
    moustache = smooth_step(y - 0.1 * side, 46, 54) * (1 - smooth_step(side, 16, 34)) * (1 - smooth_step(y, 80, 90))
    density = np.maximum(person.beard * np.maximum(chin, 0.6 * cheeks), person.moustache * moustache) * free
    cover = np.clip(density * (np.float32(0.85) + np.float32(0.3) * strands), 0, 1)
    view += cover.astype(np.float32) * np.float32(person.features_k["beard"])


def paint_accessories(canvas: Canvas, person: Person, moment: Moment, ambient_c: float) -> None:
    """Glasses (opaque in the long-wave infrared) and cap."""
    if moment.glasses:
        _paint_glasses(canvas, person, ambient_c)
    if moment.cap:
        _paint_cap(canvas, person, ambient_c)


def _paint_glasses(canvas: Canvas, person: Person, ambient_c: float) -> None:
    generator = stream(*person.key, "glasses")
    half_width, half_height = 21 + 4 * generator.random(), 14 + 6 * generator.random()
    glass_c, frame_c = (ambient_c + share * (person.forehead_c - ambient_c) for share in generator.uniform(0.1, 0.5, 2))
    roundness = 2 + 3 * generator.random()
    view, x, y = canvas.window((-72, 72), (-26, 34))
    side = np.abs(x)
    lens = power(np.abs((side - 32) / half_width), roundness) + power(np.abs((y - 3) / half_height), roundness)
    lens = power(lens, 1 / roundness) - 1
    bridge = np.maximum(np.abs(y + 4) - 2, side - 14)
    arms = np.maximum(np.abs(y + 5) - 2.5, 50 - side)
    frame = np.minimum(np.minimum(bridge, arms), (np.abs(lens) - 0.09) * half_height)
    view += np.clip(0.5 - lens * half_height, 0, 1).astype(np.float32) * (np.float32(glass_c) - view)
    view += np.clip(0.5 - frame, 0, 1).astype(np.float32) * (np.float32(frame_c) - view)


def _paint_cap(canvas: Canvas, person: Person, ambient_c: float) -> None:
    y = _scalp_samples_mm(canvas.samples)
    view = canvas.texture[: y.shape[0]]
    folds = smooth_noise(stream(*person.key, "cap"), y[:, y.shape[1] // 2], y.shape[1], (8, 14))
    cloth_c = np.float32(ambient_c + 0.4 * (person.forehead_c - ambient_c)) + np.float32(0.5) * folds
    view += np.clip(np.float32(0.5) - (y + _CAP_EDGE_MM) / 2, 0, 1) * (cloth_c - view)
