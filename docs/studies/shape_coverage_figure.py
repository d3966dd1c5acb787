"""The figure of `shape_coverage`: aligned landmarks, principal components and ratios of real and rendered shapes."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure

REAL_COLOUR, RENDERED_COLOUR = "#D55E00", "#0072B2"


def coverage_figure(
    aligned_shapes: Float[np.ndarray, "shape 16 2"],
    scores: Float[np.ndarray, "shape components"],
    ratios: Mapping[str, tuple[Float[np.ndarray, " 3"], Float[np.ndarray, " 3"]]],
    real_count: int,
) -> Figure:
    """Points of all aligned shapes, scores on the components in pairs, and quantile bars of each ratio.

    Args:
        aligned_shapes: Real shapes first.
        scores: On the rendered shapes' principal components, in their standard deviations.
        ratios: Quantiles 5, 50 and 95 of real and rendered shapes.
        real_count: How many of the shapes are real.
    """
    figure = Figure(figsize=(13, 8), dpi=110, layout="constrained")
    grid = figure.add_gridspec(3, 3, width_ratios=[1.5, 1, 1.3])
    real, rendered = slice(None, real_count), slice(real_count, None)
    axis = figure.add_subplot(grid[:, 0])
    for part, colour, size in ((rendered, RENDERED_COLOUR, 1.0), (real, REAL_COLOUR, 2.5)):
        x, y = aligned_shapes[part].reshape(-1, 2).T
        axis.scatter(x, y, s=size, c=colour, linewidths=0, alpha=0.5)
    axis.invert_yaxis()
    axis.set_aspect("equal")
    axis.set_title("landmarks after Procrustes alignment (% of inter-ocular)", fontsize=9)
    for row in range(min(3, scores.shape[1] // 2)):
        axis = figure.add_subplot(grid[row, 1])
        for part, colour, size in ((rendered, RENDERED_COLOUR, 2.0), (real, REAL_COLOUR, 4.0)):
            axis.scatter(scores[part, 2 * row], scores[part, 2 * row + 1], s=size, c=colour, linewidths=0, alpha=0.6)
        axis.set(xlim=(-4, 4), ylim=(-4, 4))
        axis.set_title(f"components {2 * row + 1} and {2 * row + 2} (standard deviations)", fontsize=9)
    axis = figure.add_subplot(grid[:, 2])
    for i, pair in enumerate(ratios.values()):
        for (low, middle, high), colour, name, shift in zip(
            pair, (REAL_COLOUR, RENDERED_COLOUR), ("real", "rendered"), (-0.16, 0.16), strict=True
        ):
            # About the real median: ratios of all sizes fit on one axis.
            centre = pair[0][1]
            axis.plot([low - centre, high - centre], [i + shift] * 2, color=colour, linewidth=4, alpha=0.6)
            label = name if i == 0 else None
            axis.plot(middle - centre, i + shift, "o", color=colour, markersize=4, label=label)
    axis.set_yticks(range(len(ratios)), list(ratios))
    axis.invert_yaxis()
    axis.axvline(0, color="#999999", linewidth=0.6)
    axis.legend(fontsize=8, frameon=False)
    axis.set_title("frontal faces: 5-95 % and median, about the real median\n(% of inter-ocular)", fontsize=9)
    return figure
