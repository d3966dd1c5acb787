"""Hair that hangs beside and behind the face: an open tube around the head."""

import numpy as np
from jaxtyping import Float

from thermal_landmarks.data.synthetic.noise import smooth_noise
from thermal_landmarks.data.synthetic.person import Person
from thermal_landmarks.data.synthetic.randomness import stream

_ROWS, _COLUMNS = 17, 45
_TOP_MM = -62.0


def long_hair_vertices_mm(person: Person) -> Float[np.ndarray, "rows columns 3"]:
    """The tube in the head frame, from the right-hand edge of the face around the back to the left-hand edge.

    Cells that face the camera hang beside the face, those that face away are the inside of the hair behind the neck.
    """
    generator = stream(*person.key, "long hair")
    opening_rad = np.radians(generator.uniform(62, 88, 2))
    turn = np.linspace(opening_rad[0], 2 * np.pi - opening_rad[1], _COLUMNS)[None, :]
    down = np.linspace(0, 1, _ROWS)[:, None]
    ends = 9 * smooth_noise(generator, 1, _COLUMNS, (1, 12))
    waves = smooth_noise(generator, _ROWS, _COLUMNS, (5, 9))
    # Lies on the head above, hangs free and wider below.
    stand_off = 4 + 0.5 * person.hair_mm + 12 * down * (1 - 0.4 * down) + 2.5 * waves * down
    half_width = 74 + person.shape_mm["head_width"] + stand_off
    y = _TOP_MM + (person.long_hair_mm + ends - _TOP_MM) * down
    z = (82 + stand_off) * np.cos(turn) - 8 - 6 * down
    return np.stack([half_width * np.sin(turn), y, z], axis=-1).astype(np.float32)


def long_hair_texture_c(person: Person, samples: int, ambient_c: float) -> Float[np.ndarray, "down across"]:
    """Cooler towards the ends, with strands along it."""
    rows, columns = (_ROWS - 1) * samples, (_COLUMNS - 1) * samples
    generator = stream(*person.key, "long hair strands")
    strands = smooth_noise(generator, rows, columns, (4, 60))
    strands += smooth_noise(generator, rows, columns, (6, 16))
    down = np.linspace(0, 1, rows, dtype=np.float32)[:, None]
    warmth = np.float32(person.hair_warmth) * (1 - np.float32(0.35) * down) + np.float32(0.05) * strands
    return np.float32(ambient_c) + warmth.clip(0.03, 0.95) * np.float32(person.forehead_c - ambient_c)
