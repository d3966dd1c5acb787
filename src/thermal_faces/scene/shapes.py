"""The brushes of a scene: limbs, ellipses and boxes with soft edges and folds, painted in place into degrees Celsius.

Each paints only the pixels around itself, so a scene may hold hundreds of them.
"""

from functools import lru_cache

import numpy as np
from jaxtyping import Float

from thermal_faces.noise import smooth_noise
from thermal_faces.portable_math import compiled
from thermal_faces.randomness import rng

_TILE = 128


@lru_cache(maxsize=1)
def _folds() -> Float[np.ndarray, "tile tile"]:
    """An irregular pattern of deviation about 1, for cloth and fur: coarse and fine folds."""
    generator = rng(0, "folds")
    pattern = 0.8 * smooth_noise(generator, _TILE, _TILE, (9, 9)) + 0.5 * smooth_noise(
        generator, _TILE, _TILE, (30, 20)
    )
    return np.ascontiguousarray(pattern, np.float32)


def paint_limb(
    image: Float[np.ndarray, "height width"],
    start_px: tuple[float, float],
    end_px: tuple[float, float],
    radii_px: tuple[float, float],
    temperatures_c: tuple[float, float],
    *,
    soft_px: float = 1.0,
    rim_k: float = 0.0,
    folds_k: float = 0.0,
    fold: tuple[int, int] = (0, 0),
    opacity: float = 1.0,
) -> None:
    """A rounded cone between two places: half as thick as the radii and as warm as the temperatures at its ends.

    Its rim is `rim_k` warmer than its middle, as surfaces that turn away are; `folds_k` is the strength of an irregular
    pattern, `fold` where in the pattern it begins, and `opacity` how far it covers what is behind.
    """
    numbers = (*start_px, *end_px, *radii_px, *temperatures_c, soft_px, rim_k, folds_k, opacity)
    _limb(image, np.array(numbers, np.float32), _folds(), *fold)


def paint_ellipse(
    image: Float[np.ndarray, "height width"],
    centre_px: tuple[float, float],
    radii_px: tuple[float, float],
    temperature_c: float,
    *,
    angle_rad: float = 0.0,
    soft_px: float = 1.0,
    rim_k: float = 0.0,
    folds_k: float = 0.0,
    fold: tuple[int, int] = (0, 0),
    opacity: float = 1.0,
    roundness: float = 2.0,
) -> None:
    """An ellipse, or with a larger `roundness` (its exponent) a box with round corners; otherwise see `paint_limb`."""
    numbers = (*centre_px, *radii_px, temperature_c, temperature_c, np.cos(angle_rad), np.sin(angle_rad))
    _ellipse(
        image,
        np.array((*numbers, soft_px, rim_k, folds_k, opacity, roundness), np.float32),
        _folds(),
        *fold,
    )


def paint_box(
    image: Float[np.ndarray, "height width"],
    centre_px: tuple[float, float],
    half_px: tuple[float, float],
    temperatures_c: tuple[float, float],
    *,
    angle_rad: float = 0.0,
    soft_px: float = 1.0,
    folds_k: float = 0.0,
    fold: tuple[int, int] = (0, 0),
    opacity: float = 1.0,
) -> None:
    """A box whose temperature runs from its upper to its lower edge; otherwise see `paint_limb`."""
    numbers = (*centre_px, *half_px, *temperatures_c, np.cos(angle_rad), np.sin(angle_rad))
    _ellipse(
        image,
        np.array((*numbers, soft_px, 0.0, folds_k, opacity, 0.0), np.float32),
        _folds(),
        *fold,
    )


@compiled("void(f4[:,::1], f4[::1], f4[:,::1], i8, i8)")
def _limb(image: np.ndarray, numbers: np.ndarray, folds: np.ndarray, fold_x: int, fold_y: int) -> None:
    x0, y0, x1, y1, r0, r1, c0, c1, soft, rim, folds_k, opacity = numbers
    height, width = image.shape
    left, right = max(int(min(x0 - r0, x1 - r1) - soft), 0), min(int(max(x0 + r0, x1 + r1) + soft) + 2, width)
    top, bottom = max(int(min(y0 - r0, y1 - r1) - soft), 0), min(int(max(y0 + r0, y1 + r1) + soft) + 2, height)
    dx, dy = x1 - x0, y1 - y0
    length2 = max(dx * dx + dy * dy, np.float32(1e-6))
    tile, scale = folds.shape[0], np.float32(24) / max(r0, r1, np.float32(0.1))
    for y in range(top, bottom):
        for x in range(left, right):
            px, py = np.float32(x) - x0, np.float32(y) - y0
            t = min(max((px * dx + py * dy) / length2, np.float32(0)), np.float32(1))
            ox, oy = px - t * dx, py - t * dy
            r = r0 + (r1 - r0) * t
            distance = np.sqrt(ox * ox + oy * oy)
            cover = min(max(np.float32(0.5) - (distance - r) / soft, np.float32(0)), np.float32(1)) * opacity
            if cover > 0:
                edge = min(distance / max(r, np.float32(0.1)), np.float32(1))
                value = c0 + (c1 - c0) * t + rim * edge * edge * edge
                if folds_k != 0:
                    column, row = (int(px * scale) + fold_x) % tile, (int(py * scale) + fold_y) % tile
                    value += folds_k * folds[row, column]
                image[y, x] += cover * (value - image[y, x])


@compiled("void(f4[:,::1], f4[::1], f4[:,::1], i8, i8)")
def _ellipse(image: np.ndarray, numbers: np.ndarray, folds: np.ndarray, fold_x: int, fold_y: int) -> None:
    cx, cy, rx, ry, c0, c1, cosine, sine, soft, rim, folds_k, opacity, roundness = numbers
    height, width = image.shape
    reach_x = abs(rx * cosine) + abs(ry * sine) + soft
    reach_y = abs(rx * sine) + abs(ry * cosine) + soft
    left, right = max(int(cx - reach_x), 0), min(int(cx + reach_x) + 2, width)
    top, bottom = max(int(cy - reach_y), 0), min(int(cy + reach_y) + 2, height)
    smaller = max(min(rx, ry), np.float32(0.1))
    tile, scale = folds.shape[0], np.float32(24) / smaller
    half = np.float32(0.5)
    for y in range(top, bottom):
        for x in range(left, right):
            px, py = np.float32(x) - cx, np.float32(y) - cy
            u, v = px * cosine + py * sine, py * cosine - px * sine
            across, down = abs(u) / rx, abs(v) / ry
            if roundness == 0:
                cover = min(max(half - (abs(u) - rx) / soft, np.float32(0)), np.float32(1))
                cover *= min(max(half - (abs(v) - ry) / soft, np.float32(0)), np.float32(1))
                edge = np.float32(0)
            else:
                if roundness == 2:
                    edge = np.sqrt(across * across + down * down)
                else:
                    edge = (across**roundness + down**roundness) ** (1 / roundness)
                cover = min(max(half - (edge - 1) * smaller / soft, np.float32(0)), np.float32(1))
            cover *= opacity
            if cover > 0:
                edge = min(edge, np.float32(1))
                value = c0 + (c1 - c0) * half * (v / ry + 1) + rim * edge * edge * edge
                if folds_k != 0:
                    column, row = (int(u * scale) + fold_x) % tile, (int(v * scale) + fold_y) % tile
                    value += folds_k * folds[row, column]
                image[y, x] += cover * (value - image[y, x])
