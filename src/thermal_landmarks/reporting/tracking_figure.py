"""A tracked recording in one picture: where each face was, how sure its landmarks were, and when it was not seen."""

from collections.abc import Iterable
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

_COLOURS = ("#E69F00", "#56B4E9", "#009E73", "#CC79A7", "#D55E00", "#0072B2", "#999999")
_NAMED = 12  # tracks in the legend, at most
_MARKS = 3000  # along the time, at most
_WORST_LAST = ("ok", "doubtful", "hidden", "lost")
_NOBODY = pd.DataFrame({"time_s": [], "track": [], "confidence": [], "x": [], "y": [], "flag": []}).astype(
    {"track": int}
)
_UNSEEN = {"hidden": "#BBBBBB", "lost": "#D55E00"}


def tracking_figure(pieces: Iterable[pd.DataFrame], path: Path, *, title: str, frames: int) -> None:
    """Draw the pieces of `faces.csv` as a PNG file; of very many frames, some together are one mark."""
    together = max(1, frames // _MARKS)
    faces = pd.concat([_NOBODY, *(_thinned(piece, together) for piece in pieces)], ignore_index=True)
    if faces.empty:
        _say_nobody(path, title, frames)
        return
    figure = Figure(figsize=(11, 6.5), layout="constrained")
    across, down, sure, seen = figure.subplots(4, 1, sharex=True, height_ratios=[3, 3, 2, 1])
    numbers = sorted(faces["track"].unique())
    for number in numbers:
        colour = _COLOURS[number % len(_COLOURS)]
        rows = faces[faces["track"] == number]
        there = ~rows["flag"].isin(list(_UNSEEN))
        across.plot(rows["time_s"], rows["x"], color=colour, linewidth=1, label=f"track {number}")
        down.plot(rows["time_s"], rows["y"], color=colour, linewidth=1)
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
    seen.set(ylabel="track", xlabel="seconds (gray: hidden, red: lost)", yticks=numbers[:: -(-len(numbers) // 5)])
    first = across.get_lines()[:_NAMED]
    names = [str(line.get_label()) for line in first]
    if len(numbers) > _NAMED:
        names[-1] += f" (of {len(numbers)})"
    across.legend(first, names, loc="upper right", fontsize=8, ncols=min(len(names), 6))
    figure.savefig(path, dpi=110)


def _say_nobody(path: Path, title: str, frames: int) -> None:
    """Instead of empty axes."""
    figure = Figure(figsize=(11, 1.5))
    figure.text(0.5, 0.5, f"{title}: no face in {frames:,} frames", ha="center", va="center", fontsize=14)
    figure.savefig(path, dpi=110)


def _thinned(faces: pd.DataFrame, together: int) -> pd.DataFrame:
    """The middles of the faces' boxes, and of so many frames together the least confidence and the worst flag."""
    middles = faces.assign(
        x=(faces["box_x_min"] + faces["box_x_max"]) / 2,
        y=(faces["box_y_min"] + faces["box_y_max"]) / 2,
        flag=pd.Categorical(faces["flag"], _WORST_LAST, ordered=True),
    )
    if together == 1:
        return middles[_NOBODY.columns].astype({"flag": str})
    means = {"time_s": "mean", "confidence": "min", "x": "mean", "y": "mean", "flag": "max"}
    return (
        middles.groupby([faces["track"], faces["frame"] // together])
        .agg(means)
        .reset_index("track")
        .astype({"flag": str})
    )
