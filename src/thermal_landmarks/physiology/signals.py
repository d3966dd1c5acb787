"""All signals of a recording as two tables of pandas: one row a value, one row an event."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from jaxtyping import Float

from thermal_landmarks.data.schemes import SCHEMES, Scheme
from thermal_landmarks.data.video.frame import VideoFrame
from thermal_landmarks.errors import DataError
from thermal_landmarks.physiology.breathing import WINDOW_S, breathing
from thermal_landmarks.physiology.disturbances import FrameSteps, late_frames
from thermal_landmarks.physiology.events import blinks, eye_opening, mouth_opening, yawns
from thermal_landmarks.physiology.perspiration import ELEMENT_PX, perspiration, pore_energy, refusal
from thermal_landmarks.physiology.regions import FaceFrame

SIGNAL_COLUMNS = ("time_s", "track", "signal", "value", "quality", "flag")
EVENT_COLUMNS = ("track", "event", "start_s", "end_s", "size")
_LEAST_SECONDS = 3.0


@dataclass
class Face:
    """One track's points and what was measured along them.

    Attributes:
        points_px: In the tracks' scheme, for each frame of the track; NaN where it isn't seen.
        face16_px: The same as `face16`.
        confidence: Of the landmarks, their mean.
        flag: Of the tracker.
        rows: Frame number to row.
        frame: The face at rest, with its regions.
        measured: For each signal, one value a frame.
    """

    points_px: Float[np.ndarray, "frame point 2"]
    face16_px: Float[np.ndarray, "frame 16 2"]
    confidence: Float[np.ndarray, " frame"]
    flag: list[str]
    rows: dict[int, int]
    frame: FaceFrame
    measured: dict[str, Float[np.ndarray, " frame"]] = field(default_factory=dict)


@dataclass(frozen=True)
class Recording:
    """What was measured in a video.

    Attributes:
        signals: Columns `SIGNAL_COLUMNS`, a row a value.
        events: Columns `EVENT_COLUMNS`, a row an event.
        faces: Each track's points and regions.
        still: Number of the frame that shows the most faces best, its time and its values.
        unit: Of the temperatures: `celsius`, or `gray`.
        notes: What could not be measured, and why.
    """

    signals: pd.DataFrame
    events: pd.DataFrame
    faces: dict[int, Face]
    still: tuple[int, float, Float[np.ndarray, "height width"]]
    unit: str
    notes: list[str]


def measure(
    frames: Iterable[VideoFrame],
    tracks: pd.DataFrame,
    scheme: Scheme,
    *,
    regions: Mapping[str, Sequence[Sequence[object]]] | None = None,
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
        advance: Called with the number of each frame that is done.

    Raises:
        DataError: If there is no track, or not one of its frames in the video.
        ConfigError: If a setting makes no sense, or the scheme lacks landmarks of `face16`.
    """
    of_tracks = {int(track): _face(tracks[tracks["track"] == track], scheme, regions) for track in set(tracks["track"])}
    faces = {track: face for track, face in sorted(of_tracks.items()) if face is not None}
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
            row = face.rows.get(frame.index)
            if row is not None and np.isfinite(face.face16_px[row]).all():
                _measure_frame(face, row, frame, element_px)
                sure += float(face.confidence[row])
        if sure > most:
            still, most = (frame.index, frame.time_s, frame.image.values.copy()), sure
        advance(frame.index)
    if still is None or not any(face.measured for face in faces.values()):
        raise DataError("No frame of this video is in the tracks. Give the video that they were made from (source=).")
    numbers = np.array(sorted(times))
    time_s = np.array([times[number] for number in numbers])
    jumped = set(numbers[steps.jumps(unit)])
    late = set(numbers[late_frames(time_s)])
    signals: list[pd.DataFrame] = []
    events: list[tuple[object, ...]] = []
    notes: list[str] = []
    for track, face in faces.items():
        if not face.measured:
            continue
        _signals_of(track, face, times, jumped, late, scheme, unit, window_s, baseline_s, signals, events, notes)
    for number in sorted(jumped):
        events.append((-1, "flat_field", times[number], times[number], np.nan))
    reason = refusal(unit)
    if reason is not None:
        notes.append(f"{reason} Temperatures and breathing are in the recording's own relative units.")
    table = pd.concat(signals, ignore_index=True)
    happened = pd.DataFrame(events, columns=list(EVENT_COLUMNS)).sort_values(["start_s", "track"], ignore_index=True)
    return Recording(table, happened, faces, still, unit, notes)


def _face(rows: pd.DataFrame, scheme: Scheme, regions: Mapping[str, Sequence[Sequence[object]]] | None) -> Face | None:
    to_face16 = scheme.index_map(SCHEMES["face16"])
    wide = rows.pivot(index="frame", columns="point", values=["x", "y", "confidence"])
    missing = [name for name in scheme.landmark_names if name not in wide["x"].columns]
    if missing:
        raise DataError(f"tracks.csv has no points named {', '.join(missing)}, which scheme '{scheme.name}' has.")
    names = list(scheme.landmark_names)
    points = np.stack([wide["x"][names].to_numpy(), wide["y"][names].to_numpy()], axis=-1).astype(float)
    if not np.isfinite(points).all(axis=(1, 2)).any():
        return None
    flags = rows.groupby("frame")["flag"].first()
    return Face(
        points,
        points[:, to_face16],
        wide["confidence"][names].to_numpy().astype(float).mean(axis=1),
        [str(flag) for flag in flags],
        {int(number): row for row, number in enumerate(wide.index)},
        FaceFrame(points[:, to_face16], regions),
    )


def _measure_frame(face: Face, row: int, frame: VideoFrame, element_px: int) -> None:
    measurable = refusal(frame.image.unit) is None
    for name, patch in face.frame.patches.items():
        values = face.frame.warp(name, frame.image.values, face.face16_px[row])
        for statistic, value in face.frame.statistics(name, values).items():
            _keep(face, f"{name}_{statistic}", row, value)
        if name == "perinasal" and measurable:
            _keep(face, "pore_energy", row, pore_energy(values, patch.inside, element_px))


def _keep(face: Face, signal: str, row: int, value: float) -> None:
    if signal not in face.measured:
        face.measured[signal] = np.full(len(face.rows), np.nan)
    face.measured[signal][row] = value


def _signals_of(
    track: int,
    face: Face,
    times: dict[int, float],
    jumped: set[int],
    late: set[int],
    scheme: Scheme,
    unit: str,
    window_s: float,
    baseline_s: tuple[float, float] | None,
    signals: list[pd.DataFrame],
    events: list[tuple[object, ...]],
    notes: list[str],
) -> None:
    numbers = np.array([number for number in face.rows if number in times])
    rows = np.array([face.rows[number] for number in numbers])
    time_s = np.array([times[number] for number in numbers])
    flags = [
        face.flag[row] if face.flag[row] != "ok" else "flat_field" if n in jumped else "late" if n in late else "ok"
        for n, row in zip(numbers, rows, strict=True)
    ]
    sure = face.confidence[rows]

    def add(name: str, at_s: np.ndarray, value: np.ndarray, quality: np.ndarray, flag: Sequence[str]) -> None:
        columns = dict(zip(SIGNAL_COLUMNS, (at_s, track, name, value, quality, flag), strict=True))
        signals.append(pd.DataFrame(columns))

    for name, values in face.measured.items():
        add(name, time_s, values[rows], sure, flags)
    opening = mouth_opening(face.points_px[rows], scheme)
    if opening is not None:
        add("mouth_opening", time_s, opening, sure, flags)
        events.extend((track, *event) for event in yawns(time_s, opening))
    eyes = eye_opening(face.points_px[rows], scheme)
    if eyes is not None:
        add("eye_opening", time_s, eyes, sure, flags)
        events.extend((track, *event) for event in blinks(time_s, eyes))
    if time_s[-1] - time_s[0] < _LEAST_SECONDS:
        notes.append(f"Track {track}: {time_s[-1] - time_s[0]:.1f} s are too short for breathing and perspiration.")
        return
    nostrils = np.mean([face.measured[f"nostril_{side}_mean"][rows] for side in ("left", "right")], axis=0)
    breath = breathing(time_s, nostrils, jumps=np.array([n in jumped for n in numbers]), window_s=window_s)
    add("breathing", time_s, breath.waveform, sure, flags)
    for name, rate in (("", breath.rate), ("_spectrum", breath.by_spectrum), ("_peaks", breath.by_peaks)):
        add(f"breathing_rate{name}", breath.time_s, rate, breath.quality, breath.flag)
    events.extend((track, "apnoea", start, end, end - start) for start, end in breath.apnoeas_s)
    if refusal(unit) is None:
        sweat = perspiration(time_s, face.measured["pore_energy"][rows], baseline_s=baseline_s)
        seen = np.isfinite(sweat.level)
        add("perspiration", sweat.time_s, sweat.level, seen.astype(float), np.where(seen, "ok", "missing").tolist())
        events.extend((track, "perspiration", e.onset_s, e.peak_s, e.rise) for e in sweat.events)
