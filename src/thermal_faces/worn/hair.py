"""Hair on the head: as warm as skin at its roots, colder away from them; it also thickens the skull."""

from functools import lru_cache

import numpy as np
from jaxtyping import Float

from thermal_faces.camera.rasterizer import upsample
from thermal_faces.head.surface import longitudes_deg, mean_head, smooth_step
from thermal_faces.noise import smooth_noise
from thermal_faces.person import Person
from thermal_faces.portable_math import exp
from thermal_faces.randomness import rng
from thermal_faces.skin.temperature_map import Canvas


def _hairline_mm(person: Person) -> Float[np.ndarray, " columns"]:
    """Frontal y of the hairline: high over the forehead, down to the sideburns, low behind the ears."""
    turn = np.abs(longitudes_deg())
    edge = -person.hairline_mm + (person.hairline_mm + 8) * smooth_step(
        turn, person.hairline_turn_deg - 20, person.hairline_turn_deg + 20
    )
    style = person.hair_style
    bays = exp(-0.5 * ((turn - 30) / 11) ** 2)
    uneven = smooth_noise(rng(*person.key, "hairline"), 1, len(turn), (1, 11))[0]
    edge = edge - style.receding_mm * bays + style.uneven_mm * uneven * (1 - smooth_step(turn, 75, 95))
    return (edge + 45 * smooth_step(turn, 92, 112)).astype(np.float32)


def _fringe_mm(person: Person, hairline: Float[np.ndarray, " places"], longitude_deg: np.ndarray) -> np.ndarray:
    """Frontal y of the lower edge of hair over the forehead."""
    style = person.hair_style
    coarse, fine = (smooth_noise(rng(*person.key, "fringe", k), 1, len(longitude_deg), (1, k))[0] for k in (40, 130))
    locks = coarse + np.float32(0.3) * fine
    if style.parting_deg is None:
        reach = 1 - smooth_step(np.abs(longitude_deg), 20, 62)
    else:
        # From the parting it falls to both sides, more to the wider one.
        aside = np.abs(longitude_deg - style.parting_deg)
        wide = 1 - 0.6 * smooth_step(-np.sign(style.parting_deg or 1) * (longitude_deg - style.parting_deg), 10, -10)
        reach = smooth_step(aside, 0, 26) * wide * (1 - smooth_step(np.abs(longitude_deg), 45, 66))
    reach = reach * (1 - style.fringe_gaps * np.clip(0.5 + 0.6 * locks, 0, 1))
    return (hairline + (person.fringe_mm + 6) * reach - 6).astype(np.float32)


def thicken(vertices_mm: Float[np.ndarray, "rows columns 3"], person: Person, outward_mm: np.ndarray | None) -> None:
    """Moves the scalp outwards by the hair's thickness, or by what is worn over it, in place.

    `outward_mm` is at every vertex the thickness of what presses the hair down, NaN where nothing does.
    """
    y = mean_head().frontal_mm[..., 1]
    thickness = np.zeros_like(y)
    if person.hair_mm:
        inside = _hairline_mm(person) - y
        # Thin around the ears, which stand off it.
        thickness = (
            np.float32(person.hair_mm)
            * smooth_step(inside, 0, 20 + 1.5 * person.hair_mm)
            * (1 - 0.8 * smooth_step(y, -70, 10))
        )
        rows, columns = y.shape
        coarse, fine = (smooth_noise(rng(*person.key, "tufts", k), rows, columns, (k, 2 * k)) for k in (9, 20))
        thickness *= 1 + np.float32(person.hair_style.tufts) * (np.float32(0.4) * coarse + np.abs(fine)) * smooth_step(
            -y, -10, 60
        )
        np.clip(thickness, 0, 22, out=thickness)  # the grid stretches no further
    if outward_mm is not None:
        worn = ~np.isnan(outward_mm)
        thickness[worn] = 0.4 * thickness[worn] + outward_mm[worn]
    if not thickness.any():
        return
    outward = vertices_mm - np.array([0, -20, 0], np.float32)
    outward /= np.sqrt((outward * outward).sum(axis=-1, keepdims=True)) + np.float32(1e-3)
    vertices_mm += thickness[..., None].astype(np.float32) * outward


def paint_hair(canvas: Canvas, person: Person, facing: Float[np.ndarray, "rows columns"], ambient_c: float) -> None:
    """Hair on the head; `facing` (cosine to the camera at the vertices) tells where it is seen edge-on."""
    if not person.hair_mm:
        return
    places_y = _scalp_samples_mm(canvas.samples)
    rows = places_y.shape[0] // canvas.samples + 1
    style = person.hair_style
    generator = rng(*person.key, "hair")
    vertices_y = mean_head().frontal_mm[:rows, :, 1]
    # The smooth course at the vertices, single hairs at the samples.
    waves = smooth_noise(generator, rows, vertices_y.shape[1], (8, 12))
    inside = _hairline_mm(person) - vertices_y + np.float32(3) * waves
    even = np.float32(person.hair_warmth if style.deep_warmth is None else style.deep_warmth)
    deep = even + np.float32(0.25) * (1 - even) * waves
    # Loose hair at the outline lets the room through.
    slant = 1 - np.clip(facing[:rows], 0, 1)
    deep *= 1 - np.float32(0.45) * slant * slant * slant
    root = np.clip(1 - inside / np.float32(2.5 * style.root_mm), 0, 1) ** 2
    warmth = deep + root * (np.float32(0.96) - deep)

    warmth, inside = (upsample(np.ascontiguousarray(grid), canvas.samples) for grid in (warmth, inside))
    strands = smooth_noise(generator, places_y[:, places_y.shape[1] // 2], places_y.shape[1], (10, 120))
    contrast = np.float32(0.06 if style.deep_warmth is None else 0.03)
    strands *= contrast
    warmth += strands
    strands *= np.float32(0.25 * person.hair_softness_mm) / contrast
    inside += strands
    np.clip(warmth, 0.05, 0.98, out=warmth)
    warmth *= np.float32(person.forehead_c - ambient_c)
    warmth += np.float32(ambient_c)
    inside *= np.float32(1 / person.hair_softness_mm)
    inside += np.float32(0.3)
    cover = np.clip(inside, 0, 0.97, out=inside)
    view = canvas.texture[: places_y.shape[0]]
    warmth -= view
    warmth *= cover
    view += warmth
    if person.fringe_mm:
        _paint_fringe(canvas, person, places_y, ambient_c)
    if style.strands:
        _paint_strands(canvas, person, ambient_c)


def _paint_fringe(canvas: Canvas, person: Person, places_y: np.ndarray, ambient_c: float) -> None:
    """Hair that lies over the forehead, away from its roots: cold, with an edge of locks."""
    columns = places_y.shape[1]
    longitude, hairline = (
        upsample(np.repeat(line[None], 2, axis=0), canvas.samples)[0]
        for line in (longitudes_deg(), _hairline_mm(person))
    )
    edge = _fringe_mm(person, hairline, longitude)
    over = edge > hairline - 5
    if not over.any():
        return
    first, last = np.flatnonzero(over)[[0, -1]]
    middle = places_y[:, columns // 2]
    rows = slice(int(np.searchsorted(middle, hairline.min() - 14)), int(np.searchsorted(middle, edge.max() + 3)))
    part = slice(int(first), int(last) + 1)
    view, y = canvas.texture[rows, part], places_y[rows, part]
    if not view.size:
        return
    strands = smooth_noise(rng(*person.key, "fringe strands"), view.shape[0], view.shape[1], (4, 60))
    warmth = np.float32(0.3 + 0.6 * person.hair_warmth) + np.float32(0.06) * strands
    softness = np.float32(2 + 0.4 * person.hair_softness_mm)
    hair_c = np.float32(ambient_c) + np.clip(warmth, 0.05, 0.95) * np.float32(person.forehead_c - ambient_c)
    cover = np.clip((edge[part] - y) / softness + np.float32(0.2) * strands, 0, 0.93)
    # Colder where it stands off at its tips.
    hair_c += (
        np.float32(0.25 * (1 - person.hair_warmth))
        * np.clip(1 - (edge[part] - y) / 14, 0, 1)
        * np.float32(ambient_c - person.forehead_c)
    )
    # Thin at the hairline above, where the layer below shows.
    cover *= np.clip((y - hairline[part] + 14) / 14, 0, 1) * (over[part])
    view += cover * (hair_c - view)


def _paint_strands(canvas: Canvas, person: Person, ambient_c: float) -> None:
    """Single thin strands that hang from the hairline over the forehead."""
    generator = rng(*person.key, "strands")
    view, x, y = canvas.window((-58, 58), (-92, -14))
    cold_k = np.float32(0.6 * (1 - person.hair_warmth) * (ambient_c - person.forehead_c))
    for _ in range(person.hair_style.strands):
        start_x, length, bend = generator.uniform(-38, 38), generator.uniform(12, 48), generator.uniform(-30, 30)
        width, slant, strength = generator.uniform(0.5, 2.2), generator.uniform(-0.7, 0.7), generator.uniform(0.3, 1)
        along = (y + np.float32(person.hairline_mm)) / np.float32(length)
        course = np.float32(start_x) + np.float32(length * slant) * along + np.float32(bend) * along * along
        thin = np.float32(width) * np.clip(1.2 - along, 0.1, 1)
        cover = np.clip(1 - np.abs(x - course) / (thin + np.float32(0.6)), 0, 1)
        cover *= np.clip((along + np.float32(0.3)) * 4, 0, 1) * np.clip((1 - along) * 4, 0, 1)
        view += np.float32(strength) * cover * cold_k


@lru_cache(maxsize=8)
def _scalp_samples_mm(samples: int) -> np.ndarray:
    """Frontal y at the samples of all rows that hair can reach."""
    head = mean_head()
    rows = int(np.flatnonzero(head.frontal_mm[:, 0, 1] < 60)[-1])
    return upsample(np.ascontiguousarray(head.frontal_mm[: rows + 1, :, 1]), samples)
