"""Rendered video of one person: frames, points and the true signals behind them.

Person, room and camera are those of the subject's first still image in `SyntheticFaces`; head, lids, mouth, breath and
perspiration follow formulas of time, and only the camera's temporal noise is new in each frame. So any frame can be
rendered without the ones before it.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, is_dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from thermal_faces.camera.sensor import record
from thermal_faces.errors import ConfigError
from thermal_faces.faces import RENDERER_VERSION, SyntheticFaces
from thermal_faces.person import FrameState
from thermal_faces.portrait import Portrait, head_vertices_mm
from thermal_faces.randomness import rng, uniform
from thermal_faces.ranges import PoseRanges, known_settings, settings_from
from thermal_faces.ranges.sequence import SEQUENCE_POSE, MotionRanges, PhysiologyRanges
from thermal_faces.video.motion import angles_deg, draw_motion
from thermal_faces.video.physiology import draw_breathing, draw_perspiration

SIGNALS = (
    "breathing", "breaths_per_min", "nostril_c", "lip_warming_k", "perspiration", "active_pores", "pore_depth_k",
    "eye_opening", "mouth_mm", "yaw_deg", "pitch_deg", "roll_deg", "x_px", "y_px", "distance_mm",
)  # fmt: skip
"""What `SequenceFrame.signals` holds."""


@dataclass(frozen=True)
class SequenceFrame:
    """One frame and the truth about it."""

    index: int  # number of the frame, from 0
    time_s: float  # from the first frame
    temperature_c: Float[np.ndarray, "height width"]  # float32 (height, width), degrees Celsius
    points_px: Float[np.ndarray, "16 2"]  # the `face16` landmarks in pixels
    visible: Bool[np.ndarray, " 16"]  # which of them can be seen
    # `breathing` (flow of air: 1 at the height of an inhalation, negative while it flows out), `breaths_per_min` (of
    # this breath; 0 in a pause), `nostril_c`, `lip_warming_k` (of the skin below the nostrils), `perspiration` (0 to
    # 1), `active_pores`, `pore_depth_k` (their mean), `eye_opening`, `mouth_mm` (opening), and the head's pose:
    # `yaw_deg`, `pitch_deg`, `roll_deg`, `x_px` and `y_px` (of its origin between the ears), `distance_mm`
    signals: dict[str, float]


class SyntheticSequence:
    """A video of one rendered face; `sequence[k]` is frame k, and `for frame in sequence` gives all in order.

    A frame depends on seed, subject, rate and its number alone: a longer sequence begins like a shorter one. Settings
    give what differs from the defaults of `MotionRanges`, `PhysiologyRanges` and, for the pose around which the head
    moves, `SEQUENCE_POSE`; `faces` are the other groups of `SyntheticFaces`, as is `markers`.

    Raises:
        ConfigError: If a setting isn't known or makes no sense.
    """

    scheme = SyntheticFaces.scheme

    def __init__(
        self,
        *,
        seed: int = 0,
        subject: int = 0,
        seconds: float = 20.0,
        rate_hz: float = 30.0,
        size: tuple[int, int] = (480, 640),
        motion: MotionRanges | Mapping[str, Any] | None = None,
        physiology: PhysiologyRanges | Mapping[str, Any] | None = None,
        pose: PoseRanges | Mapping[str, Any] | None = None,
        markers: bool = False,
        **faces: Any,
    ) -> None:
        if seconds <= 0 or rate_hz <= 0:
            raise ConfigError(f"seconds={seconds} and rate_hz={rate_hz} should be above 0.")
        if not isinstance(pose, PoseRanges):
            pose = {**asdict(SEQUENCE_POSE), **(pose or {})}
        self.seed, self.subject = seed, subject
        self.seconds, self.rate_hz = float(seconds), float(rate_hz)
        self.motion_ranges = settings_from(MotionRanges, motion, "motion")
        self.physiology_ranges = settings_from(PhysiologyRanges, physiology, "physiology")
        self.faces = SyntheticFaces(
            subjects=subject + 1, images_per_subject=1, size=size, seed=seed, pose=pose, markers=markers, **faces
        )
        self.motion = draw_motion(seed, subject, self.motion_ranges, self.seconds)
        self.breathing = draw_breathing(seed, subject, self.physiology_ranges, self.seconds)
        self.perspiration = draw_perspiration(seed, subject, self.physiology_ranges, self.seconds)
        resting = self.faces.portrait(subject, 0)
        opening = uniform(rng(seed, subject, "sequence", "eyes"), self.faces.expression.eye_opening)
        self._resting = replace(
            resting, frame_state=replace(resting.frame_state, expression_mm={}, eye_opening=opening)
        )

    def __len__(self) -> int:
        return max(round(self.seconds * self.rate_hz), 1)

    def __iter__(self) -> Iterator[SequenceFrame]:
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index: int) -> SequenceFrame:
        if not 0 <= index < len(self):
            raise IndexError(f"Frame {index} of a sequence of {len(self)}.")
        portrait = self.portrait(index)
        points_px, visible = portrait.landmarks()
        height, width = self.faces.size
        inside = (points_px >= -0.5).all(axis=1) & (points_px <= np.array([width, height]) - 0.5).all(axis=1)
        return SequenceFrame(
            index=index,
            time_s=index / self.rate_hz,
            temperature_c=self._record(portrait, index),
            points_px=points_px,
            visible=visible & inside,
            signals=self.signals(index),
        )

    def portrait(self, index: int) -> Portrait:
        """How the person is seen in one frame."""
        time_s = index / self.rate_hz
        frame_state = self._frame_state(time_s)
        vertices = head_vertices_mm(self._resting.person, frame_state)
        view = self.motion.view(self._resting.view, time_s)
        return replace(self._resting, frame_state=frame_state, vertices_mm=vertices, view=view)

    def signals(self, index: int) -> dict[str, float]:
        """The true signals of one frame, without rendering it: see `SequenceFrame`."""
        time_s = index / self.rate_hz
        person, frame_state = self._resting.person, self._frame_state(time_s)
        view = self.motion.view(self._resting.view, time_s)
        openness = person.pores.openness(frame_state.perspiration)
        depths_k = (person.pores.depth_k * openness)[openness > 0]
        values = (
            self.breathing.flow(time_s),
            self.breathing.rate_per_min(time_s),
            person.forehead_c + frame_state.drift_k + frame_state.nostril_k,
            frame_state.breath_k,
            frame_state.perspiration,
            float(len(depths_k)),
            float(depths_k.mean()) if len(depths_k) else 0.0,
            frame_state.eye_opening,
            frame_state.expression_mm["mouth_open"],
            *angles_deg(view.head),
            *view.centre_px,
            view.distance_mm,
        )
        return dict(zip(SIGNALS, values, strict=True))

    def events(self) -> dict[str, list[dict[str, float]]]:
        """Everything that happens at a time, with its `onset_s` from the first frame."""
        happenings: dict[str, tuple[Any, ...]] = {
            "perspiration": self.perspiration.events,
            "breaths": self.breathing.breaths,
            "blinks": self.motion.blinks,
            "turns": self.motion.turns,
            "speeches": self.motion.speeches,
        }
        return {kind: [asdict(event) for event in events] for kind, events in happenings.items()}

    def constants(self) -> dict[str, float]:
        """What was drawn once for this sequence and stands behind its signals."""
        breathing = {name: getattr(self.breathing, name) for name in ("nostril_k", "swing_k", "lag_s", "lip_share")}
        return {
            **breathing,
            "resting_perspiration": self.perspiration.resting,
            "pores": float(len(self._resting.person.pores.x_mm)),
            "syllable_hz": self.motion.syllable_hz,
        }

    def settings(self) -> dict[str, Any]:
        """All settings that were drawn from."""
        return {
            "seed": self.seed,
            "subject": self.subject,
            "seconds": self.seconds,
            "rate_hz": self.rate_hz,
            "size": list(self.faces.size),
            "motion": asdict(self.motion_ranges),
            "physiology": asdict(self.physiology_ranges),
            "faces": {name: _plain(value) for name, value in vars(self.faces).items()},
        }

    def fingerprint(self) -> str:
        """Hash of all settings and of the renderer's version."""
        text = json.dumps({"renderer": RENDERER_VERSION, **self.settings()}, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def _frame_state(self, time_s: float) -> FrameState:
        warming_k = self.breathing.warming_k(time_s)
        frame_state = self._resting.frame_state
        return replace(
            frame_state,
            expression_mm={"mouth_open": self.motion.mouth_mm(time_s), "pucker": self.motion.lips_mm(time_s)},
            eye_opening=frame_state.eye_opening * (1 - self.motion.eye_closure(time_s)),
            nostril_k=self.breathing.nostril_k + warming_k,
            breath_k=self.breathing.lip_share * warming_k,
            mask_k=self.breathing.mask_k(time_s),
            perspiration=self.perspiration.level(time_s),
        )

    @cached_property
    def _room(self) -> tuple[float, Float[np.ndarray, "height width"]]:
        return self.faces.empty_room(self.subject, 0)

    def _record(self, portrait: Portrait, index: int) -> Float[np.ndarray, "height width"]:
        ambient_c, room = self._room
        image = room.copy()
        portrait.draw_over(image, ambient_c, markers=self.faces.markers)
        camera = rng(self.seed, self.subject, 0, "sensor")
        temporal = rng(self.seed, self.subject, "sequence", "noise", index)
        return record(camera, self.faces.sensor, image, ambient_c, temporal=temporal)


def _plain(value: Any) -> Any:
    return known_settings(value) if is_dataclass(value) and not isinstance(value, type) else value
