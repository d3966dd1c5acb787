"""One track's points, and what is measured along them frame by frame."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from jaxtyping import Float

from thermal_landmarks.data.schemes import Scheme
from thermal_landmarks.errors import DataError
from thermal_landmarks.physiology.face_frame import FaceFrame, face16_places
from thermal_landmarks.physiology.nostrils import NostrilCells, trust
from thermal_landmarks.physiology.perspiration import ELEMENT_PX
from thermal_landmarks.physiology.regions import Corner
from thermal_landmarks.physiology.registration import Registration

_STEADY = ("perinasal", "nostril_left", "nostril_right", "nose_tip")
"""Regions that move with the registered base of the nose."""

_REMEMBERED = 300  # frames whose misfit is usual


@dataclass
class Face:
    """One track's points and what was measured along them.

    Attributes:
        points_px: In the tracks' scheme, for each frame of the track; NaN where it isn't seen.
        face_px: The landmarks of `face16` among them.
        confidence: Of the landmarks, their mean.
        flag: Of the tracker.
        rows: Frame number to row.
        frame: The face at rest, with its regions.
        measured: For each signal, one value a frame.
        cells: Temperatures at the base of the nose, a row a frame.
        seconds: Mean perinasal patch of each second and the sum of its weights.
    """

    points_px: Float[np.ndarray, "frame point 2"]
    face_px: Float[np.ndarray, "frame landmark 2"]
    confidence: Float[np.ndarray, " frame"]
    flag: list[str]
    rows: dict[int, int]
    frame: FaceFrame
    measured: dict[str, Float[np.ndarray, " frame"]] = field(default_factory=dict)
    seconds: dict[int, tuple[Float[np.ndarray, "height width"], float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.nostrils, self._registration = NostrilCells(self.frame), Registration(self.frame)
        self.cells = np.full((len(self.rows), len(self.nostrils.offsets)), np.nan, dtype=np.float32)
        self._misfits: list[float] = []

    @classmethod
    def of_track(
        cls,
        rows: pd.DataFrame,
        scheme: Scheme,
        *,
        own: Mapping[str, Sequence[Corner]] | None = None,
        element_px: int = ELEMENT_PX,
    ) -> "Face | None":
        """A track's face from its rows of `tracks.csv`; None: it has no points.

        Args:
            rows: Of the track.
            scheme: Of its points.
            own: Regions of one's own.
            element_px: Of the morphological elements, for which patches have a margin.

        Raises:
            DataError: If a landmark of the scheme is not in the rows.
            ConfigError: If the landmarks don't suffice.
        """
        wide = rows.pivot(index="frame", columns="point", values=["x", "y", "confidence"])
        names = list(scheme.landmark_names)
        missing = [name for name in names if name not in wide["x"].columns]
        if missing:
            raise DataError(f"tracks.csv has no points named {', '.join(missing)}, which scheme '{scheme.name}' has.")
        points = np.stack([wide["x"][names].to_numpy(), wide["y"][names].to_numpy()], axis=-1).astype(float)
        if not np.isfinite(points).all(axis=(1, 2)).any():
            return None
        of_face16, places = face16_places(scheme)
        face_px = points[:, places]
        return cls(
            points,
            face_px,
            wide["confidence"][names].to_numpy().astype(float).mean(axis=1),
            [str(flag) for flag in rows.groupby("frame")["flag"].first()],
            {int(number): row for row, number in enumerate(wide.index)},
            FaceFrame(face_px, of_face16, own=own, margin_px=element_px),
        )

    def sees(self, number: int) -> bool:
        """Whether the track has points in that frame."""
        return number in self.rows and bool(np.isfinite(self.face_px[self.rows[number]]).all())

    def measure(
        self, number: int, time_s: float, values: Float[np.ndarray, "height width"], *, temperatures: bool
    ) -> None:
        """Measure in one frame.

        Args:
            number: Of the frame.
            time_s: Of the frame.
            values: Of the frame.
            temperatures: Whether they are; else nothing is kept for perspiration.
        """
        row = self.rows[number]
        points_px = self.face_px[row]
        shift_px, misfit = self._registration(values, points_px)
        self._keep("misfit", row, misfit)
        self.cells[row] = self.nostrils(values, points_px, shift_px)
        for name in self.frame.patches:
            patch = self.frame.warp(name, values, points_px, shift_px if name in _STEADY else None)
            for statistic, value in self.frame.statistics(name, patch).items():
                self._keep(f"{name}_{statistic}", row, value)
            if name == "perinasal" and temperatures:
                self._add_to_second(int(time_s), patch, misfit)

    def _add_to_second(self, second: int, patch: Float[np.ndarray, "height width"], misfit: float) -> None:
        if not np.isfinite(patch).all():
            return
        if np.isfinite(misfit):
            self._misfits = [*self._misfits[-_REMEMBERED:], misfit]
        weight = float(trust(np.array(misfit), float(np.median(self._misfits)))) if self._misfits else 1.0
        mean, mass = self.seconds.get(second, (np.zeros_like(patch, dtype=np.float32), 0.0))
        self.seconds[second] = (mean + (weight / (mass + weight)) * (patch - mean).astype(np.float32), mass + weight)

    def _keep(self, signal: str, row: int, value: float) -> None:
        if signal not in self.measured:
            self.measured[signal] = np.full(len(self.rows), np.nan)
        self.measured[signal][row] = value
