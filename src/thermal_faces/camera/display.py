"""A camera's 8-bit picture of temperatures: automatic gain, tone curve, palette, polarity and compression unknown."""

import numpy as np
from jaxtyping import Float

from thermal_faces.camera.blur import gaussian_blur
from thermal_faces.camera.resampling import enlarge, shrink
from thermal_faces.portable_math import power
from thermal_faces.randomness import chance, uniform
from thermal_faces.ranges import SensorRanges

_BINS = 1024
_COSINES = np.array(
    [[np.sqrt((1 if k else 0.5) / 4) * np.cos((2 * n + 1) * k * np.pi / 16) for n in range(8)] for k in range(8)]
)
# Red, green and blue from cold to warm, as common palettes run.
_PALETTES = (
    ((0, 0, 20), (90, 0, 140), (200, 40, 90), (240, 140, 20), (255, 230, 90), (255, 255, 240)),
    ((0, 0, 140), (0, 110, 230), (0, 210, 130), (230, 230, 0), (240, 100, 0), (200, 0, 30)),
    ((10, 10, 10), (40, 0, 160), (0, 190, 220), (40, 220, 40), (250, 220, 0), (230, 20, 20), (255, 255, 255)),
    ((0, 30, 120), (0, 150, 220), (110, 110, 110), (220, 120, 0), (255, 220, 120)),
)


def to_gray(
    generator: np.random.Generator, ranges: SensorRanges, image_c: Float[np.ndarray, "height width"]
) -> Float[np.ndarray, "height width"]:
    """Whole gray levels from 0 to 255, float32."""
    gamma, jpeg_step = uniform(generator, ranges.gamma), uniform(generator, ranges.jpeg_step)
    inverted, palette, equalised, jpeg = (
        chance(generator, p) for p in (ranges.inverted, ranges.palette, ranges.equalised, ranges.jpeg)
    )
    colours = _luminance(generator)
    low, high = _limits(generator, image_c)
    share = np.clip((image_c - np.float32(low)) * np.float32(1 / max(high - low, 1e-3)), 0, 1)
    strength, local = uniform(generator, (0.3, 1.0)), chance(generator, 0.5)
    if equalised:
        share = _locally_amplified(share, strength) if local else _equalised(share, strength)
    # A table: powers of a thousand values in place of all pixels.
    curve = power(np.linspace(0, 1, _BINS), gamma)
    if palette:
        curve = np.interp(curve, np.linspace(0, 1, len(colours)), colours)
    if inverted:
        curve = 1 - curve
    gray = np.rint(255 * curve).astype(np.float32)[_bins(share)]
    return compressed(gray, jpeg_step) if jpeg else gray


def _limits(generator: np.random.Generator, image_c: np.ndarray) -> tuple[float, float]:
    """Temperatures of black and white: the extremes, percentiles, or a window that somebody has set."""
    kind, below, above = generator.integers(3), generator.random(), generator.random()
    sample = image_c[::4, ::4]
    low, high = (float(v) for v in np.percentile(sample, (1, 99)))
    if kind == 0:
        return float(sample.min()), float(sample.max())
    if kind == 1:
        return tuple(float(v) for v in np.percentile(sample, (4 * below, 100 - 2 * above)))  # type: ignore[return-value]
    span = high - low
    return low - 8 + below * (8 + 0.4 * span), high + above * (8 + 0.05 * span) - 0.05 * span


def _bins(share: np.ndarray) -> np.ndarray:
    return np.rint(share * np.float32(_BINS - 1)).astype(np.intp)


def _equalised(share: np.ndarray, strength: float) -> np.ndarray:
    """Plateau equalisation: frequent values spread out, but no more than the plateau allows."""
    counts = np.bincount(_bins(share[::2, ::2]).ravel(), minlength=_BINS).astype(np.float64)
    counts = np.minimum(counts, counts.mean() * (1 + 6 * strength))
    counts += 0.15 * counts.mean()
    table = np.cumsum(counts) / counts.sum()
    return table.astype(np.float32)[_bins(share)]


def _locally_amplified(share: np.ndarray, strength: float) -> np.ndarray:
    """Large differences are pressed together, details stand out."""
    height, width = share.shape
    coarse = shrink(share, (max(height // 12, 2), max(width // 12, 2)))
    base = enlarge(gaussian_blur(coarse, 1.0 + 2.5 * (1 - strength)), share.shape)
    middle = np.float32(coarse.mean())
    detail = share - base
    result = middle + np.float32(1 - 0.6 * strength) * (base - middle) + np.float32(1 + 2.5 * strength) * detail
    return np.clip(result, 0, 1)


def _luminance(generator: np.random.Generator) -> Float[np.ndarray, " knots"]:
    """Brightness along a palette whose colours are like those of a known one."""
    colours = np.array(_PALETTES[generator.integers(len(_PALETTES))], float)
    colours = np.clip(colours + 25 * generator.standard_normal((7, 3))[: len(colours)], 0, 255) / 255
    return 0.299 * colours[:, 0] + 0.587 * colours[:, 1] + 0.114 * colours[:, 2]


def compressed(gray: Float[np.ndarray, "height width"], step: float) -> Float[np.ndarray, "height width"]:
    """Gray levels after lossy compression as JPEG does it: cosine transform of blocks of 8 by 8 pixels, quantised.

    `step` quantises the coarsest pattern, finer ones more.
    """
    height, width = gray.shape
    padded = np.pad(gray, ((0, -height % 8), (0, -width % 8)), mode="edge")
    # Places inside a block come first, so that each of them is one array.
    blocks = np.ascontiguousarray(padded.reshape(padded.shape[0] // 8, 8, -1, 8).transpose(1, 3, 0, 2))
    down, across = np.mgrid[:8, :8]
    quantum = (step * (1 + 0.7 * (down + across))).astype(np.float32)[..., None, None]
    pattern = _mixed(_mixed(blocks, _COSINES).swapaxes(0, 1), _COSINES)
    pattern = np.rint(pattern / quantum) * quantum
    blocks = _mixed(_mixed(pattern, _COSINES.T).swapaxes(0, 1), _COSINES.T)
    image = blocks.transpose(2, 0, 3, 1).reshape(padded.shape)
    return np.rint(np.clip(image[:height, :width], 0, 255))


def _mixed(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Sums over the first axis, one addition after the other: the same on every machine."""
    result = np.zeros_like(values)
    for k in range(8):
        for n in range(8):
            result[k] += np.float32(weights[k, n]) * values[n]
    return result
