"""A tracked recording in one picture: where each face was, how sure its landmarks were, and when it was not seen."""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

_COLOURS = ("#E69F00", "#56B4E9", "#009E73", "#CC79A7", "#D55E00", "#0072B2", "#999999")
_UNSEEN = {"hidden": "#BBBBBB", "lost": "#D55E00"}


def tracking_figure(faces: pd.DataFrame, points: pd.DataFrame, path: Path, *, title: str) -> None:
    """Draw and save it.

    Args:
        faces: As `faces.csv` has them.
        points: As `tracks.csv` has them.
        path: A PNG file.
        title: Of the recording.
    """
    figure = Figure(figsize=(11, 6.5), layout="constrained")
    across, down, sure, seen = figure.subplots(4, 1, sharex=True, height_ratios=[3, 3, 2, 1])
    numbers = sorted(faces["track"].unique())
    for number in numbers:
        colour = _COLOURS[number % len(_COLOURS)]
        mine = points[points["track"] == number].groupby("frame")[["time_s", "x", "y"]].mean()
        across.plot(mine["time_s"], mine["x"], color=colour, linewidth=1, label=f"track {number}")
        down.plot(mine["time_s"], mine["y"], color=colour, linewidth=1)
        rows = faces[faces["track"] == number]
        there = rows["flag"].isin(["ok", "doubtful"])
        sure.plot(rows["time_s"], rows["confidence"].where(there), color=colour, linewidth=1)
        for flag, shade in _UNSEEN.items():
            absent = rows[rows["flag"] == flag]
            seen.scatter(absent["time_s"], np.full(len(absent), number), s=6, marker="|", color=shade)
        kept = rows[there]
        seen.scatter(kept["time_s"], np.full(len(kept), number), s=6, marker="|", color=colour)
    across.set(ylabel="x in pixels", title=title)
    down.set(ylabel="y in pixels")
    down.invert_yaxis()
    sure.set(ylabel="confidence", ylim=(0, 1.02))
    seen.set(ylabel="track", xlabel="seconds (gray: hidden, red: lost)", yticks=numbers)
    if numbers:
        across.legend(loc="upper right", fontsize=8, ncols=min(len(numbers), 6))
    figure.savefig(path, dpi=110)
