"""Beards and moustaches, painted over the skin as strands that grow down and outwards."""

from functools import lru_cache

import numpy as np
from jaxtyping import Float

from thermal_landmarks.data.synthetic.head_surface import smooth_step
from thermal_landmarks.data.synthetic.noise import smooth_noise
from thermal_landmarks.data.synthetic.person import Person
from thermal_landmarks.data.synthetic.randomness import stream
from thermal_landmarks.data.synthetic.sheets import Sheet
from thermal_landmarks.data.synthetic.skin import Canvas

_TILE_MM, _TILE_SAMPLES_PER_MM = 64.0, 4


def paint_beard(canvas: Canvas, person: Person) -> None:
    """Beard and moustache, if the person wears any."""
    style = person.beard_style
    if style is None:
        return
    view, x, y = canvas.window((-70, 70), (36, 142))
    side = np.abs(x)
    generator = stream(*person.key, "beard")
    # Bent by a coarse pattern, so that locks run into each other.
    bends = smooth_noise(generator, *view.shape, (7, 9))
    patches = smooth_noise(generator, *view.shape, (8, 11))
    strands = _strands(generator, x * np.float32(1 - 0.004 * 60) + 4 * bends - 0.15 * x * y / 60, y / np.float32(6))
    lips = np.hypot(x / 26, (y - 70) / 10.5)
    free = np.clip((lips - 1) * 4, 0, 1)
    lower_edge = 1 - smooth_step(y, 124, 140)
    chin = smooth_step(y - 0.1 * side, 82, 92) * (1 - smooth_step(side, 20, 30)) * lower_edge
    soul = smooth_step(y, 80, 86) * (1 - smooth_step(side, 5, 12)) * (1 - smooth_step(y, 92, 104))
    jaw = smooth_step(y + 0.55 * side, 92, 112) * lower_edge
    cheeks = smooth_step(side, 26, 44) * smooth_step(y + 0.5 * (side - 60), 34, 60) * lower_edge
    below_nose = smooth_step(y - 0.16 * side, 45, 51) * (1 - smooth_step(y - 0.35 * side, 60, 70))
    moustache = below_nose * (1 - smooth_step(side, 22, 36))
    corners = (1 - smooth_step(np.abs(side - 31), 3, 8)) * smooth_step(y, 58, 66) * (1 - smooth_step(y, 98, 112))
    density = np.maximum(np.maximum(chin, soul) * style.chin, style.cheeks * np.maximum(cheeks, 0.9 * jaw))
    density = np.maximum(density, style.moustache * np.maximum(moustache, 0.7 * corners * (style.chin > 0.3)))
    density *= free * np.clip(1 + style.patchy * (0.7 * patches - 0.2), 0, 1.15)
    # Where hair is thin, single strands are left of it; where it is dense, gaps between them.
    contrast = np.float32(style.strands)
    cover = density * (1 - contrast) + contrast * np.clip(1.7 * density - 0.5 + 0.55 * strands, 0, 1.15) * (density > 0.02)
    view += cover.astype(np.float32) * np.float32(person.features_k["beard"])


def _strands(generator: np.random.Generator, across_mm: np.ndarray, along_mm: np.ndarray) -> np.ndarray:
    """Noise of strands 1 to 3 mm thick at places given in millimetres, from a repeated tile."""
    number = int(generator.integers(8))
    tile = _tile(number)
    row, column = (
        (grid * np.float32(_TILE_SAMPLES_PER_MM) + np.float32(1e4)).astype(np.intp) & (tile.shape[0] - 1)
        for grid in (along_mm, across_mm)
    )
    return tile[row, column]


@lru_cache(maxsize=8)
def _tile(number: int) -> np.ndarray:
    samples = int(_TILE_MM * _TILE_SAMPLES_PER_MM)
    generator = stream(number, "beard tile")
    return smooth_noise(generator, samples, samples, (30, 44))


def long_beard(person: Person, ambient_c: float) -> Sheet:
    """The part of a long beard that hangs below the chin and hides its edge."""
    style = person.beard_style
    assert style is not None
    generator = stream(*person.key, "long beard")
    across, down = np.linspace(-1, 1, 21)[None, :], np.linspace(0, 1, 12)[:, None]
    half_width = 47 - 20 * down**1.5 + 3 * generator.standard_normal()
    ends = 1 + 0.15 * smooth_noise(generator, 1, 21, (1, 8))
    reach = (1 - 0.55 * across**2) * ends
    y = 101 - 16 * across**2 + (style.long_mm + 16) * down * reach
    z = 92 - 34 * across**2 - 10 * down**2 + 4 * np.sin(np.pi * down)
    vertices = np.stack(np.broadcast_arrays(half_width * across, y, z), axis=-1)
    warmth = np.clip(0.75 - 0.55 * down + 0 * across, 0.1, 0.9) * (1 - 0.3 * generator.random())
    temperature_c = ambient_c + warmth * (person.forehead_c - ambient_c)
    return Sheet(vertices, temperature_c, (*person.key, "beard strands"), grain_k=0.5, knots=(7, 40))
