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
    """One face in one frame."""

    track: int  # number of the person's track, from 0 in order of appearance; `UNKNOWN` while that is undecided
    points_px: Float32[np.ndarray, "point 2"]  # landmarks in pixels of the frame; NaN where the face is hidden or lost
    confidence: float  # probability that the landmarks are right, as of `Face`; 0 where there are none
    point_confidence: Float32[np.ndarray, " point"]  # of each landmark
    box_px: tuple[float, float, float, float]  # around the face, forehead to chin and ear to ear; NaN without points
    flag: Flag  # how far to trust it

    @classmethod
    def missing(cls, track: int, number: int, flag: Flag) -> "TrackedFace":
        """Of a person whose face, of so many landmarks, isn't seen."""
        nothing = np.full((number, 2), np.nan, dtype=np.float32)
        none = (np.nan, np.nan, np.nan, np.nan)
        return cls(track, nothing, 0.0, np.zeros(number, dtype=np.float32), none, flag)


@dataclass
class Tracklet:
    """A face that is followed without a break, whoever it is."""

    number: int  # of the tracklet
    started: int  # frame in which it was found
    points_px: Float[np.ndarray, "point 2"]  # last landmarks that were seen
    box_px: Float[np.ndarray, "4"]  # around them
    angle: float  # in the picture's plane, in radians
    score: float  # of the finder, when it last saw the face
    held_px: Float[np.ndarray, "point 2"]  # landmarks around which the network looks; they stay while the face is still
    still: int = 0  # frames since then
    # Of the middle of the box, a frame, smoothed
    velocity_px: Float[np.ndarray, "2"] = field(default_factory=lambda: np.zeros(2))
    # Velocity over a longer time, while no other face was near
    steady_px: Float[np.ndarray, "2"] = field(default_factory=lambda: np.zeros(2))
    # Where the middle of the box was when another face came near; None: nowhere yet
    anchor_px: Float[np.ndarray, "2"] = field(default_factory=lambda: np.zeros(2))
    crowded: int = 0  # frames since then; 0: no other face is near
    met: int | None = None  # last frame in which another face was near; None: none ever was
    turned: bool = False  # to the side, so far that the face looks unlike itself
    sights: int = 1  # how often the finder has seen a face there, until it is confirmed
    confirmed: bool = False  # whether it has been seen often enough to be told
    unsupported: int = 0  # how often in a row the finder did not see it
    supported: int = 0  # frame in which the finder last saw it
    weak: int = 0  # frames in a row with hardly any confidence
    sure: float = 0.0  # confidence of its landmarks in this frame
    ended: int | None = None  # last frame in which it was seen; None: it is followed
    state: Flag = "ok"  # `hidden` or `lost` once it has ended
    # From which frame on it is which track, rising; None instead of a track: its points are no one's
    names: list[tuple[int, int | None]] = field(default_factory=list)
    undecided: int | None = None  # frame from which on it is open who it is; None: nothing is open
    doubtful: bool = False  # whether it may be somebody else
    look: Look | None = None  # what it looks like in this frame
    like_itself: float = 1.0  # likeness with its own track in this frame; 1 where that isn't known
    sudden: bool = False  # whether it looks unlike the frame before, as when a camera jumps and the points stay behind
    # What it looks like, of frames in which nothing hides it, since it is undecided
    looks: list[Look] = field(default_factory=list)
    strange: int = 0  # how often in a row it did not look like its track
    # (frame, {track: likeness}) since it is undecided
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
    """A person over all of a video."""

    number: int  # of the track
    views: list[Look]  # what the face looks like from several sides
    holder: int | None  # number of the tracklet that it is now; None: it is missing
    seen: int  # last frame in which it was seen
    box_px: Float[np.ndarray, "4"]  # around the face then; if it went behind another one, where it would be
    velocity_px: Float[np.ndarray, "2"]  # of its middle then, a frame

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
