"""A face in a frame, a face followed without a break (a tracklet), and a person over all of a video (a track)."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from jaxtyping import Float, Float32

from thermal_landmarks.inference.tracking.appearance import Look

Flag = Literal["ok", "doubtful", "hidden", "lost"]
"""`ok`; `doubtful`: points of little confidence, or a person who may be another; `hidden`: behind another face; `lost`:
not found. The last two have no points."""

UNKNOWN = -1
"""Number of a face of which it isn't decided yet who it is."""

_KEPT_VELOCITY = 0.97  # of a missing face, a frame


@dataclass(frozen=True)
class TrackedFace:
    """One face in one frame.

    Attributes:
        track: Number of the person's track, from 0 in order of appearance; `UNKNOWN` while that is undecided.
        points_px: Landmarks in pixels of the frame; NaN where the face is hidden or lost.
        confidence: Probability that the landmarks are right, as of `Face`; 0 where there are none.
        point_confidence: Of each landmark.
        box_px: Around the face, forehead to chin and ear to ear; NaN without points.
        flag: How far to trust it.
    """

    track: int
    points_px: Float32[np.ndarray, "point 2"]
    confidence: float
    point_confidence: Float32[np.ndarray, " point"]
    box_px: tuple[float, float, float, float]
    flag: Flag

    @classmethod
    def missing(cls, track: int, number: int, flag: Flag) -> "TrackedFace":
        """Of a person whose face, of so many landmarks, isn't seen."""
        nothing = np.full((number, 2), np.nan, dtype=np.float32)
        none = (np.nan, np.nan, np.nan, np.nan)
        return cls(track, nothing, 0.0, np.zeros(number, dtype=np.float32), none, flag)


@dataclass
class Tracklet:
    """A face that is followed without a break, whoever it is.

    Attributes:
        number: Of the tracklet.
        started: Frame in which it was found.
        points_px: Last landmarks that were seen.
        box_px: Around them.
        angle: In the picture's plane, in radians.
        score: Of the finder, when it last saw the face.
        held_px: Landmarks around which the network looks; they stay while the face is still.
        still: Frames since then.
        velocity_px: Of the middle of the box, a frame, smoothed.
        steady_px: Velocity over a longer time, while no other face was near.
        anchor_px: Where the middle of the box was when another face came near; None: nowhere yet.
        crowded: Frames since then; 0: no other face is near.
        sights: How often the finder has seen a face there, until it is confirmed.
        confirmed: Whether it has been seen often enough to be told.
        unsupported: How often in a row the finder did not see it.
        supported: Frame in which the finder last saw it.
        weak: Frames in a row with hardly any confidence.
        sure: Confidence of its landmarks in this frame.
        ended: Last frame in which it was seen; None: it is followed.
        state: `hidden` or `lost` once it has ended.
        names: From which frame on it is which track, rising; None instead of a track: its points are no one's.
        undecided: Frame from which on it is open who it is; None: nothing is open.
        doubtful: Whether it may be somebody else.
        looks: What it looks like, of frames in which nothing hides it, since it is undecided.
        strange: How often in a row it did not look like its track.
        likeness: (frame, {track: likeness}) since it is undecided.
    """

    number: int
    started: int
    points_px: Float[np.ndarray, "point 2"]
    box_px: Float[np.ndarray, "4"]
    angle: float
    score: float
    held_px: Float[np.ndarray, "point 2"]
    velocity_px: Float[np.ndarray, "2"] = field(default_factory=lambda: np.zeros(2))
    steady_px: Float[np.ndarray, "2"] = field(default_factory=lambda: np.zeros(2))
    anchor_px: Float[np.ndarray, "2"] = field(default_factory=lambda: np.zeros(2))
    still: int = 0
    crowded: int = 0
    sights: int = 1
    confirmed: bool = False
    unsupported: int = 0
    supported: int = 0
    weak: int = 0
    sure: float = 0.0
    ended: int | None = None
    state: Flag = "ok"
    names: list[tuple[int, int | None]] = field(default_factory=list)
    undecided: int | None = None
    doubtful: bool = False
    looks: list[Look] = field(default_factory=list)
    strange: int = 0
    likeness: list[tuple[int, dict[str, float]]] = field(default_factory=list)

    @property
    def middle_px(self) -> Float[np.ndarray, "2"]:
        """Of the box."""
        return middle_of(self.box_px)

    @property
    def size_px(self) -> float:
        """Side of a square as large as the box."""
        return size_of(self.box_px)

    @property
    def reckoned_px(self) -> Float[np.ndarray, "2"]:
        """Where the middle of the box would be, had it gone on as it came near other faces."""
        return self.anchor_px + self.crowded * self.steady_px

    @property
    def track(self) -> int | None:
        """Who it is, as far as that is known now."""
        return self.names[-1][1] if self.names else None

    def track_at(self, frame: int) -> int | None:
        """Who it was in a frame; None: no one, or not known."""
        known = [track for start, track in self.names if start <= frame]
        return known[-1] if known else None

    def open(self, frame: int) -> None:
        """From a frame on it may be somebody else than it was."""
        if self.undecided is None:
            self.undecided = frame
            self.looks, self.likeness, self.strange = [], [], 0


@dataclass
class Track:
    """A person over all of a video.

    Attributes:
        number: Of the track.
        views: What the face looks like from several sides.
        holder: Number of the tracklet that it is now; None: it is missing.
        seen: Last frame in which it was seen.
        box_px: Around the face then; if it went behind another one, where it would be.
        velocity_px: Of its middle then, a frame.
    """

    number: int
    views: list[Look]
    holder: int | None
    seen: int
    box_px: Float[np.ndarray, "4"]
    velocity_px: Float[np.ndarray, "2"]

    @property
    def size_px(self) -> float:
        """Side of a square as large as the box."""
        return size_of(self.box_px)

    def expected_px(self, frame: int) -> Float[np.ndarray, "2"]:
        """Where the middle of the box is by now, at its last velocity; the longer ago, the less that says."""
        frames = (1 - _KEPT_VELOCITY ** (max(0, frame - self.seen) + 1)) / (1 - _KEPT_VELOCITY)
        return middle_of(self.box_px) + self.velocity_px * frames


def middle_of(box_px: Float[np.ndarray, "4"]) -> Float[np.ndarray, "2"]:
    """Of a box."""
    middle: np.ndarray = (box_px[:2] + box_px[2:]) / 2
    return middle


def size_of(box_px: Float[np.ndarray, "4"]) -> float:
    """Side of a square as large as a box."""
    return float(np.sqrt((box_px[2:] - box_px[:2]).clip(1e-3).prod()))
