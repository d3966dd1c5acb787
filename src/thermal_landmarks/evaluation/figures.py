"""Pictures of results: points on thermal images, cumulative error distributions, samples before and after augmentation.

Figures are made without pyplot, so that they leave no global state and need no display.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke

from thermal_landmarks.evaluation.drawing import (
    OUTLINE_COLOUR,
    PREDICTED_COLOUR,
    TRUE_COLOUR,
    Picture,
    PointsPx,
    to_rgb,
)

_CURVE_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_CURVE_STYLES = ("-", "--", "-.", ":")
_PANEL_WIDTH_INCH = 3.4

Kind = Literal["true", "predicted"]


class Curve(NamedTuple):
    """One cumulative error distribution."""

    nme: Float[np.ndarray, " image"]  # of each image, as a fraction; NaN (no normaliser) is left out
    auc: float  # area under the curve as measured, in [0, 1]
    failure_rate: float  # share of failures as measured, in [0, 1]


def overlay_grid(
    images: Sequence[Picture],
    true_points_px: Sequence[PointsPx] | None = None,
    predicted_points_px: Sequence[PointsPx] | None = None,
    titles: Sequence[str] | None = None,
    *,
    columns: int = 3,
) -> Figure:
    """Images in a grid with their true points as circles and the predicted ones as crosses; None: not known.

    Images are temperatures, gray levels or colours, and may differ in size; points are in pixels of each, NaN where
    missing.

    Raises:
        ValueError: If there are no images, or not as many points or titles as images.
    """
    if not images:
        raise ValueError("There is no image to show.")
    points: dict[Kind, Sequence[PointsPx] | None] = {"true": true_points_px, "predicted": predicted_points_px}
    for name, values in (*((f"{kind} points", each) for kind, each in points.items()), ("titles", titles)):
        if values is not None and len(values) != len(images):
            raise ValueError(f"{len(images)} images, but {len(values)} {name}.")
    columns = max(1, min(columns, len(images)))
    rows = -(-len(images) // columns)
    tallest = max(image.shape[-2] / image.shape[-1] for image in images)
    size_inch = (columns * _PANEL_WIDTH_INCH, rows * (_PANEL_WIDTH_INCH * tallest + 0.2) + 0.3)
    figure = Figure(figsize=size_inch, dpi=160, layout="constrained")
    for i, image in enumerate(images):
        axis = figure.add_subplot(rows, columns, i + 1)
        axis.imshow(to_rgb(image), interpolation="antialiased")
        axis.set_axis_off()
        axis.set(xlim=(-0.5, image.shape[-1] - 0.5), ylim=(image.shape[-2] - 0.5, -0.5))
        if titles and titles[i]:
            axis.set_title(titles[i], fontsize=8, pad=3)
        for kind, each in points.items():
            if each is not None:
                axis.add_line(_markers(kind, *each[i].T, size=5.0 if len(each[i]) <= 20 else 3.0))
    shown = [kind for kind, each in points.items() if each is not None]
    if shown:
        _legend(figure, shown)
    return figure


def ced_figure(curves: Mapping[str, Curve], *, auc_threshold: float, failure_threshold: float) -> Figure:
    """Cumulative error distribution: the share of images whose NME is at most x, one curve a name.

    The axis ends at the upper end of the AUC; an image beyond the other threshold was counted as a failure. The legend
    repeats AUC and failure rate as they were measured, so that it can't differ from the metrics.
    """
    figure = Figure(figsize=(6.4, 4.4), dpi=130, layout="constrained")
    axis = figure.add_subplot()
    for i, (name, curve) in enumerate(curves.items()):
        errors = np.sort(np.asarray(curve.nme, dtype=float))
        errors = errors[np.isfinite(errors)]
        if not errors.size:
            axis.plot([], [], color=_CURVE_COLOURS[i % len(_CURVE_COLOURS)], label=f"{name}: no images")
            continue
        share = 100 * np.arange(1, errors.size + 1) / errors.size
        axis.step(
            np.concatenate([[0], errors, [max(errors[-1], auc_threshold)]]),
            np.concatenate([[0], share, [100]]),
            where="post",
            color=_CURVE_COLOURS[i % len(_CURVE_COLOURS)],
            linestyle=_CURVE_STYLES[i // len(_CURVE_COLOURS) % len(_CURVE_STYLES)],
            linewidth=1.8,
            label=f"{name}: AUC {100 * curve.auc:.1f} %, NME > {failure_threshold:g}: {100 * curve.failure_rate:.1f} % "
            f"(n = {errors.size})",
        )
    axis.set(
        xlim=(0, auc_threshold),
        ylim=(0, 101),
        xlabel="normalised mean error (NME)",
        ylabel="share of images (%)",
        title=f"Cumulative error distribution up to NME {auc_threshold:g}",
    )
    axis.grid(color="#DDDDDD", linewidth=0.6)
    axis.set_axisbelow(True)
    if curves:
        figure.legend(loc="outside lower center", fontsize=9, frameon=False)
    return figure


def _markers(kind: Kind, x: Sequence[float] | np.ndarray, y: Sequence[float] | np.ndarray, *, size: float) -> Line2D:
    """Circles where points are, crosses where they are predicted."""
    return Line2D(
        x,
        y,
        linestyle="none",
        marker="o" if kind == "true" else "x",
        markersize=size,
        markerfacecolor="none",
        markeredgecolor=TRUE_COLOUR if kind == "true" else PREDICTED_COLOUR,
        markeredgewidth=0.9,
        path_effects=[withStroke(linewidth=1.8, foreground=OUTLINE_COLOUR)],
        clip_on=True,
    )


def _legend(figure: Figure, shown: Sequence[Kind]) -> None:
    figure.legend(
        [_markers(kind, [], [], size=6) for kind in shown],
        list(shown),
        loc="outside upper right",
        ncols=len(shown),
        fontsize=9,
        frameon=False,
        handletextpad=0.2,
    )
