"""Perspiration pores around the upper lip: cold spots at fixed places of a person, more of them with more sweat.

Sweat that leaves a pore evaporates and cools a spot of less than a millimetre (Shastri et al. 2012, perinasal
perspiration). Here each pore opens at a level of perspiration of its own and reaches its full depth a little above it.
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Float

from thermal_faces.portable_math import exp
from thermal_faces.randomness import uniform
from thermal_faces.ranges import TemperatureRanges

if TYPE_CHECKING:
    from thermal_faces.skin.temperature_map import Canvas

_HALF_WIDTH_MM = 26.0
_OPENING = 0.15  # perspiration between a pore's first trace and its full depth
_MOST = 512  # places are drawn in this order whatever their number
_SIGMAS_A_WIDTH = 2.355  # full width at half maximum of a Gaussian


class Pores(NamedTuple):
    """The pores of a person; all arrays are float32 (pores,)."""

    x_mm: Float[np.ndarray, " pores"]  # place in the frontal coordinates of the mean face
    y_mm: Float[np.ndarray, " pores"]  # the same
    depth_k: Float[np.ndarray, " pores"]  # of a fully open pore; negative
    width_mm: Float[np.ndarray, " pores"]  # full width at half its depth
    threshold: Float[np.ndarray, " pores"]  # perspiration (0 to 1) at which it opens

    def openness(self, perspiration: float) -> Float[np.ndarray, " pores"]:
        """How far each pore is open at this level of perspiration, 0 to 1."""
        return np.clip((np.float32(perspiration) - self.threshold) / np.float32(_OPENING), 0, 1)


def draw_pores(generator: np.random.Generator, ranges: TemperatureRanges) -> Pores:
    """The pores of one person between nose and upper lip, and beside them."""
    number = min(round(uniform(generator, ranges.pore_count)), _MOST)
    # Evenly scattered (additive recurrence with the plastic number), then moved a little.
    place = np.arange(_MOST)[:, None] * np.array([0.7548776662, 0.5698402910]) + generator.random(2)
    across, down = (place % 1 + 0.05 * generator.standard_normal((_MOST, 2))).clip(0, 1)[:number].T
    depth_k, width_mm = (
        low + (high - low) * generator.random(_MOST)[:number] for low, high in (ranges.pore_k, ranges.pore_mm)
    )
    x = _HALF_WIDTH_MM * (2 * across - 1)
    side = np.abs(x)
    # From below the nostrils, or beside the wings of the nose, to the red of the lip.
    top = np.interp(side, [0, 14, 20, _HALF_WIDTH_MM], [47.0, 47.0, 42.1, 43.5])
    bottom = 68.0 - 14.0 * np.clip(1 - (side / 25) ** 2, 0, None)
    threshold = 0.05 + 0.8 * generator.random(_MOST)[:number]
    columns = (x, top + (bottom - top) * down, depth_k, width_mm, threshold)
    return Pores(*(column.astype(np.float32) for column in columns))


def paint_pores(canvas: "Canvas", pores: Pores, perspiration: float) -> None:
    """The pores that are open at this level of perspiration (0 to 1)."""
    openness = pores.openness(perspiration)
    if not openness.any():
        return
    chosen = np.flatnonzero(openness)
    px, py = pores.x_mm[chosen], pores.y_mm[chosen]
    view, x, y = canvas.window((-_HALF_WIDTH_MM - 2, _HALF_WIDTH_MM + 2), (36, 72))
    # A spot narrower than the samples lie apart is spread over them, with the same sum.
    spacing_mm = max(np.median(np.abs(np.diff(x, axis=1))), np.median(np.abs(np.diff(y, axis=0))))
    sigma = pores.width_mm[chosen] / np.float32(_SIGMAS_A_WIDTH)
    painted = np.maximum(sigma, np.float32(0.6) * spacing_mm)
    peak = pores.depth_k[chosen] * openness[chosen] * (sigma / painted) ** 2
    # A square of samples around each pore, all pores at once.
    column = np.searchsorted(x[x.shape[0] // 2], px)
    row = np.abs(y[:, column.clip(0, x.shape[1] - 1)] - py).argmin(axis=0)
    reach = int(3 * painted.max() / min(np.ptp(x[0]) / x.shape[1], np.ptp(y[:, 0]) / y.shape[0])) + 2
    square = np.arange(-reach, reach + 1)
    rows = (row[:, None, None] + square[:, None]).clip(0, x.shape[0] - 1)
    columns = (column[:, None, None] + square).clip(0, x.shape[1] - 1)
    distance = (x[rows, columns] - px[:, None, None]) ** 2 + (y[rows, columns] - py[:, None, None]) ** 2
    spots = peak[:, None, None] * exp(-0.5 * distance / (painted * painted)[:, None, None])
    np.add.at(view, (rows, columns), spots)
