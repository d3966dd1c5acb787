"""Tracks as tables of pandas: Parquet, smoothed points, and DeepLabCut's layout."""

from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float

from thermal_landmarks.data.schemes import Scheme
from thermal_landmarks.inference.tracking.smoothing import smooth

SCORER = "thermal_landmarks"


def read_tracks(folder: Path) -> pd.DataFrame:
    """The table of a folder that `track` has written, a row a landmark; x and y are NaN where a face isn't seen."""
    return pd.read_csv(folder / "tracks.csv")


def as_array(
    tracks: pd.DataFrame, track: int, names: tuple[str, ...]
) -> tuple[pd.Index, Float[np.ndarray, "frame point 2"]]:
    """The frames of one track and its points in them, in the scheme's order.

    Args:
        tracks: Of `read_tracks`.
        track: Its number.
        names: Of the landmarks.
    """
    rows = tracks[tracks["track"] == track].pivot(index="frame", columns="point", values=["x", "y"])
    return rows.index, np.stack([rows[axis][list(names)].to_numpy() for axis in ("x", "y")], axis=-1)


def with_smoothed(tracks: pd.DataFrame, scheme: Scheme, method: str) -> pd.DataFrame:
    """The table with columns `x_smooth` and `y_smooth`, and with x and y as they were seen.

    Args:
        tracks: Of `read_tracks`.
        scheme: Of the landmarks.
        method: Of `smooth`; `none` adds no column.
    """
    if method == "none":
        return tracks
    corners = scheme.outer_eye_corners
    pieces = []
    for _, rows in tracks.groupby(["track", "point"], sort=False):
        pieces.append(rows)
    sizes = {}
    for track in tracks["track"].unique():
        _, points = as_array(tracks, track, scheme.landmark_names)
        if corners is None:
            extent = np.nanmax(points, axis=1) - np.nanmin(points, axis=1)
            sizes[track] = float(np.nanmedian(np.linalg.norm(extent, axis=1)))
        else:
            sizes[track] = float(np.nanmedian(np.linalg.norm(points[:, corners[0]] - points[:, corners[1]], axis=1)))
    smoothed = []
    for rows in pieces:
        size = sizes[rows["track"].iloc[0]]
        found = smooth(rows[["x", "y"]].to_numpy(), rows["time_s"].to_numpy(), method, size=size if size > 0 else 1.0)
        smoothed.append(rows.assign(x_smooth=found[:, 0].round(3), y_smooth=found[:, 1].round(3)))
    return pd.concat(smoothed).sort_index()


def write_parquet(tracks: pd.DataFrame, path: Path) -> None:
    """The table as Parquet."""
    tracks.to_parquet(path, index=False)


def write_deeplabcut(tracks: pd.DataFrame, names: tuple[str, ...], path: Path) -> None:
    """The table in DeepLabCut's layout for several animals: a row a frame, four rows of headings.

    `pandas.read_csv(path, header=[0, 1, 2, 3], index_col=0)` reads it, as DeepLabCut does.
    """
    columns = {}
    for track in sorted(tracks["track"].unique()):
        rows = tracks[tracks["track"] == track].pivot(index="frame", columns="point", values=["x", "y", "confidence"])
        for name in names:
            for axis, title in (("x", "x"), ("y", "y"), ("confidence", "likelihood")):
                columns[SCORER, f"track{track}", name, title] = rows[axis][name]
    frames = pd.RangeIndex(int(tracks["frame"].max()) + 1 if len(tracks) else 0)
    table = pd.DataFrame(columns, index=frames)
    table.columns = pd.MultiIndex.from_tuples(columns, names=["scorer", "individuals", "bodyparts", "coords"])
    table.to_csv(path)
