"""Beards and moustaches, painted over the skin as strands that grow down and outwards."""

from functools import lru_cache

import numpy as np

from thermal_faces.head.surface import mean_head, smooth_step
from thermal_faces.noise import smooth_noise
from thermal_faces.person import Person
from thermal_faces.portable_math import hypot
from thermal_faces.randomness import rng
from thermal_faces.skin.temperature_map import Canvas
from thermal_faces.worn.cloth import Cloth
from thermal_faces.worn.hair_style import BeardStyle

_TILE_MM, _TILE_SAMPLES_PER_MM = 64.0, 4
_AREA_MM = (-70.0, 70.0), (36.0, 150.0)


def paint_beard(canvas: Canvas, person: Person) -> None:
    """Beard and moustache, if the person wears any."""
    style = person.beard_style
    if style is None:
        return
    view, x, y = canvas.window(*_AREA_MM)
    jaw_and_cheeks = _jaw_and_cheeks(canvas.samples)
    generator = rng(*person.key, "beard")
    # Bent by a coarse pattern, so that locks run into each other.
    bends, patches = (smooth_noise(generator, view.shape[0], view.shape[1], knots) for knots in ((7, 9), (8, 11)))
    strands = _strands(generator, x * (1.2 - y / np.float32(300)) + 5 * bends, (y + 0.5 * np.abs(x)) / np.float32(4.5))
    density = np.float32(style.cheeks) * jaw_and_cheeks
    density = np.maximum(density, _around_mouth(style, x, y)) * _free(style, x, y)
    patches *= np.float32(0.7 * style.patchy)
    patches += np.float32(1 - 0.2 * style.patchy)
    density *= patches
    np.clip(density, 0, 1.15, out=density)
    # Single strands where hair is thin, closed where it is dense.
    contrast = np.float32(style.strands)
    cover = density * density * (np.float32(0.85) - np.float32(0.5) * contrast)
    cover += contrast * np.sqrt(density) * strands * (np.float32(0.4) + np.float32(0.6) * density)
    np.clip(cover, 0, 1.1, out=cover)
    view += cover * np.float32(person.features_k["beard"])


@lru_cache(maxsize=8)
def _jaw_and_cheeks(samples: int) -> np.ndarray:
    """Where hair grows on jaw and cheeks; float32, at the samples of the area."""
    frontal = mean_head().frontal_mm
    _, x, y = Canvas(np.zeros(frontal.shape[:2], np.float32), samples).window(*_AREA_MM)
    side = np.abs(x)
    jaw = smooth_step(y + 0.55 * side, 92, 112)
    cheeks = smooth_step(side, 26, 44) * smooth_step(y + 0.5 * (side - 60), 34, 60)
    return np.maximum(cheeks, 0.9 * jaw).astype(np.float32)


def _free(style: BeardStyle, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Where hair can grow: outside the lips and above the throat."""
    beside_lips = np.clip(
        (hypot(x / np.float32(26 * style.clear), (y - 70) / np.float32(10.5 * style.clear)) - 1) * 4, 0, 1
    )
    return beside_lips * (1 - smooth_step(y - np.float32(style.throat_mm), 124, 140))


def _around_mouth(style: BeardStyle, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Density of chin, soul patch, moustache and what joins them beside the mouth."""
    side, lower = np.abs(x), y - np.float32(style.bare_mm)
    beside = 1 - smooth_step(side, 20, 30)
    chin = style.chin * smooth_step(lower - 0.1 * side, 82, 92) * beside
    narrowing = side + np.float32(style.patch_taper) * (y - 80)
    patch = style.patch * (1 - smooth_step(narrowing, 0.6 * style.patch_mm, 1.2 * style.patch_mm))
    patch = patch * smooth_step(y - np.float32(style.patch_gap_mm), 78, 82) * (1 - smooth_step(lower, 92, 104))
    hanging = y - np.float32(style.moustache_drop_mm)
    moustache = smooth_step(y - 0.16 * side, 45, 51) * (1 - smooth_step(hanging - 0.35 * side, 60, 70))
    moustache = moustache * (1 - smooth_step(side, 22, 36))
    corners = (1 - smooth_step(np.abs(side - 31), 3, 8)) * smooth_step(y, 58, 66) * (1 - smooth_step(y, 98, 112))
    above_lip = style.moustache * np.maximum(moustache, style.joined * corners)
    return np.maximum.reduce([chin, patch, above_lip]).astype(np.float32)


def _strands(generator: np.random.Generator, across_mm: np.ndarray, along_mm: np.ndarray) -> np.ndarray:
    """1 on strands about 1 mm thick, 0 between them, at places given in millimetres; from a repeated tile."""
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
    generator = rng(number, "beard tile")
    # The zeros of a noise are long thin lines.
    lines = np.clip(1 - np.abs(smooth_noise(generator, samples, samples, (16, 38))) / np.float32(0.45), 0, 1)
    return lines * np.clip(0.8 + 0.4 * smooth_noise(generator, samples, samples, (9, 9)), 0.2, 1.3)


def long_beard(person: Person, ambient_c: float) -> Cloth:
    """The part of a long beard that hangs below the chin and hides its edge."""
    style = person.beard_style
    assert style is not None
    generator = rng(*person.key, "long beard")
    across, down = np.linspace(-1, 1, 21)[None, :], np.linspace(0, 1, 12)[:, None]
    half_width = 47 - 20 * down**1.5 + 3 * generator.standard_normal()
    ends = 1 + 0.15 * smooth_noise(generator, 1, 21, (1, 8))
    reach = (1 - 0.55 * across**2) * ends
    y = 101 - 16 * across**2 + (style.long_mm + 16) * down * reach
    z = 92 - 34 * across**2 - 10 * down**2 + 4 * np.sin(np.pi * down)
    vertices = np.stack(np.broadcast_arrays(half_width * across, y, z), axis=-1)
    warmth = np.clip(0.75 - 0.55 * down + 0 * across, 0.1, 0.9) * (1 - 0.3 * generator.random())
    temperature_c = ambient_c + warmth * (person.forehead_c - ambient_c)
    return Cloth(vertices, temperature_c, (*person.key, "beard strands"), grain_k=0.5, knots=(7, 40))
