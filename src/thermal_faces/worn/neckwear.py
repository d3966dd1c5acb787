"""Hoods, scarfs, collars and headphones: sheets around head and neck."""

from collections.abc import Iterator

import numpy as np

from thermal_faces.noise import smooth_noise
from thermal_faces.person import Person
from thermal_faces.randomness import rng
from thermal_faces.worn.cloth import Cloth
from thermal_faces.worn.wardrobe import Worn


def hood(person: Person, worn: Worn, ambient_c: float) -> Cloth:
    """A hood or head scarf: closed over the crown, open around the face, down to the shoulders."""
    generator = rng(worn.key[0], *worn.key[1:], "hood")
    opening, edge_y, stand_off, flare, warmth = generator.uniform([48, -88, 8, 0, 0.15], [82, -62, 24, 30, 0.7])
    rows, columns = 30, 41
    # A dome to eye level, then down to the shoulders.
    latitude = np.radians(np.linspace(88, 0, 16))
    y = np.concatenate([-30 - (92 + stand_off) * np.sin(latitude), np.linspace(-30, 165, 15)[1:]])[:, None]
    shrink = np.concatenate([np.cos(latitude) ** 0.8, np.ones(14)])[:, None]
    below = np.clip((y - 20) / 140, 0, 1)
    folds = smooth_noise(generator, rows, columns, (5, 9))
    folds = 0.7 * (folds + folds[:, ::-1])  # no seam in front
    front = np.radians(opening) * np.clip((y - edge_y) / 38, 0, 1) ** 0.5 * (1 - 0.35 * below)
    turn = front + (2 * np.pi - 2 * front) * np.linspace(0, 1, columns)[None, :]
    radius = shrink * (1 + 0.02 * folds)
    x = radius * (76 + stand_off + flare * below) * np.sin(turn)
    z = radius * (90 + stand_off + 0.5 * flare * below) * np.cos(turn) - 6 - 10 * below
    vertices = np.stack([x, np.broadcast_to(y, x.shape), z], axis=-1)
    warm = warmth + 0.05 * folds
    return Cloth(
        vertices, _between(person, ambient_c, warm), (*worn.key, "hood cloth"), 0.15, knots=(12, 20), hollow=True
    )


def neckwear(person: Person, worn: Worn, ambient_c: float) -> Cloth:
    """A shirt collar with a gap in front, a turtleneck, a jacket zipped up to the chin, or a scarf."""
    generator = rng(worn.key[0], *worn.key[1:], "neckwear")
    warmth, gap_deg, top_share, stand_off = generator.uniform([0.15, 4, 0, 0], [0.75, 32, 1, 1])
    jacket = bool(generator.random() < 0.4)
    rows, columns = 10, 49
    up = np.linspace(1, 0, rows)[:, None]
    waves = smooth_noise(generator, rows, columns, (3, 9))
    if worn.neckwear == "scarf":
        top, bottom, width, depth, lean, gap = 96 + 44 * top_share, 190.0, 84.0, 88 + 14 * stand_off, -4.0, 0.0
    elif worn.neckwear == "high_collar" and jacket:
        top, bottom, width, depth, lean, gap = 98 + 34 * top_share, 190.0, 78.0, 84 + 16 * stand_off, 4.0, 0.0
    elif worn.neckwear == "high_collar":
        top, bottom, width, depth, lean, gap = 108 + 36 * top_share, 176.0, 57.0, 57.0, 0.0, 0.0
    else:
        top, bottom, width, depth, lean, gap = 128 + 22 * top_share, 178.0, 60.0, 62 + 12 * stand_off, 5.0, gap_deg
    turn = np.radians(gap) * (1 - 0.5 * up) + (2 * np.pi - 2 * np.radians(gap) * (1 - 0.5 * up)) * np.linspace(
        0, 1, columns
    )
    if not (gap or jacket):
        turn = turn + np.pi  # the seam at the nape
    bulge = 12 * np.sin(np.pi * up) + 3 * waves if worn.neckwear == "scarf" else 0.8 * waves
    # Deeper in front than at the nape.
    fall = 9 * np.cos(turn) + (2.5 * waves if worn.neckwear == "scarf" else 0)
    y = bottom + (top - bottom) * up + fall
    x = (width + lean * up + bulge) * np.sin(turn)
    z = (depth + lean * up + bulge) * np.cos(turn) - (6 if worn.neckwear == "scarf" or jacket else 14)
    warm = warmth + 0.15 * up + 0.06 * waves
    behind_head = worn.neckwear == "collar" or (worn.neckwear == "high_collar" and not jacket)
    return Cloth(
        np.stack([x, y, z], axis=-1),
        _between(person, ambient_c, warm),
        (*worn.key, "neckwear cloth"),
        0.35,
        knots=(6, 30),
        with_body=True,
        hollow=True,
        behind_head=behind_head,
    )


def headphones(person: Person, worn: Worn, ambient_c: float, nearer_side: int) -> Iterator[Cloth]:
    """A band over the head and two cups, of which the farther one lies behind the head."""
    generator = rng(worn.key[0], *worn.key[1:], "headphones")
    warmth, cup_warmth, height, width, thick = generator.uniform([0.05, 0.1, 26, 20, 5], [0.4, 0.5, 44, 36, 14])
    half_head = 74 + person.shape_mm["head_width"]
    crown = 130 + 0.7 * person.hair_mm
    arc = np.radians(np.linspace(-96, 96, 41))[:, None]
    out = np.array([[0.0, thick]])
    x, y = (half_head + 10 + out) * np.sin(arc), -(crown + out) * np.cos(arc) - 2
    band = np.stack([x, y, np.full_like(x, -6)], axis=-1)
    yield Cloth(band, _between(person, ambient_c, np.full(x.shape, warmth)), (*worn.key, "band"), 0.1)
    round_rad, reach = np.radians(np.linspace(0, 360, 25))[None, :], np.linspace(0.02, 1, 7)[:, None]
    for side in (-1, 1):
        x = side * (half_head + 4 + 24 * np.sqrt(1 - 0.96 * reach**2)) + 0 * round_rad
        y, z = 8 + reach * height * np.sin(round_rad), -4 + reach * width * np.cos(round_rad)
        warm = np.broadcast_to(cup_warmth + 0.2 * reach**3, x.shape)
        yield Cloth(
            np.stack([x, y, z], axis=-1),
            _between(person, ambient_c, warm),
            (*worn.key, "cups", side + 1),
            0.2,
            behind_head=side != nearer_side,
        )


def _between(person: Person, ambient_c: float, warmth: np.ndarray) -> np.ndarray:
    return ambient_c + np.clip(warmth, 0.02, 0.97) * (person.forehead_c - ambient_c)
