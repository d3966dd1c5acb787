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
    sizes = {
        track: _size(as_array(tracks, track, scheme.landmark_names)[1], scheme.outer_eye_corners)
        for track in tracks["track"].unique()
    }
    smoothed = tracks.assign(x_smooth=np.nan, y_smooth=np.nan)
    for (track, _), rows in tracks.groupby(["track", "point"]):
        found = smooth(rows[["x", "y"]].to_numpy(), rows["time_s"].to_numpy(), method, size=sizes[track])
        smoothed.loc[rows.index, ["x_smooth", "y_smooth"]] = found.round(3)
    return smoothed


def _size(points: Float[np.ndarray, "frame point 2"], corners: tuple[int, int] | None) -> float:
    """The distance of the outer eye corners, else that of the outermost points; 1 where there are none."""
    if corners is None:
        lengths = np.linalg.norm(points.max(axis=1) - points.min(axis=1), axis=1)
    else:
        lengths = np.linalg.norm(points[:, corners[0]] - points[:, corners[1]], axis=1)
    known = lengths[np.isfinite(lengths) & (lengths > 0)]
    return float(np.median(known)) if len(known) else 1.0


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
    levels = list(zip(*columns, strict=True)) or [()] * 4
    table.columns = pd.MultiIndex.from_arrays(levels, names=["scorer", "individuals", "bodyparts", "coords"])
    table.to_csv(path)
