"""A video's tracks as files that grow with it: `tracks.csv`, `faces.csv`, and what a stopped job goes on from.

`tracks.csv` has the columns `frame,time_s,track,point,x,y,confidence,flag`, a row a landmark: its name, its place in
pixels of the frame (empty where the face is hidden or lost), the probability that it is visible and right, and the
face's flag. `faces.csv` has a row a face: `frame,time_s,track,confidence,flag`, its box, and how the head is turned.
"""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np

from thermal_landmarks.csv_table import CsvTable
from thermal_landmarks.data.normalisation import is_constant
from thermal_landmarks.data.schemes import Scheme
from thermal_landmarks.data.video import VideoFrame
from thermal_landmarks.errors import ConfigError, DataError, said_by
from thermal_landmarks.inference.head_pose import head_pose_deg
from thermal_landmarks.inference.tracking.kept import plain, restored
from thermal_landmarks.inference.tracking.roll import Late, Settled
from thermal_landmarks.inference.tracking.steadying import FRAMES
from thermal_landmarks.inference.tracking.tracker import Tracker
from thermal_landmarks.runs import PROGRESS, remove_partial_files, write_json

POINT_COLUMNS = ("frame", "time_s", "track", "point", "x", "y", "confidence", "flag")
FACE_COLUMNS = (
    *("frame", "time_s", "track", "confidence", "flag"),
    *("box_x_min", "box_y_min", "box_x_max", "box_y_max"),
    *("yaw_deg", "pitch_deg", "roll_deg"),
)
_KEPT_EVERY_S = 2.0
_STATE = {"settings": dict, "next_frame": int, "counts": dict, "bytes": dict}
"""Entries of `progress.json` and their types."""


class Tracked(NamedTuple):
    """What became of a video."""

    frames: int  # that were tracked, in all
    # Faces of each flag, `without` for frames without any, and `unusable` for frames that could not be seen
    counts: dict[str, int]
    tracks: int  # number of people
    ended: str | None  # why it ended before the video's end; None: it did not


class TrackFiles:
    """The tables of one video; a job that goes on must have the same settings, those that decide about the tracks.

    Raises:
        ConfigError: If the folder holds tracks of other settings.
        OutputError: If they can't be written.
    """

    def __init__(self, folder: Path, settings: dict[str, Any], scheme: Scheme) -> None:
        self.folder, self.settings, self.scheme = folder, settings, scheme
        self.state: dict[str, Any] = {"next_frame": 0, "counts": {}, "tracker": None, "late": None, "bytes": {}}
        folder.mkdir(parents=True, exist_ok=True)
        remove_partial_files(folder)
        if (folder / PROGRESS).exists():
            self.state = self._read_state()
            earlier = dict(self.state["settings"])
            if "marks" in settings:
                earlier.setdefault("marks", "kept")  # so it was before there was the setting
            changed = [key for key in {**earlier, **settings} if earlier.get(key) != settings.get(key)]
            if changed:
                listed = ", ".join(f"{key}={earlier.get(key)} then, {settings.get(key)} now" for key in sorted(changed))
                raise ConfigError(
                    f"{folder} was tracked with other settings ({listed}). Repeat them, or start from scratch."
                )
        self._points = self._table("tracks.csv", POINT_COLUMNS)
        self._faces = self._table("faces.csv", FACE_COLUMNS)
        self._face_columns = len(FACE_COLUMNS)
        if self.state["bytes"].get("faces.csv", 0):  # of a job that began before there were angles
            with (folder / "faces.csv").open(encoding="utf-8") as table:
                self._face_columns = table.readline().count(",") + 1

    def _read_state(self) -> dict[str, Any]:
        """What an earlier job has kept, once it is known to be whole."""
        path = self.folder / PROGRESS
        try:
            state: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            usual = all(type(state[key]) is kind for key, kind in _STATE.items()) and state["next_frame"] >= 0
            if not usual or not all(
                _ends_a_row(self.folder / n, state["bytes"][n]) for n in ("tracks.csv", "faces.csv")
            ):
                raise ValueError("it doesn't fit tracks.csv and faces.csv")
        except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
            raise _damaged(path, error) from error
        return state

    def restore(self, tracker: Tracker, late: Late) -> None:
        """Bring a tracker to where an earlier job stopped.

        Raises:
            ConfigError: If what that job has kept is damaged.
        """
        if self.state["tracker"] is None:
            return
        try:
            tracker.restore(restored(self.state["tracker"]))
            late.restore(restored(self.state["late"]))
        except Exception as error:  # of any type and shape
            raise _damaged(self.folder / PROGRESS, error) from error

    def _table(self, name: str, columns: tuple[str, ...]) -> CsvTable:
        """The table up to where the kept state was written."""
        kept = self.state["bytes"].get(name, 0)
        table = CsvTable(self.folder / name, kept=kept)
        if not kept:
            table.add(columns)
        return table

    def add(self, frame: Settled) -> None:
        """Write the rows of one frame; a process that is killed later leaves none in half."""
        for face in frame.faces:
            first = (frame.frame, f"{frame.time_s:.4f}", face.track)
            angles_deg = head_pose_deg(face.points_px, self.scheme)
            row = [*first, f"{face.confidence:.3f}", face.flag, *map(_cell, (*face.box_px, *angles_deg))]
            self._faces.add(row[: self._face_columns])
            names = self.scheme.landmark_names
            for name, (x, y), sure in zip(names, face.points_px, face.point_confidence, strict=True):
                self._points.add([*first, name, _cell(x), _cell(y), f"{sure:.3f}", face.flag])
        self._points.flush()
        self._faces.flush()

    def keep(self, next_frame: int, counts: Counter[str], tracker: Tracker, late: Late) -> None:
        """Bring all to the disk, with what is needed to go on from here."""
        self.state = {
            "settings": self.settings,
            "next_frame": next_frame,
            "counts": dict(counts),
            "bytes": {table.path.name: table.size for table in (self._points, self._faces)},
            "tracker": plain(tracker.state()),
            "late": plain(late.state()),
        }
        write_json(self.folder / PROGRESS, self.state)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._points.close()
        self._faces.close()


def _ends_a_row(table: Path, kept: int) -> bool:
    if type(kept) is not int or not 0 < kept <= table.stat().st_size:
        return False
    with table.open("rb") as file:
        file.seek(kept - 1)
        return file.read(1) == b"\n"


def _damaged(path: Path, error: Exception) -> ConfigError:
    found = f"{type(error).__name__}: {said_by(error)}"
    return ConfigError(f"{path}: is damaged ({found}), so nothing can go on from it. Track into another folder.")


def track_frames(
    tracker: Tracker,
    frames: Callable[[int], Iterable[VideoFrame]],
    files: TrackFiles,
    *,
    name: str,
    again: bool = True,
    stopped: Callable[[], bool] = lambda: False,
    advance: Callable[[int], None] = lambda _: None,
) -> Tracked:
    """Track a video, or the rest of it.

    Args:
        tracker: New; it goes on where the files say.
        frames: The video's frames from a number on.
        files: Get each frame's rows at once.
        name: Of the video, for errors.
        again: Whether frames that were read before can be read once more.
        stopped: Asked after each frame.
        advance: Called with the number of frames that are done since the last call.

    Raises:
        DataError: If not even one frame can be read.
    """
    late = Late(tracker.fps, files.scheme.num_points)
    counts, done, ended = Counter(files.state["counts"]), files.state["next_frame"], None
    files.restore(tracker, late)

    def write() -> None:
        for settled in late.settled(tracker.tracklets):
            files.add(settled)
            counts.update(face.flag for face in settled.faces)
            counts["without"] += not any(np.isfinite(face.points_px).all() for face in settled.faces)

    def usable(frame: VideoFrame) -> bool:
        return bool(np.isfinite(frame.image.values).all()) and not is_constant(frame.image.values, frame.image.unit)

    def see(frame: VideoFrame) -> None:
        counts["passed"] += frame.passed
        for left_out in range(done, frame.index - frame.passed):  # the reader could not decode it
            tracker.blind()
            counts["unusable"] += 1
            late.add(tracker.frame, left_out, frame.time_s - (frame.index - left_out) / tracker.fps, None)
        sightings = None
        if usable(frame):
            where = f"{name}, frame {frame.index}"
            sightings = tracker.see(frame.image, location=where, passed=frame.passed)
        else:
            tracker.blind()  # a closed shutter
            counts["unusable"] += 1
        late.add(tracker.frame, frame.index, frame.time_s, sightings)

    with files:
        files.keep(done, counts, tracker, late)
        kept_at = time.monotonic()
        try:
            for frame in frames(max(0, done - FRAMES) if again else done):
                if frame.index < done:
                    tracker.remind(frame.image if usable(frame) else None)
                    continue
                see(frame)
                write()
                advance(frame.index + 1 - done)
                done = frame.index + 1
                if time.monotonic() - kept_at >= _KEPT_EVERY_S:
                    files.keep(done, counts, tracker, late)
                    kept_at = time.monotonic()
                if stopped():
                    ended = "stopped"
                    break
        except DataError as error:
            if not done:
                raise
            ended = str(error)
        files.keep(done, counts, tracker, late)  # from here a job goes on, without what follows
        tracker.conclude()
        write()
    if not done:
        raise DataError(f"{name}: has no frame that can be read.")
    return Tracked(done, dict(counts), tracker.people.started, ended)


def _cell(value: float) -> str:
    return f"{value:.3f}" if np.isfinite(value) else ""
