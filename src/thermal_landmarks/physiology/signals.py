"""All signals of a recording as two tables of pandas: one row a value, one row an event."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from jaxtyping import Float

from thermal_landmarks.data.schemes import Scheme
from thermal_landmarks.data.video.frame import VideoFrame
from thermal_landmarks.errors import DataError
from thermal_landmarks.physiology.breathing import WINDOW_S
from thermal_landmarks.physiology.disturbances import FrameSteps, SteadyGain, jumps, late_frames
from thermal_landmarks.physiology.face import Face
from thermal_landmarks.physiology.kept_measurement import keep_state, kept_state
from thermal_landmarks.physiology.perspiration import ELEMENT_PX, refusal
from thermal_landmarks.physiology.regions import Corner
from thermal_landmarks.physiology.row_store import RowStore
from thermal_landmarks.physiology.track_points import points_of_tracks
from thermal_landmarks.physiology.track_signals import SIGNAL_COLUMNS, Frames, TrackSignals

__all__ = ["EVENT_COLUMNS", "SIGNAL_COLUMNS", "Measurement", "Recording", "measure"]

EVENT_COLUMNS = ("track", "event", "start_s", "end_s", "size")


@dataclass(frozen=True)
class Recording:
    """What was measured in a video; the values lie on the disk, and `tracks` reads one signal at a time."""

    tracks: dict[int, TrackSignals]
    events: pd.DataFrame  # columns `EVENT_COLUMNS`, a row an event
    faces: dict[int, Face]  # each track's points and regions
    # Number of the frame that shows the most faces best, its time and its values
    still: tuple[int, float, Float[np.ndarray, "height width"]]
    seconds: float  # until the last frame
    unit: str  # of the temperatures: `celsius`, or `gray`
    notes: list[str]  # what could not be measured, and why
    _place: TemporaryDirectory[str] | None  # of the values, unless a folder was given

    @property
    def signals(self) -> pd.DataFrame:
        """All signals of all tracks with the columns `SIGNAL_COLUMNS`; of an hour this is a table of gigabytes."""
        return pd.concat(self.tables(), ignore_index=True)

    def tables(self) -> Iterator[pd.DataFrame]:
        """The same, one signal of one track after the other."""
        return (table for track in self.tracks.values() for table in track.tables())


class Measurement:
    """A recording that is being measured, frame by frame, in memory that does not grow with its length.

    Args:
        tracks: Columns frame, time_s, track, point, x, y, confidence, flag; whole or in pieces of whole frames.
        scheme: Of the points.
        regions: More of them, as `physiology.regions.REGIONS`.
        element_px: Diameter of the morphological elements.
        folder: For what is measured, and from which an earlier measurement is gone on with; None: a temporary one.

    Attributes:
        next_frame: Number of the frame that comes next.

    Raises:
        DataError: If there is no track.
        ConfigError: If a setting makes no sense, the scheme lacks the landmarks that are needed, or what an earlier
            measurement has left is damaged.
    """

    def __init__(
        self,
        tracks: pd.DataFrame | Iterable[pd.DataFrame],
        scheme: Scheme,
        *,
        regions: Mapping[str, Sequence[Corner]] | None = None,
        element_px: int = ELEMENT_PX,
        folder: Path | None = None,
    ) -> None:
        self._scheme, self._element_px = scheme, element_px
        self._place = TemporaryDirectory(prefix="signals_") if folder is None else None
        self._folder = Path(self._place.name) if self._place else Path(str(folder))
        self._folder.mkdir(parents=True, exist_ok=True)
        pieces = [tracks] if isinstance(tracks, pd.DataFrame) else tracks
        points = points_of_tracks(pieces, scheme)
        if not points:
            raise DataError("The tracks hold no face with points, so there is nothing to measure.")
        self._steps, self._gain, self._unit, self._most = FrameSteps(), SteadyGain(), "gray", -1.0
        self._still: tuple[int, float, Float[np.ndarray, "height width"]] | None = None
        with kept_state(self._folder) as kept:
            self.next_frame, rows = map(int, kept["frames"]) if kept else (0, 0)
            self._frames = RowStore(self._folder / "frames.bin", 4, np.float64, kept=rows)
            self.faces = {
                track: Face(
                    of_track,
                    scheme,
                    self._folder / f"track{track}",
                    own=regions,
                    element_px=element_px,
                    kept={name: kept[f"{track}/{name}"] for name in Face.STATE} if kept else None,
                )
                for track, of_track in points.items()
            }
            if kept:
                self._restore(kept)

    def add(self, frame: VideoFrame) -> None:
        """Measure in the next frame."""
        self._unit, values = frame.image.unit, frame.image.values
        if self._unit == "gray":
            values = self._gain(values)
        self._frames.append(np.array([frame.index, frame.time_s, *self._steps.step(values)]))
        temperatures = refusal(self._unit) is None
        faces = self.faces.values()
        sure = sum(face.measure(frame.index, frame.time_s, values, temperatures=temperatures) for face in faces)
        if sure > self._most:
            self._still, self._most = (frame.index, frame.time_s, values.copy()), sure
        self.next_frame = frame.index + 1

    def keep(self) -> None:
        """Bring all to the disk, with what is needed to go on from here."""
        self._frames.flush()
        number, time_s, values = self._still or (-1, 0.0, np.zeros((0, 0)))
        last = self._steps.last
        state = {
            "frames": np.array([self.next_frame, len(self._frames)]),
            "last": np.zeros((0, 0)) if last is None else last,
            "still": values,
            "about_still": np.array([number, time_s, self._most]),
            "unit": np.array(self._unit),
            "gain": np.array([self._gain.factor, self._gain.offset]),
            "gray": np.zeros((0, 0)) if self._gain.last is None else self._gain.last,
        }
        for track, face in self.faces.items():
            state |= {f"{track}/{name}": value for name, value in face.state().items()}
        keep_state(self._folder, state)

    def _restore(self, kept: Mapping[str, np.ndarray]) -> None:
        self._steps.last = kept["last"] if kept["last"].size else None
        number, time_s, self._most = kept["about_still"].tolist()
        self._still = (int(number), time_s, kept["still"]) if number >= 0 else None
        self._unit = str(kept["unit"])
        self._gain.factor, self._gain.offset = kept["gain"].tolist()
        self._gain.last = kept["gray"] if kept["gray"].size else None

    def recording(self, *, window_s: float = WINDOW_S, baseline_s: tuple[float, float] | None = None) -> Recording:
        """What was measured in the frames so far; no frame can be added after it.

        Raises:
            DataError: If not one frame of the tracks was in the video.
            ConfigError: If a setting makes no sense.
        """
        measured = {track: face for track, face in self.faces.items() if len(face.measured)}
        if self._still is None or not measured:
            raise DataError(
                "No frame of this video is in the tracks. Give the video that they were made from (source=)."
            )
        numbers, time_s, median, common = (self._frames.column(number) for number in range(4))
        frames = Frames(numbers.astype(int), time_s, jumps(median, common, self._unit), late_frames(time_s))
        tracks = {
            track: TrackSignals(
                track, face, frames, self._unit, self._scheme,
                window_s=window_s, element_px=self._element_px, baseline_s=baseline_s,
            )
            for track, face in measured.items()
        }  # fmt: skip
        events = [event for track in tracks.values() for event in track.events]
        events.extend((-1, "flat_field", at_s, at_s, np.nan) for at_s in time_s[frames.jumped].tolist())
        notes = [note for track in tracks.values() for note in track.notes]
        reason = refusal(self._unit)
        if reason is not None:
            notes.append(f"{reason} Temperatures and breathing are in the recording's own relative units.")
        happened = pd.DataFrame(events, columns=list(EVENT_COLUMNS))
        happened = happened.sort_values(["start_s", "track"], ignore_index=True)
        return Recording(tracks, happened, self.faces, self._still, float(time_s[-1]), self._unit, notes, self._place)


def measure(
    frames: Iterable[VideoFrame],
    tracks: pd.DataFrame | Iterable[pd.DataFrame],
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
        tracks: As of `Measurement`, and the following.
        scheme: Of the points.
        regions: More of them.
        window_s: Of breathing rates.
        element_px: Diameter of the morphological elements.
        baseline_s: A time of rest, for perspiration.
        advance: Called with 1 after each frame.

    Raises:
        DataError: If there is no track, or not one of its frames in the video.
        ConfigError: If a setting makes no sense, or the scheme lacks the landmarks that are needed.
    """
    measurement = Measurement(tracks, scheme, regions=regions, element_px=element_px)
    for frame in frames:
        measurement.add(frame)
        advance(1)
    return measurement.recording(window_s=window_s, baseline_s=baseline_s)
