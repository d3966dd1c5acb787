"""Labelled grids of what a network sees, prefers and attends to."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from thermal_landmarks.evaluation.drawing import PREDICTED_COLOUR, TRUE_COLOUR

_TILE_INCH = 1.9
_TITLE_INCH = 0.24
_HEADER_INCH = 0.55
_SMALLEST_SHOWN = 5e-4

Values = Float[np.ndarray, "row column"]


class Tile(NamedTuple):
    """One picture of a grid."""

    values: Values  # what is shown
    title: str  # above it
    under: Values | None = None  # a gray picture below half-transparent values; None: values alone
    cover: tuple[float, float] = (1.0, 1.0)  # (vertically, horizontally): what the values cover of `under`
    colours: str = "gray"  # matplotlib's name of the colour map
    limits: tuple[float, float] | None = None  # values of the first and the last colour; None: the tile's own
    points_px: Float[np.ndarray, "point 2"] | None = None  # marked by crosses
    pixel: tuple[float, float] | None = None  # (x, y), marked by a ring
    labels: tuple[str, str] | None = None  # (below, beside) the axes, which then show their numbers


def range_of(values: Values) -> str:
    """Lowest and highest value, for titles."""
    return " to ".join(
        f"{value:.2g}" if abs(value) >= _SMALLEST_SHOWN else "0" for value in (values.min(), values.max())
    )


def tile_grid(
    tiles: Sequence[Tile],
    header: str,
    *,
    columns: int,
    scale: str | None = None,
    tile_inch: float = _TILE_INCH,
) -> Figure:
    """Tiles in a grid of at most so many columns below a header of one or two lines.

    `scale` names the quantity that all tiles share the limits of, and adds one colour bar.
    """
    columns = max(1, min(columns, len(tiles)))
    rows = -(-len(tiles) // columns)
    tallest = max(tile.values.shape[0] / tile.values.shape[1] for tile in tiles)
    margin = 0.9 if scale is not None else 0.0
    figure = Figure(
        figsize=(
            max(columns * tile_inch + margin, 5.6),
            rows * (tile_inch * tallest + _TITLE_INCH) + _HEADER_INCH,
        ),
        dpi=130,
        layout="constrained",
    )
    figure.suptitle(header, fontsize=9, x=0.01, ha="left")
    axes = figure.subplots(rows, columns, squeeze=False)
    for axis in axes.flat[len(tiles) :]:
        axis.set_axis_off()
    for axis, tile in zip(axes.flat, tiles, strict=False):
        picture = _show(axis, tile)
    if scale is not None:
        bar = figure.colorbar(picture, ax=axes, fraction=0.03, pad=0.01, aspect=30)
        bar.set_label(scale, fontsize=8)
        bar.ax.tick_params(labelsize=7)
    return figure


def _show(axis: Axes, tile: Tile):  # type: ignore[no-untyped-def]  # matplotlib's AxesImage
    low, high = tile.limits or (float(tile.values.min()), float(tile.values.max()))
    height, width = (tile.values if tile.under is None else tile.under).shape
    if tile.under is not None:
        axis.imshow(tile.under, cmap="gray")
    extent = (-0.5, width * tile.cover[1] - 0.5, height * tile.cover[0] - 0.5, -0.5)
    alpha = 1.0 if tile.under is None else 0.6
    picture = axis.imshow(
        tile.values, cmap=tile.colours, vmin=low, vmax=high, alpha=alpha, extent=extent, interpolation="nearest"
    )
    axis.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5))
    if tile.points_px is not None:
        axis.plot(*tile.points_px.T, "x", color=PREDICTED_COLOUR, markersize=4, markeredgewidth=0.9)
    if tile.pixel is not None:
        axis.plot(*tile.pixel, "o", markerfacecolor="none", color=TRUE_COLOUR, markersize=7, markeredgewidth=1.4)
    axis.set_title(tile.title, fontsize=7, pad=2)
    if tile.labels is None:
        axis.set_xticks([])
        axis.set_yticks([])
    else:
        axis.set_xlabel(tile.labels[0], fontsize=7, labelpad=1)
        axis.set_ylabel(tile.labels[1], fontsize=7, labelpad=1)
        axis.tick_params(labelsize=6, length=2, pad=1)
    return picture
