"""A video's tracks as files that grow with it: `tracks.csv`, `faces.csv`, and what a stopped job goes on from.

`tracks.csv` has the columns `frame,time_s,track,point,x,y,confidence,flag`, a row a landmark: its name, its place in
pixels of the frame (empty where the face is hidden or lost), the probability that it is visible and right, and the
face's flag. `faces.csv` has a row a face: `frame,time_s,track,confidence,flag` and its box.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from thermal_landmarks.csv_table import CsvTable
from thermal_landmarks.data.normalisation import is_constant
from thermal_landmarks.data.video import VideoFrame
from thermal_landmarks.errors import ConfigError, DataError
from thermal_landmarks.inference.tracking.track import TrackedFace
from thermal_landmarks.inference.tracking.tracker import Tracker
from thermal_landmarks.runs import PROGRESS, write_json

POINT_COLUMNS = ("frame", "time_s", "track", "point", "x", "y", "confidence", "flag")
FACE_COLUMNS = (
    *("frame", "time_s", "track", "confidence", "flag"),
    *("box_x_min", "box_y_min", "box_x_max", "box_y_max"),
)
_KEPT_EVERY = 100  # frames


class Tracked(NamedTuple):
    """What became of a video.

    Attributes:
        frames: That were tracked, in all.
        counts: Faces of each flag, `without` for frames without any, and `unusable` for frames that could not be seen.
        tracks: Number of people.
        ended: Why it ended before the video's end; None: it did not.
    """

    frames: int
    counts: dict[str, int]
    tracks: int
    ended: str | None


class TrackFiles:
    """The tables of one video.

    Args:
        folder: Where they are; made if missing.
        settings: That decide about the tracks; a job that goes on must have the same.
        names: Of the landmarks.

    Raises:
        ConfigError: If the folder holds tracks of other settings.
        OutputError: If they can't be written.
    """

    def __init__(self, folder: Path, settings: dict[str, Any], names: Iterable[str]) -> None:
        self.folder, self.settings, self.names = folder, settings, list(names)
        self.state: dict[str, Any] = {"next_frame": 0, "counts": {}, "tracker": None, "bytes": {}}
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / PROGRESS).exists():
            self.state = json.loads((folder / PROGRESS).read_text(encoding="utf-8"))
            earlier = self.state["settings"]
            changed = [key for key in {**earlier, **settings} if earlier.get(key) != settings.get(key)]
            if changed:
                listed = ", ".join(f"{key}={earlier.get(key)} then, {settings.get(key)} now" for key in sorted(changed))
                raise ConfigError(
                    f"{folder} was tracked with other settings ({listed}). Repeat them, or start from scratch."
                )
        self._points = self._table("tracks.csv", POINT_COLUMNS)
        self._faces = self._table("faces.csv", FACE_COLUMNS)

    def _table(self, name: str, columns: tuple[str, ...]) -> CsvTable:
        """The table up to where the kept state was written."""
        kept = self.state["bytes"].get(name, 0)
        table = CsvTable(self.folder / name, kept=kept)
        if not kept:
            table.add(columns)
        return table

    def add(self, frame: VideoFrame, faces: list[TrackedFace]) -> None:
        """Write the rows of one frame."""
        for face in faces:
            first = (frame.index, f"{frame.time_s:.4f}", face.track)
            self._faces.add([*first, f"{face.confidence:.3f}", face.flag, *map(_cell, face.box_px)])
            for name, (x, y), sure in zip(self.names, face.points_px, face.point_confidence, strict=True):
                self._points.add([*first, name, _cell(x), _cell(y), f"{sure:.3f}", face.flag])

    def keep(self, next_frame: int, counts: dict[str, int], tracker: Tracker) -> None:
        """Bring all to the disk, with what is needed to go on from here."""
        self.state = {
            "settings": self.settings,
            "next_frame": next_frame,
            "counts": counts,
            "bytes": {table.path.name: table.size for table in (self._points, self._faces)},
            "tracker": tracker.state(),
        }
        write_json(self.folder / PROGRESS, self.state)

    def close(self) -> None:
        """End the tables."""
        self._points.close()
        self._faces.close()


def track_frames(
    tracker: Tracker,
    frames: Callable[[int], Iterable[VideoFrame]],
    files: TrackFiles,
    *,
    name: str,
    stopped: Callable[[], bool] = lambda: False,
    advance: Callable[[int], None] = lambda _: None,
) -> Tracked:
    """Track a video, or the rest of it.

    Args:
        tracker: New; it goes on where the files say.
        frames: The video's frames from a number on.
        files: Get each frame's rows at once.
        name: Of the video, for errors.
        stopped: Asked after each frame.
        advance: Called with the number of each frame that is done.

    Raises:
        DataError: If not even one frame can be read.
    """
    counts = Counter(files.state["counts"])
    if files.state["tracker"] is not None:
        tracker.restore(files.state["tracker"])
    done, ended = files.state["next_frame"], None
    files.keep(done, dict(counts), tracker)
    try:
        for frame in frames(done):
            if not np.isfinite(frame.image.values).all() or is_constant(frame.image.values, frame.image.unit):
                faces = tracker.blind()  # a closed shutter, a lost frame
                counts["unusable"] += 1
            else:
                faces = tracker.update(frame.image, location=f"{name}, frame {frame.index}")
            files.add(frame, faces)
            counts.update(face.flag for face in faces)
            counts["without"] += not any(np.isfinite(face.points_px).all() for face in faces)
            done = frame.index + 1
            if done % _KEPT_EVERY == 0:
                files.keep(done, dict(counts), tracker)
            advance(frame.index)
            if stopped():
                ended = "stopped"
                break
    except DataError as error:
        if not done:
            raise
        ended = str(error)
    finally:
        files.keep(done, dict(counts), tracker)
        files.close()
    if not done:
        raise DataError(f"{name}: has no frame that can be read.")
    return Tracked(done, dict(counts), tracker.started, ended)


def _cell(value: float) -> str:
    return f"{value:.3f}" if np.isfinite(value) else ""
