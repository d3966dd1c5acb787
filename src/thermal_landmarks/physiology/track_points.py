"""The points of each track, of a table that is read piece by piece, and kept small: a night has 14 million rows."""

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple, get_args

import numpy as np
import pandas as pd
from jaxtyping import Float, Int, UInt8

from thermal_landmarks.data.schemes import Scheme
from thermal_landmarks.errors import DataError
from thermal_landmarks.inference.tracking.track import Flag

FLAGS: tuple[str, ...] = get_args(Flag)


class TrackPoints(NamedTuple):
    """One track's points, a row a frame in which the track is told."""

    frames: Int[np.ndarray, " row"]  # their numbers, rising
    points_px: Float[np.ndarray, "row point 2"]  # in the tracks' scheme, float32; NaN where the face isn't seen
    confidence: Float[np.ndarray, " row"]  # of the landmarks, their mean
    flags: UInt8[np.ndarray, " row"]  # of the tracker, as places in `FLAGS`

    def row(self, number: int) -> int | None:
        """The row of a frame; None: the track isn't told there."""
        row = int(np.searchsorted(self.frames, number))
        return row if row < len(self.frames) and self.frames[row] == number else None


def points_of_tracks(pieces: Iterable[pd.DataFrame], scheme: Scheme) -> dict[int, TrackPoints]:
    """The points by the number of their track, from pieces of whole frames; tracks without any are left out.

    Raises:
        DataError: If a landmark of the scheme is missing, or a frame stands at two places.
    """
    parts: dict[int, list[TrackPoints]] = defaultdict(list)
    known: dict[int, set[str]] = defaultdict(set)
    names = list(scheme.landmark_names)
    for piece in pieces:
        for track, rows in piece.groupby("track"):
            parts[int(str(track))].append(_part(rows, names))
            known[int(str(track))] |= set(rows["point"].unique())
    found = {}
    for track in sorted(parts):
        if missing := [name for name in names if name not in known[track]]:
            raise DataError(f"tracks.csv has no points named {', '.join(missing)}, which scheme '{scheme.name}' has.")
        points = _joined(track, parts.pop(track))
        if np.isfinite(points.points_px).all(axis=(1, 2)).any():
            found[track] = points
    return found


def _part(rows: pd.DataFrame, names: list[str]) -> TrackPoints:
    wide = rows.pivot(index="frame", columns="point", values=["x", "y", "confidence"])
    x, y, sure = (wide[value].reindex(columns=names).to_numpy().astype(float) for value in ("x", "y", "confidence"))
    flags = rows.groupby("frame")["flag"].first().map(FLAGS.index)
    return TrackPoints(
        wide.index.to_numpy(),
        np.stack([x, y], axis=-1).astype(np.float32),
        sure.mean(axis=1).astype(np.float32),
        flags.to_numpy().astype(np.uint8),
    )


def _joined(track: int, parts: list[TrackPoints]) -> TrackPoints:
    points = TrackPoints(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
    if (np.diff(points.frames) > 0).all():
        return points
    order = np.argsort(points.frames, kind="stable")
    points = TrackPoints(*(column[order] for column in points))
    twice = points.frames[1:][np.diff(points.frames) == 0]
    if len(twice):
        raise DataError(f"tracks.csv: frame {twice[0]} of track {track} stands at two places. Mend it, or track again.")
    return points
