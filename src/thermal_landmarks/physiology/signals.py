"""All signals of a recording as two tables of pandas: one row a value, one row an event."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float

from thermal_landmarks.data.schemes import Scheme
from thermal_landmarks.data.video.frame import VideoFrame
from thermal_landmarks.errors import DataError
from thermal_landmarks.physiology.breathing import WINDOW_S, breathing
from thermal_landmarks.physiology.disturbances import FrameSteps, head_speed, late_frames, moving
from thermal_landmarks.physiology.events import blinks, eye_opening, mouth_opening, stretches, yawns
from thermal_landmarks.physiology.face import Face
from thermal_landmarks.physiology.nostrils import breath
from thermal_landmarks.physiology.perspiration import ELEMENT_PX, LEAST_QUALITY, perspiration, refusal
from thermal_landmarks.physiology.regions import Corner

SIGNAL_COLUMNS = ("time_s", "track", "signal", "value", "quality", "flag")
EVENT_COLUMNS = ("track", "event", "start_s", "end_s", "size")
_LEAST_SECONDS = 3.0
_LEAST_EYES_PX = 20.0  # of 54 rates that looked right on smaller faces, 35 were (docs/signals.md)


@dataclass(frozen=True)
class Recording:
    """What was measured in a video."""

    signals: pd.DataFrame  # columns `SIGNAL_COLUMNS`, a row a value
    events: pd.DataFrame  # columns `EVENT_COLUMNS`, a row an event
    faces: dict[int, Face]  # each track's points and regions
    # Number of the frame that shows the most faces best, its time and its values
    still: tuple[int, float, Float[np.ndarray, "height width"]]
    unit: str  # of the temperatures: `celsius`, or `gray`
    notes: list[str]  # what could not be measured, and why


def measure(
    frames: Iterable[VideoFrame],
    tracks: pd.DataFrame,
    scheme: Scheme,
    *,
    regions: Mapping[str, Sequence[Corner]] | None = None,
    window_s: float = WINDOW_S,
    element_px: int = ELEMENT_PX,
    baseline_s: tuple[float, float] | None = None,
    advance: Callable[[int], None] = lambda _: None,
) -> Recording:
    """Measure all signals of all tracks; the frames are read once, one at a time.

    Args:
        frames: The video's.
        tracks: Columns frame, time_s, track, point, x, y, confidence, flag.
        scheme: Of the points.
        regions: More of them, as `physiology.regions.REGIONS`.
        window_s: Of breathing rates.
        element_px: Diameter of the morphological elements.
        baseline_s: A time of rest, for perspiration.
        advance: Called with 1 after each frame.

    Raises:
        DataError: If there is no track, or not one of its frames in the video.
        ConfigError: If a setting makes no sense, or the scheme lacks the landmarks that are needed.
    """
    of_tracks = {
        int(track): Face.of_track(tracks[tracks["track"] == track], scheme, own=regions, element_px=element_px)
        for track in sorted(set(tracks["track"]))
    }
    faces = {track: face for track, face in of_tracks.items() if face is not None}
    if not faces:
        raise DataError("The tracks hold no face with points, so there is nothing to measure.")
    steps, times, unit = FrameSteps(), {}, "gray"
    still, most = None, -1.0
    for frame in frames:
        unit = frame.image.unit
        times[frame.index] = frame.time_s
        steps.add(frame.image.values)
        sure = 0.0
        for face in faces.values():
            if face.sees(frame.index):
                face.measure(frame.index, frame.time_s, frame.image.values, temperatures=refusal(unit) is None)
                sure += float(face.confidence[face.rows[frame.index]])
        if sure > most:
            still, most = (frame.index, frame.time_s, frame.image.values.copy()), sure
        advance(1)
    if still is None or not any(face.measured for face in faces.values()):
        raise DataError("No frame of this video is in the tracks. Give the video that they were made from (source=).")
    numbers = np.array(sorted(times))
    time_s = np.array([times[number] for number in numbers])
    jumped, late = set(numbers[steps.jumps(unit)]), set(numbers[late_frames(time_s)])
    tables = []
    for track, face in faces.items():
        if face.measured:
            table = _Table(track, face, times, jumped, late)
            table.measure(scheme, unit, window_s=window_s, element_px=element_px, baseline_s=baseline_s)
            tables.append(table)
    signals = pd.concat([rows for table in tables for rows in table.signals], ignore_index=True)
    events = [event for table in tables for event in table.events]
    events.extend((-1, "flat_field", times[number], times[number], np.nan) for number in sorted(jumped))
    notes = [note for table in tables for note in table.notes]
    reason = refusal(unit)
    if reason is not None:
        notes.append(f"{reason} Temperatures and breathing are in the recording's own relative units.")
    happened = pd.DataFrame(events, columns=list(EVENT_COLUMNS)).sort_values(["start_s", "track"], ignore_index=True)
    return Recording(signals, happened, faces, still, unit, notes)


class _Table:
    """The rows of one track.

    Args:
        track: Its number.
        face: What was measured along it.
        times: Of all frames.
        jumped: Frames at which the camera stepped.
        late: Frames before which one is missing.
    """

    def __init__(self, track: int, face: Face, times: Mapping[int, float], jumped: set[int], late: set[int]) -> None:
        self.track, self.face = track, face
        self.signals: list[pd.DataFrame] = []
        self.events: list[tuple[object, ...]] = []
        self.notes: list[str] = []
        numbers = [number for number in face.rows if number in times]
        self.rows = np.array([face.rows[number] for number in numbers])
        self.time_s = np.array([times[number] for number in numbers])
        self.jumps = np.array([number in jumped for number in numbers])
        self.speed = head_speed(self.time_s, face.face_px[self.rows], face.frame.size_px)
        marks = {
            "flat_field": self.jumps,
            "late": np.array([number in late for number in numbers]),
            "moving": moving(self.speed),
        }
        self.flags = [face.flag[row] for row in self.rows]
        for mark, where in marks.items():
            self.flags = [mark if on and flag == "ok" else flag for on, flag in zip(where, self.flags, strict=True)]

    def add(self, name: str, at_s: np.ndarray, value: np.ndarray, quality: np.ndarray, flag: Sequence[str]) -> None:
        """Rows of one signal."""
        columns = dict(zip(SIGNAL_COLUMNS, (at_s, self.track, name, value, quality, flag), strict=True))
        self.signals.append(pd.DataFrame(columns))

    def measure(
        self, scheme: Scheme, unit: str, *, window_s: float, element_px: int, baseline_s: tuple[float, float] | None
    ) -> None:
        """All signals and events of the track."""
        face, time_s, rows = self.face, self.time_s, self.rows
        sure = face.confidence[rows]
        for name, values in face.measured.items():
            self.add(name, time_s, values[rows], sure, self.flags)
        self.add("head_motion", time_s, self.speed, sure, self.flags)
        self._happened(stretches("head_motion", time_s, self.speed, moving(self.speed), lasting_s=(0.2, np.inf)))
        opening = mouth_opening(face.points_px[rows], scheme)
        if opening is not None:
            self.add("mouth_opening", time_s, opening, sure, self.flags)
            self._happened(yawns(time_s, opening))
        eyes = eye_opening(face.points_px[rows], scheme)
        if eyes is not None:
            self.add("eye_opening", time_s, eyes, sure, self.flags)
            self._happened(blinks(time_s, eyes))
        seconds = time_s[-1] - time_s[0]
        if seconds < _LEAST_SECONDS:
            self.notes.append(f"Track {self.track}: {seconds:.1f} s are too short for breathing and perspiration.")
            return
        self._breathing(sure, window_s)
        if refusal(unit) is None:
            self._perspiration(element_px, baseline_s)

    def _happened(self, events: Iterable[tuple[object, ...]]) -> None:
        self.events.extend((self.track, *event) for event in events)

    def _breathing(self, sure: np.ndarray, window_s: float) -> None:
        face, time_s, rows = self.face, self.time_s, self.rows
        misfit = face.measured["misfit"][rows]
        said = breath(time_s, face.cells[rows], misfit, face.nostrils.offsets, jumps=self.jumps)
        found = breathing(time_s, said.temperature, weight=said.weight, jumps=self.jumps, window_s=window_s)
        self.add("breathing", time_s, found.waveform, sure, self.flags)
        flags = found.flag
        if face.frame.eyes_px < _LEAST_EYES_PX:
            flags = ["weak" if flag == "ok" else flag for flag in flags]
            self.notes.append(
                f"Track {self.track}: the outer corners of its eyes are {face.frame.eyes_px:.0f} pixels apart, too few "
                "for breathing rates that can be believed, so none is flagged ok. Film from nearer: 27 pixels or more."
            )
        for name, rate in (("", found.rate), ("_spectrum", found.by_spectrum), ("_peaks", found.by_peaks)):
            self.add(f"breathing_rate{name}", found.time_s, rate, found.quality, flags)
        self._happened(("apnoea", start, end, end - start) for start, end in found.apnoeas_s)

    def _perspiration(self, element_px: int, baseline_s: tuple[float, float] | None) -> None:
        face = self.face
        inside = face.frame.patches["perinasal"].inside
        seconds = np.arange(int(self.time_s[0]), int(self.time_s[-1]) + 1)
        missing = (np.full(inside.shape, np.nan, dtype=np.float32), 0.0)
        patches, weight = zip(*(face.seconds.get(second, missing) for second in seconds.tolist()), strict=True)
        shapes = pd.DataFrame(face.frame.shapes(face.face_px[self.rows]).reshape(len(self.rows), -1))
        sweat = perspiration(
            seconds + 0.5,
            np.stack(patches),
            np.array(weight),
            inside,
            shapes.groupby(self.time_s.astype(int)).mean().reindex(seconds).to_numpy(),
            element_px=element_px,
            baseline_s=baseline_s,
        )
        told = "ok" if sweat.quality >= LEAST_QUALITY else "weak"
        seen = np.isfinite(sweat.level)
        for name, values in (("perspiration", sweat.level), ("perspiration_energy", sweat.energy)):
            self.add(name, sweat.time_s, values, seen * sweat.quality, np.where(seen, told, "missing").tolist())
        self._happened(("perspiration", event.onset_s, event.peak_s, event.rise) for event in sweat.events)
        if told == "weak" and seen.any():
            self.notes.append(
                f"Track {self.track}: perspiration can't be told from noise and motion (quality {sweat.quality:.2f} "
                f"below {LEAST_QUALITY}). Its values are flagged weak, and it has no events. More pixels on the face, "
                "less noise or a stiller head help; a beard hides the pores."
            )
