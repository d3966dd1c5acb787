"""A picture of what was learned: each landmark of the reference face, and where the annotator puts it."""

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure

from thermal_landmarks.data.schemes import Scheme
from thermal_landmarks.inference.calibration.offsets import Calibration

_NAMED = 30  # landmarks that can be named without hiding one another


def offsets_figure(calibration: Calibration, scheme: Scheme, counts: Float[np.ndarray, " point"]) -> Figure:
    """Arrows from the network's landmarks to the annotator's, for a face that looks straight ahead; gray: none."""
    figure = Figure(figsize=(6, 7), layout="constrained")
    axis = figure.subplots()
    start = 100 * calibration.reference
    end = start + 100 * calibration.offsets
    taught = counts > 0
    if not taught.all():
        axis.plot(*start[~taught].T, "o", ms=5, color="#bbbbbb", label="not annotated")
    axis.plot(*start[taught].T, "o", ms=5, color="#0072b2", label="network")
    axis.plot(*end[taught].T, "x", ms=7, mew=2, color="#d55e00", label="annotator")
    for (x, y), (to_x, to_y) in zip(start[taught], end[taught], strict=True):
        axis.plot([x, to_x], [y, to_y], color="#d55e00", lw=1.5)
    if scheme.num_points <= _NAMED:
        for name, (x, y) in zip(scheme.landmark_names, start, strict=True):
            axis.annotate(name, (x, y), (0, 6), textcoords="offset points", fontsize=7, ha="center", va="bottom")
    axis.set_aspect("equal")
    axis.invert_yaxis()
    axis.margins(0.12)
    axis.set_xlabel("% of the distance of the outer eye corners")
    axis.grid(alpha=0.2)
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(loc="upper right", fontsize=8)
    axis.set_title(f"Learned from {calibration.faces} faces")
    return figure
