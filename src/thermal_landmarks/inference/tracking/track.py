"""One person's face over the frames of a video, as the tracker remembers it."""

from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

import numpy as np
from jaxtyping import Float, Float32

Flag = Literal["ok", "doubtful", "hidden", "lost"]
"""`ok`; `doubtful`: points of little confidence; `hidden`: behind another face; `lost`: not found. The last two have no
points."""


@dataclass(frozen=True)
class TrackedFace:
    """One face in one frame.

    Attributes:
        track: Number of the person's track, from 0 in order of appearance.
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


@dataclass
class Track:
    """What is remembered of a face; plain data, so that a stopped job goes on where it was.

    Attributes:
        number: Of the track.
        points_px: Last landmarks that were seen.
        box_px: Around them.
        angle: In the picture's plane, in radians.
        score: Of the finder, when it last saw the face.
        patch: What the face looks like: its frame in a few pixels, of mean 0 and length 1.
        velocity_px: Of the middle of the box, a frame, smoothed.
        steady_px: Velocity over a longer time, while no other face was near.
        anchor_px: Where the middle of the box was when another face came near.
        crowded: Frames since then; 0: no other face is near.
        missing: Frames since it was seen; 0: it is followed.
        state: `hidden` or `lost` while it is missing.
        unsupported: How often in a row the finder did not see it while it was followed.
        weak: Frames in a row with hardly any confidence.
        sure: Confidence of its landmarks in this frame.
    """

    number: int
    points_px: Float[np.ndarray, "point 2"]
    box_px: Float[np.ndarray, "4"]
    angle: float
    score: float
    patch: Float[np.ndarray, " pixel"]
    velocity_px: Float[np.ndarray, "2"]
    steady_px: Float[np.ndarray, "2"]
    anchor_px: Float[np.ndarray, "2"]
    crowded: int = 0
    missing: int = 0
    state: Flag = "ok"
    unsupported: int = 0
    weak: int = 0
    sure: float = 0.0

    @property
    def middle_px(self) -> Float[np.ndarray, "2"]:
        """Of the box."""
        return (self.box_px[:2] + self.box_px[2:]) / 2

    @property
    def size_px(self) -> float:
        """Side of a square as large as the box."""
        return float(np.sqrt((self.box_px[2:] - self.box_px[:2]).clip(1e-3).prod()))

    @property
    def expected_shift_px(self) -> Float[np.ndarray, "2"]:
        """How far it has moved since it was seen, at its last velocity; the longer ago, the less that says."""
        frames = (1 - _KEPT_VELOCITY ** (self.missing + 1)) / (1 - _KEPT_VELOCITY)
        return self.velocity_px * frames

    @property
    def reckoned_px(self) -> Float[np.ndarray, "2"]:
        """Where the middle of the box would be, had it gone on as it came near other faces."""
        return self.anchor_px + self.crowded * self.steady_px

    def hide(self) -> None:
        """It is behind another face, and goes on there as it came."""
        shift = self.reckoned_px - self.middle_px
        self.points_px = self.points_px + shift
        self.box_px = self.box_px + np.concatenate([shift, shift])
        self.velocity_px = self.steady_px.copy()
        self.lose("hidden")

    def lose(self, state: Flag) -> None:
        """It isn't seen any more."""
        self.missing, self.state = 1, state
        self.unsupported = self.weak = 0

    def plain(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {key: value.tolist() if isinstance(value, np.ndarray) else value for key, value in asdict(self).items()}

    @classmethod
    def from_plain(cls, settings: dict[str, Any]) -> "Track":
        """Of what `plain` has given."""
        values: dict[str, Any] = {}
        for field in fields(cls):
            value = settings[field.name]
            values[field.name] = np.array(value) if isinstance(value, list) else value
        return cls(**values)


_KEPT_VELOCITY = 0.97  # of a missing face, a frame
