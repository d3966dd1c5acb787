"""Tracks as tables of pandas: Parquet, smoothed points, and DeepLabCut's layout."""

from pathlib import Path
from typing import Any, get_args

import numpy as np
import pandas as pd
from jaxtyping import Float

from thermal_landmarks.data.schemes import Scheme
from thermal_landmarks.errors import DataError
from thermal_landmarks.inference.tracking.smoothing import smooth
from thermal_landmarks.inference.tracking.track import Flag

_WHOLE, _REAL, _TEXT = ("frame", "track"), ("time_s", "x", "y", "confidence"), ("point", "flag")
_TYPES: Any = dict.fromkeys(_WHOLE, "int64") | dict.fromkeys(_REAL, "float64") | dict.fromkeys(_TEXT, "str")
_FARTHEST_PX = 1e6
_LONGEST_REASON = 300  # characters
SCORER = "thermal_landmarks"


def read_tracks(folder: Path) -> pd.DataFrame:
    """The table of a folder that `track` has written, a row a landmark; x and y are NaN where a face isn't seen.

    Raises:
        DataError: If it is missing, damaged, or holds what `track` doesn't write.
    """
    path = folder / "tracks.csv"
    try:
        tracks = pd.read_csv(path, usecols=list(_TYPES), dtype=_TYPES)
    except (OSError, ValueError, OverflowError, MemoryError) as error:
        reason = " ".join(str(error).split())[:_LONGEST_REASON]
        raise DataError(
            f"{path}: can't be read as the table that thermal-landmarks track writes ({reason}). Track again."
        ) from error
    for what, wrong in {
        "a frame or track below 0 or beyond 1e9": ~tracks["frame"].between(0, 1e9) | ~tracks["track"].between(0, 1e9),
        "a place that is no place in a picture": (tracks[["x", "y"]].abs() > _FARTHEST_PX).any(axis=1),
        "a confidence that isn't 0 to 1": ~tracks["confidence"].between(0, 1),
        f"a flag that isn't one of {', '.join(get_args(Flag))}": ~tracks["flag"].isin(get_args(Flag)),
        "a landmark twice in a frame": tracks.duplicated(["frame", "track", "point"]),
    }.items():
        if wrong.any():
            raise DataError(f"{path}: line {int(wrong.to_numpy().argmax()) + 2} has {what}. Mend it, or track again.")
    return tracks


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
