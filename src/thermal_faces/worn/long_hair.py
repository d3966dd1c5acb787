"""Hair that hangs beside and behind the face, an open tube around the head; or is tied up on the crown."""

import numpy as np

from thermal_faces.noise import smooth_noise
from thermal_faces.person import Person
from thermal_faces.portable_math import exp
from thermal_faces.randomness import rng
from thermal_faces.worn.cloth import Cloth

_ROWS, _COLUMNS = 17, 45
_TOP_MM = -62.0


def long_hair(person: Person, ambient_c: float) -> Cloth:
    """The tube from the right-hand edge of the face around the back to the left-hand edge.

    Cells that face the camera hang beside the face, those that face away are the inside of the hair behind the neck.
    Cooler towards the ends, warmer where it begins beside the face, with strands along it.
    """
    generator = rng(*person.key, "long hair")
    down = np.linspace(0, 1, _ROWS)[:, None]
    # Its front edge wavers, and stays clear of the forehead above.
    right, left = (
        np.radians(opening + 7 * smooth_noise(generator, _ROWS, 1, (6, 1)) + 14 * (1 - down) ** 3)
        for opening in person.hair_style.opening_deg
    )
    turn = right + (2 * np.pi - left - right) * np.linspace(0, 1, _COLUMNS)[None, :]
    ends = 9 * smooth_noise(generator, 1, _COLUMNS, (1, 12))
    waves = smooth_noise(generator, _ROWS, _COLUMNS, (5, 9))
    # Lies on the head above, hangs free and wider below.
    stand_off = 4 + 0.5 * person.hair_mm + 12 * down * (1 - 0.4 * down) + 2.5 * waves * down
    half_width = 74 + person.shape_mm["head_width"] + stand_off
    y = _TOP_MM + (person.long_hair_mm + ends - _TOP_MM) * down
    z = (82 + stand_off) * np.cos(turn) - 8 - 6 * down
    vertices = np.stack([half_width * np.sin(turn), y, z], axis=-1)
    edge = np.minimum(np.arange(_COLUMNS), np.arange(_COLUMNS)[::-1])[None, :]
    warmth = person.hair_warmth * (1 - 0.4 * down) + 0.05 * waves + 0.12 * exp(-edge / 2) * (1 - down)
    temperature_c = ambient_c + np.clip(warmth, 0.03, 0.95) * (person.forehead_c - ambient_c)
    grain_k = 0.05 * abs(person.forehead_c - ambient_c)
    return Cloth(vertices, temperature_c, (*person.key, "long hair strands"), grain_k, knots=(4, 60), hollow=True)


def bun(person: Person, ambient_c: float) -> Cloth:
    """Hair tied into a knot above or behind the crown."""
    generator = rng(*person.key, "bun")
    radius, high, back, aside, cold = generator.uniform([24, 124, -45, -8, 0.5], [40, 148, -5, 8, 0.9])
    around, down = np.radians(np.linspace(0, 360, 25))[None, :], np.radians(np.linspace(1, 179, 13))[:, None]
    uneven = radius * (1 + 0.06 * smooth_noise(generator, 13, 25, (5, 7)))
    x = uneven * np.sin(down) * np.sin(around) + aside
    y = -0.85 * uneven * np.cos(down) - high - 0.5 * person.hair_mm
    z = uneven * np.sin(down) * np.cos(around) + back
    warmth = np.full(x.shape, cold * person.hair_warmth)
    temperature_c = ambient_c + warmth * (person.forehead_c - ambient_c)
    grain_k = 0.05 * abs(person.forehead_c - ambient_c)
    return Cloth(
        np.stack([x, y, z], axis=-1), temperature_c, (*person.key, "bun strands"), grain_k, (14, 6), behind_head=True
    )
