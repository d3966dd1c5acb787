"""How a head moves in a sequence: slow wandering, quick turns, blinks and talking, each a formula of time.

Wandering is a sum of a few sinusoids; a turn follows the minimum-jerk profile (Flash and Hogan 1985); a lid closes
faster than it opens. Events are drawn one after the other, so that a longer sequence begins like a shorter one.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
from jaxtyping import Float

from thermal_faces.camera.view import View, rotation
from thermal_faces.randomness import Range, rng, uniform
from thermal_faces.ranges.sequence import MotionRanges

_SINUSOIDS = 6
_CLOSING = 0.35  # share of a blink
_SPEECH_EDGE_S = 0.25


class Happening(Protocol):
    """Anything that begins at a time."""

    @property
    def onset_s(self) -> float: ...


Event = TypeVar("Event", bound=Happening)


def latest(events: Sequence[Event], time_s: float) -> Event | None:
    """The last event that has begun, of events in the order of time."""
    begun = bisect_right(events, time_s, key=lambda event: event.onset_s)
    return events[begun - 1] if begun else None


def minimum_jerk(part: float) -> float:
    """From 0 to 1 with speed and acceleration 0 at both ends."""
    t = min(max(part, 0.0), 1.0)
    return t * t * t * (10 + t * (6 * t - 15))


@dataclass(frozen=True)
class Wander:
    """A smooth random function of time: a sum of sinusoids."""

    amplitudes: Float[np.ndarray, " sinusoids"]
    frequencies_hz: Float[np.ndarray, " sinusoids"]
    phases: Float[np.ndarray, " sinusoids"]

    def at(self, time_s: float) -> float:
        angles = 2 * np.pi * self.frequencies_hz * time_s + self.phases
        return float((self.amplitudes * np.sin(angles)).sum())


def draw_wander(generator: np.random.Generator, deviation: Range, band_hz: Range) -> Wander:
    """A wander of that standard deviation whose slow parts are the larger ones."""
    size = uniform(generator, deviation)
    low, high = band_hz
    frequencies = low * (high / low) ** ((np.arange(_SINUSOIDS) + generator.random(_SINUSOIDS)) / _SINUSOIDS)
    amplitudes = (0.5 + generator.random(_SINUSOIDS)) / frequencies
    amplitudes *= size * np.sqrt(2 / (amplitudes * amplitudes).sum())
    return Wander(amplitudes, frequencies, 2 * np.pi * generator.random(_SINUSOIDS))


@dataclass(frozen=True)
class Turn:
    """A quick turn to somewhere and back."""

    onset_s: float
    yaw_deg: float
    pitch_deg: float
    duration_s: float
    hold_s: float

    def share(self, time_s: float) -> float:
        """How far the head has gone: 0 before and after, 1 while it stays."""
        since = (time_s - self.onset_s) / self.duration_s
        return minimum_jerk(since) - minimum_jerk(since - 1 - self.hold_s / self.duration_s)


@dataclass(frozen=True)
class Blink:
    """One closing and opening of the lids."""

    onset_s: float
    duration_s: float

    def closure(self, time_s: float) -> float:
        part = (time_s - self.onset_s) / self.duration_s
        return minimum_jerk(part / _CLOSING) - minimum_jerk((part - _CLOSING) / (1 - _CLOSING))


@dataclass(frozen=True)
class Speech:
    """A time of talking."""

    onset_s: float
    duration_s: float
    mouth_mm: float


@dataclass(frozen=True)
class Motion:
    """Everything that moves in one sequence."""

    wanders: dict[str, Wander]  # of yaw, pitch, roll, x, y and distance
    turns: tuple[Turn, ...]  # quick turns
    blinks: tuple[Blink, ...]  # of both eyes
    speeches: tuple[Speech, ...]  # times of talking
    syllable_hz: float  # openings of the mouth a second of talking
    rhythm: Wander  # irregularity of the syllables, as a phase
    stress: Wander  # irregularity of their openings

    def eye_closure(self, time_s: float) -> float:
        """0: as open as these eyes are, 1: closed."""
        blink = latest(self.blinks, time_s)
        return 0.0 if blink is None else blink.closure(time_s)

    def mouth_mm(self, time_s: float) -> float:
        """Opening of the mouth by talking."""
        speech = latest(self.speeches, time_s)
        if speech is None or time_s >= speech.onset_s + speech.duration_s:
            return 0.0
        since, left = time_s - speech.onset_s, speech.onset_s + speech.duration_s - time_s
        phase = 2 * np.pi * self.syllable_hz * since + self.rhythm.at(time_s)
        stress = min(max(0.7 + self.stress.at(time_s), 0.2), 1.0)
        edges = minimum_jerk(since / _SPEECH_EDGE_S) * minimum_jerk(left / _SPEECH_EDGE_S)
        return float(speech.mouth_mm * stress * edges * (0.5 - 0.5 * np.cos(phase)))

    def lips_mm(self, time_s: float) -> float:
        """Rounding of the lips while the mouth talks."""
        return 0.3 * self.mouth_mm(time_s) * (1 + float(np.tanh(4 * self.stress.at(1.7 * time_s))))

    def view(self, resting: View, time_s: float) -> View:
        """The camera's view of the head at a time, from the one of the head at rest."""
        yaw, pitch, roll = angles_deg(resting.head)
        moved = {name: wander.at(time_s) for name, wander in self.wanders.items()}
        turn = latest(self.turns, time_s)
        if turn is not None:
            share = turn.share(time_s)
            moved["yaw"] += share * turn.yaw_deg
            moved["pitch"] += share * turn.pitch_deg
        distance_mm = resting.distance_mm + moved["distance"]
        scale = resting.focal_px / distance_mm
        centre_px = (resting.centre_px[0] + moved["x"] * scale, resting.centre_px[1] + moved["y"] * scale)
        head = rotation(yaw + moved["yaw"], pitch + moved["pitch"], roll + moved["roll"])
        return View(head, resting.body, distance_mm, resting.focal_px, centre_px)


def angles_deg(head: Float[np.ndarray, "3 3"]) -> tuple[float, float, float]:
    """Yaw, pitch and roll of a rotation made by `camera.rotation`, for a pitch between -90 and 90 degrees."""
    yaw, roll = np.arctan2(-head[2, 0], head[2, 2]), np.arctan2(-head[0, 1], head[1, 1])
    return float(np.degrees(yaw)), float(np.degrees(np.arcsin(np.clip(head[2, 1], -1, 1)))), float(np.degrees(roll))


def draw_motion(seed: int, subject: int, ranges: MotionRanges, seconds: float) -> Motion:
    """The motion of one sequence, with all events that begin before its end."""
    part = {name: rng(seed, subject, "sequence", name) for name in ("wander", "turns", "blinks", "talk")}
    deviations = {
        "yaw": ranges.yaw_deg, "pitch": ranges.pitch_deg, "roll": ranges.roll_deg,
        "x": ranges.shift_mm, "y": ranges.shift_mm, "distance": ranges.approach_mm,
    }  # fmt: skip
    syllable_hz = uniform(part["talk"], ranges.syllable_hz)
    return Motion(
        wanders={name: draw_wander(part["wander"], limits, ranges.wander_hz) for name, limits in deviations.items()},
        turns=tuple(_draw_turns(part["turns"], ranges, seconds)),
        blinks=tuple(_draw_blinks(part["blinks"], ranges, seconds)),
        rhythm=draw_wander(part["talk"], (0.5, 0.5), (0.3, 1.2)),
        stress=draw_wander(part["talk"], (0.2, 0.2), (0.5, 2.5)),
        speeches=tuple(_draw_speeches(part["talk"], ranges, seconds)),
        syllable_hz=syllable_hz,
    )


def _draw_turns(generator: np.random.Generator, ranges: MotionRanges, seconds: float) -> Iterator[Turn]:
    per_min = uniform(generator, ranges.turns_per_min)
    end_s = 0.0
    while per_min > 0:
        onset_s = end_s + 60 / per_min * uniform(generator, (0.4, 1.6))
        side = 1 if generator.random() < 0.5 else -1
        turn = Turn(
            onset_s,
            side * uniform(generator, ranges.turn_yaw_deg),
            *(uniform(generator, limits) for limits in (ranges.turn_pitch_deg, ranges.turn_s, ranges.turn_hold_s)),
        )
        if onset_s >= seconds:
            return
        yield turn
        end_s = onset_s + 2 * turn.duration_s + turn.hold_s


def _draw_blinks(generator: np.random.Generator, ranges: MotionRanges, seconds: float) -> Iterator[Blink]:
    per_min = uniform(generator, ranges.blinks_per_min)
    onset_s = 60 / per_min * (generator.random() - 0.5) if per_min > 0 else seconds
    while onset_s < seconds:
        blink = Blink(onset_s, uniform(generator, ranges.blink_s))
        yield blink
        onset_s += max(60 / per_min * uniform(generator, (0.4, 1.6)), 1.2 * blink.duration_s)


def _draw_speeches(generator: np.random.Generator, ranges: MotionRanges, seconds: float) -> Iterator[Speech]:
    onset_s = uniform(generator, ranges.silence_s) * generator.random()
    while onset_s < seconds:
        speech = Speech(onset_s, uniform(generator, ranges.talk_s), uniform(generator, ranges.talk_mm))
        yield speech
        onset_s += speech.duration_s + uniform(generator, ranges.silence_s)
