"""What was measured along one track: its signals one after the other, its events, and what could not be measured."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int

from thermal_landmarks.data.schemes import Scheme
from thermal_landmarks.physiology.disturbances import head_speed, moving
from thermal_landmarks.physiology.events import blinks, eye_opening, mouth_opening, stretches, yawns
from thermal_landmarks.physiology.face import Face
from thermal_landmarks.physiology.long_breathing import long_breathing
from thermal_landmarks.physiology.perspiration import LEAST_QUALITY, perspiration, refusal
from thermal_landmarks.physiology.track_points import FLAGS

SIGNAL_COLUMNS = ("time_s", "track", "signal", "value", "quality", "flag")
_LEAST_SECONDS = 3.0
_LEAST_EYES_PX = 20.0  # of 54 rates that looked right on smaller faces, 35 were (docs/signals.md)
_MARKS = (*FLAGS, "flat_field", "late", "moving")
_AT_ONCE = 4096  # frames


class Frames(NamedTuple):
    """All frames of the video."""

    numbers: Int[np.ndarray, " frame"]
    time_s: Float[np.ndarray, " frame"]
    jumped: Bool[np.ndarray, " frame"]  # the camera stepped
    late: Bool[np.ndarray, " frame"]  # one before is missing


class _Signal(NamedTuple):
    time_s: Float[np.ndarray, " value"]
    value: Float[np.ndarray, " value"]
    quality: Float[np.ndarray, " value"]
    flag: Sequence[str] | np.ndarray | None  # None: those of the frames


class TrackSignals:
    """The signals and events of one track."""

    def __init__(
        self,
        track: int,
        face: Face,
        frames: Frames,
        unit: str,
        scheme: Scheme,
        *,
        window_s: float,
        element_px: int,
        baseline_s: tuple[float, float] | None,
    ) -> None:
        self.track, self.face = track, face
        self.events: list[tuple[object, ...]] = []
        self.notes: list[str] = []
        self._others: dict[str, _Signal] = {}
        points = face.points
        shared = np.intersect1d(points.frames, frames.numbers, assume_unique=True, return_indices=True)
        self._rows, places = shared[1], shared[2]
        self.time_s = frames.time_s[places]
        self._jumps = frames.jumped[places]
        self._sure = points.confidence[self._rows]
        self.first_second = int(self.time_s[0])
        seconds = int(self.time_s[-1]) + 1 - self.first_second
        self._patches = face.finish(int(self._rows[-1]) + 1, seconds)
        speed = head_speed(self.time_s, face.face_px(self._rows), face.frame.size_px)
        self._flags = points.flags[self._rows]
        for mark, where in (("flat_field", self._jumps), ("late", frames.late[places]), ("moving", moving(speed))):
            self._flags[where & (self._flags == _MARKS.index("ok"))] = _MARKS.index(mark)
        self._each_frame("head_motion", speed)
        self._happened(stretches("head_motion", self.time_s, speed, moving(speed), lasting_s=(0.2, np.inf)))
        self._mouth_and_eyes(scheme)
        lasting = self.time_s[-1] - self.time_s[0]
        if lasting < _LEAST_SECONDS:
            self.notes.append(f"Track {track}: {lasting:.1f} s are too short for breathing and perspiration.")
            return
        self._breathing(window_s)
        if refusal(unit) is None:
            self._perspiration(seconds, element_px, baseline_s)

    @property
    def names(self) -> list[str]:
        """Of all signals."""
        return [*self.face.names, *self._others]

    def table(self, name: str) -> pd.DataFrame:
        """One signal with the columns `SIGNAL_COLUMNS`."""
        if name in self._others:
            signal = self._others[name]
        else:
            values = self.face.measured.column(self.face.names.index(name))[self._rows]
            signal = _Signal(self.time_s, values, self._sure, None)
        flag = np.array(_MARKS, dtype=object)[self._flags] if signal.flag is None else signal.flag
        cells = (signal.time_s, self.track, name, signal.value, signal.quality, flag)
        return pd.DataFrame(dict(zip(SIGNAL_COLUMNS, cells, strict=True)))

    def tables(self) -> Iterator[pd.DataFrame]:
        """All signals, one after the other."""
        return map(self.table, self.names)

    def _each_frame(self, name: str, values: Float[np.ndarray, " frame"]) -> None:
        self._others[name] = _Signal(self.time_s, values, self._sure, None)

    def _happened(self, events: Iterable[tuple[object, ...]]) -> None:
        self.events.extend((self.track, *event) for event in events)

    def _mouth_and_eyes(self, scheme: Scheme) -> None:
        points_px = self.face.points.points_px[self._rows]
        opening = mouth_opening(points_px, scheme)
        if opening is not None:
            self._each_frame("mouth_opening", opening)
            self._happened(yawns(self.time_s, opening))
        eyes = eye_opening(points_px, scheme)
        if eyes is not None:
            self._each_frame("eye_opening", eyes)
            self._happened(blinks(self.time_s, eyes))

    def _breathing(self, window_s: float) -> None:
        face, rows = self.face, self._rows
        found = long_breathing(
            self.time_s,
            lambda some: face.cells[rows[some][0] : rows[some][-1] + 1][rows[some] - rows[some][0]],
            face.measured.column(face.names.index("misfit"))[rows],
            face.nostrils.offsets,
            jumps=self._jumps,
            window_s=window_s,
        )
        self._each_frame("breathing", found.waveform)
        flags = found.flag
        if face.frame.eyes_px < _LEAST_EYES_PX:
            flags = ["weak" if flag == "ok" else flag for flag in flags]
            self.notes.append(
                f"Track {self.track}: the outer corners of its eyes are {face.frame.eyes_px:.0f} pixels apart, too few "
                "for breathing rates that can be believed, so none is flagged ok. Film from nearer: 27 pixels or more."
            )
        for name, rate in (("", found.rate), ("_spectrum", found.by_spectrum), ("_peaks", found.by_peaks)):
            self._others[f"breathing_rate{name}"] = _Signal(found.time_s, rate, found.quality, flags)
        self._happened(("apnoea", start, end, end - start) for start, end in found.apnoeas_s)

    def _perspiration(self, seconds: int, element_px: int, baseline_s: tuple[float, float] | None) -> None:
        sweat = perspiration(
            self.first_second + np.arange(seconds) + 0.5,
            self._patches,
            self._patches.weight,
            self.face.frame.patches["perinasal"].inside,
            self._shapes(seconds),
            element_px=element_px,
            baseline_s=baseline_s,
        )
        told = "ok" if sweat.quality >= LEAST_QUALITY else "weak"
        seen = np.isfinite(sweat.level)
        flags = np.where(seen, told, "missing")
        for name, values in (("perspiration", sweat.level), ("perspiration_energy", sweat.energy)):
            self._others[name] = _Signal(sweat.time_s, values, seen * sweat.quality, flags)
        self._happened(("perspiration", event.onset_s, event.peak_s, event.rise) for event in sweat.events)
        if told == "weak" and seen.any():
            self.notes.append(
                f"Track {self.track}: perspiration can't be told from noise and motion (quality {sweat.quality:.2f} "
                f"below {LEAST_QUALITY}). Its values are flagged weak, and it has no events. More pixels on the face, "
                "less noise or a stiller head help; a beard hides the pores."
            )

    def _shapes(self, seconds: int) -> Float[np.ndarray, "second coordinate"]:
        """The face's mean shape in each second; NaN where it isn't seen."""
        total, number = np.zeros((seconds, 2 * len(self.face.frame.names))), np.zeros((seconds, 1))
        of_second = np.maximum(self.time_s.astype(int) - self.first_second, 0)
        for start in range(0, len(self._rows), _AT_ONCE):
            some = slice(start, start + _AT_ONCE)
            shapes = self.face.frame.shapes(self.face.face_px(self._rows[some])).reshape(-1, total.shape[1])
            seen = np.isfinite(shapes).all(axis=1)
            np.add.at(total, of_second[some][seen], shapes[seen])
            np.add.at(number, of_second[some][seen], 1)
        return np.divide(total, number, out=np.full(total.shape, np.nan), where=number > 0)
