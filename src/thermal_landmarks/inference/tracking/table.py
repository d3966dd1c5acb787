"""Tracks as tables of pandas: Parquet, smoothed points, and DeepLabCut's layout.

An hour of video has millions of rows, so every table is read in pieces of whole frames and written piece by piece.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pandas as pd
from jaxtyping import Float

from thermal_landmarks.csv_table import CsvTable
from thermal_landmarks.data.schemes import Scheme
from thermal_landmarks.errors import DataError, said_by
from thermal_landmarks.inference.tracking.smoothing import smooth
from thermal_landmarks.inference.tracking.track import Flag

_WHOLE, _REAL, _TEXT = ("frame", "track"), ("time_s", "x", "y", "confidence"), ("point", "flag")
_TYPES: Any = dict.fromkeys(_WHOLE, "int64") | dict.fromkeys(_REAL, "float64") | dict.fromkeys(_TEXT, "str")
_FARTHEST_PX = 1e6
SCORER = "thermal_landmarks"

_PIECE = 100_000  # rows
_BESIDE_S = 3.0  # of the pieces before and after, in which a smoothing filter forgets them


def read_tracks(folder: Path) -> Iterator[pd.DataFrame]:
    """The table of a folder that `track` has written, a row a landmark, in pieces of whole frames.

    x and y are NaN where a face isn't seen.

    Raises:
        DataError: If it is missing, damaged, or holds what `track` doesn't write.
    """
    path, line = folder / "tracks.csv", 2
    try:
        for tracks in read_pieces(path, columns=list(_TYPES)):
            _check(path, line, tracks)
            yield tracks
            line += len(tracks)
    except (OSError, ValueError, OverflowError, MemoryError) as error:
        raise DataError(
            f"{path}: can't be read as the table that thermal-landmarks track writes ({said_by(error)}). Track again."
        ) from error


def _check(path: Path, line: int, tracks: pd.DataFrame) -> None:
    for what, wrong in {
        "a frame or track below 0 or beyond 1e9": ~tracks["frame"].between(0, 1e9) | ~tracks["track"].between(0, 1e9),
        "a place that is no place in a picture": (tracks[["x", "y"]].abs() > _FARTHEST_PX).any(axis=1),
        "a confidence that isn't 0 to 1": ~tracks["confidence"].between(0, 1),
        f"a flag that isn't one of {', '.join(get_args(Flag))}": ~tracks["flag"].isin(get_args(Flag)),
        "a landmark twice in a frame": tracks.duplicated(["frame", "track", "point"]),
    }.items():
        if wrong.any():
            place = line + int(wrong.to_numpy().argmax())
            raise DataError(f"{path}: line {place} has {what}. Mend it, or track again.")


def read_pieces(path: Path, rows: int = _PIECE, columns: list[str] | None = None) -> Iterator[pd.DataFrame]:
    """`tracks.csv` or `faces.csv` in pieces of whole frames, of about so many rows; x and y are NaN of unseen faces."""
    begun: list[pd.DataFrame] = []
    types = {name: kind for name, kind in _TYPES.items() if name in pd.read_csv(path, nrows=0).columns}
    with pd.read_csv(path, chunksize=rows, dtype=types, usecols=columns) as chunks:
        for chunk in chunks:
            if chunk.empty:
                continue
            last = chunk["frame"].to_numpy() == chunk["frame"].iloc[-1]
            if not last.all():
                yield pd.concat([*begun, chunk[~last]], ignore_index=True)
                begun = []
            begun.append(chunk[last])
    if begun:
        yield pd.concat(begun, ignore_index=True)


def read_frames(path: Path) -> Iterator[tuple[int, pd.DataFrame]]:
    """The rows of one frame after the other; frames without any are left out."""
    for piece in read_pieces(path):
        for frame, rows in piece.groupby("frame"):
            yield int(str(frame)), rows


def smoothed_pieces(path: Path, scheme: Scheme, method: str, rows: int = _PIECE) -> Iterator[pd.DataFrame]:
    """As `read_pieces`, with columns `x_smooth` and `y_smooth`; x and y stay as they were seen."""
    if method == "none":
        yield from read_pieces(path, rows)
        return
    sizes = _sizes(path, scheme)
    before = piece = None
    for after in _then_none(read_pieces(path, rows)):
        if piece is not None:
            yield _smoothed(before, piece, after, method, sizes)
            start = piece["time_s"].iloc[-1] - _BESIDE_S
            before = pd.concat([before, piece])  # a short piece doesn't reach back far enough by itself
            before = before[before["time_s"] >= start]
        piece = after


def write_parquet(pieces: Iterable[pd.DataFrame], path: Path, *, smooth: bool) -> None:
    """The table as Parquet."""
    import pyarrow as pa  # type: ignore[import-untyped]
    import pyarrow.parquet as pq  # type: ignore[import-untyped]

    whole, real, text = pa.int64(), pa.float64(), pa.string()
    columns = [("frame", whole), ("time_s", real), ("track", whole), ("point", text), ("x", real), ("y", real)]
    columns += [("confidence", real), ("flag", text)]
    columns += [("x_smooth", real), ("y_smooth", real)] if smooth else []
    schema = pa.schema(columns)
    with pq.ParquetWriter(path, schema) as writer:
        for piece in pieces:
            writer.write_table(pa.Table.from_pandas(piece, schema=schema, preserve_index=False))


def write_deeplabcut(folder: Path, names: tuple[str, ...], tracks: int, path: Path) -> None:
    """The table in DeepLabCut's layout for several animals: a row a frame, four rows of headings.

    `pandas.read_csv(path, header=[0, 1, 2, 3], index_col=0)` reads it, as DeepLabCut does.
    """
    columns = [
        (SCORER, f"track{track}", name, value)
        for track in range(tracks)
        for name in names
        for value in ("x", "y", "likelihood")
    ]
    levels = list(zip(*columns, strict=True)) or [()] * 4
    width = 3 * len(names)
    with CsvTable(path) as table:
        for title, level in zip(("scorer", "individuals", "bodyparts", "coords"), levels, strict=True):
            table.add([title, *level])
        due = 0
        for frame, rows in read_frames(folder / "tracks.csv"):
            for empty in range(due, frame):
                table.add([empty, *[None] * len(columns)])
            cells: list[float | None] = [None] * len(columns)
            for track, mine in rows.groupby("track"):
                values = mine.set_index("point").loc[list(names), ["x", "y", "confidence"]].to_numpy().ravel()
                start = int(str(track)) * width
                cells[start : start + width] = [float(value) if np.isfinite(value) else None for value in values]
            table.add([frame, *cells])
            due = frame + 1


def _then_none(pieces: Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame | None]:
    yield from pieces
    yield None


def _smoothed(
    before: pd.DataFrame | None, piece: pd.DataFrame, after: pd.DataFrame | None, method: str, sizes: dict[int, float]
) -> pd.DataFrame:
    end = piece["time_s"].iloc[-1] + _BESIDE_S
    beside = [before, piece, None if after is None else after[after["time_s"] <= end]]
    rows = pd.concat([each for each in beside if each is not None], ignore_index=True)
    smoothed = np.full((len(rows), 2), np.nan)
    for (track, _), mine in rows.groupby(["track", "point"]):
        found = smooth(mine[["x", "y"]].to_numpy(), mine["time_s"].to_numpy(), method, size=sizes[track])
        smoothed[mine.index] = found.round(3)
    start = 0 if before is None else len(before)
    x_smooth, y_smooth = smoothed[start : start + len(piece)].T
    return piece.assign(x_smooth=x_smooth, y_smooth=y_smooth)


def _sizes(path: Path, scheme: Scheme) -> dict[int, float]:
    """The median distance of the outer eye corners of each track, else that of the outermost points."""
    lengths = defaultdict(list)
    for piece in read_pieces(path):
        for track, rows in piece.groupby("track"):
            table = rows.pivot(index="frame", columns="point", values=["x", "y"])
            points = np.stack([table[axis][list(scheme.landmark_names)].to_numpy() for axis in ("x", "y")], axis=-1)
            lengths[int(str(track))].append(_lengths(points, scheme.outer_eye_corners).astype(np.float32))
    return {track: _median(np.concatenate(known)) for track, known in lengths.items()}


def _lengths(
    points: Float[np.ndarray, "frame point 2"], corners: tuple[int, int] | None
) -> Float[np.ndarray, " frame"]:
    if corners is None:
        extent: np.ndarray = np.linalg.norm(points.max(axis=1) - points.min(axis=1), axis=1)
        return extent
    between: np.ndarray = np.linalg.norm(points[:, corners[0]] - points[:, corners[1]], axis=1)
    return between


def _median(lengths: Float[np.ndarray, " frame"]) -> float:
    known = lengths[np.isfinite(lengths) & (lengths > 0)]
    return float(np.median(known)) if len(known) else 1.0
