"""One track's face, and what is measured along its points frame by frame."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float

from thermal_landmarks.data.schemes import Scheme
from thermal_landmarks.physiology.face_frame import STATISTICS, FaceFrame, face16_places
from thermal_landmarks.physiology.nostrils import NostrilCells, trust
from thermal_landmarks.physiology.perspiration import ELEMENT_PX
from thermal_landmarks.physiology.regions import Corner
from thermal_landmarks.physiology.registration import Registration
from thermal_landmarks.physiology.row_store import RowStore
from thermal_landmarks.physiology.track_points import TrackPoints

_ON_NOSE = ("nostril_left", "nostril_right", "nose_tip")
"""Regions that move with the registered base of the nose; `perinasal` moves with the lip."""

_REMEMBERED = 300  # frames whose misfit is usual
_AT_REST = 18_000  # frames, spread evenly, whose median is the face at rest: ten minutes of 30 frames a second


class Face:
    """One track's points and what was measured along them, which lies on the disk.

    Args:
        points: Of the track.
        scheme: Of its points.
        files: Where the measured values go: a folder, and how the names of the files in it begin.
        own: Regions of one's own.
        element_px: Of the morphological elements, for which patches have a margin.
        kept: What `state` gave when the files were left.

    Attributes:
        frame: The face at rest, with its regions.
        names: Of the signals that have a value a frame.
        measured: Their values, a row a frame of the track; rows at the end may be missing.
        cells: Temperatures at the base of the nose, as many rows.

    Raises:
        DataError: If the files lack what `kept` says.
        ConfigError: If the landmarks don't suffice.
    """

    STATE = ("rows", "nose", "lip", "misfits", "patch", "numbers")

    def __init__(
        self,
        points: TrackPoints,
        scheme: Scheme,
        files: Path,
        *,
        own: Mapping[str, Sequence[Corner]] | None = None,
        element_px: int = ELEMENT_PX,
        kept: Mapping[str, np.ndarray] | None = None,
    ) -> None:
        self.points = points
        names, self._places = face16_places(scheme)
        spread = slice(None, None, -(-len(points.frames) // _AT_REST))
        some = self.face_px(spread)
        if not np.isfinite(some).all(axis=(1, 2)).any():
            some = self.face_px(slice(None))
        self.frame = FaceFrame(some, names, own=own, margin_px=element_px)
        self.nostrils = NostrilCells(self.frame)
        self._nose, self._lip = Registration.of_nose(self.frame), Registration.of_lip(self.frame)
        self.names = ["misfit", *(f"{region}_{kind}" for region in self.frame.patches for kind in STATISTICS)]
        self._shape = self.frame.patches["perinasal"].inside.shape
        rows, seconds = (0, 0) if kept is None else kept["rows"].tolist()
        self.measured = RowStore(_beside(files, "regions"), len(self.names), np.float64, kept=rows)
        self.cells = RowStore(_beside(files, "cells"), len(self.nostrils.offsets), kept=rows)
        self._seconds = RowStore(_beside(files, "seconds"), 1 + self._shape[0] * self._shape[1], kept=seconds)
        self._misfits: list[float] = []
        self._first_second: int | None = None
        self._second, self._patch, self._mass = 0, np.zeros(self._shape, np.float32), 0.0
        if kept is not None:
            self._restore(kept)

    def face_px(self, rows: slice | Sequence[int] | np.ndarray) -> Float[np.ndarray, "row landmark 2"]:
        """The landmarks of `face16` in rows of the track."""
        return self.points.points_px[rows][:, self._places].astype(float)

    def seen_px(self, number: int) -> Float[np.ndarray, "landmark 2"] | None:
        """The landmarks of `face16` in a frame; None: it hasn't all of them."""
        row = self.points.row(number)
        if row is None:
            return None
        points_px = self.face_px([row])[0]
        return points_px if np.isfinite(points_px).all() else None

    def measure(
        self, number: int, time_s: float, values: Float[np.ndarray, "height width"], *, temperatures: bool
    ) -> float:
        """Measure in one frame; frames come in their order. Without temperatures nothing is kept for perspiration.

        Returns:
            How surely the face is seen: the mean confidence of its points, or 0.
        """
        row = self.points.row(number)
        if row is None:
            return 0.0
        if self._first_second is None:
            self._first_second = self._second = int(time_s)
        points_px = self.seen_px(number)
        if points_px is None:
            return 0.0
        self.measured.fill(row)
        self.cells.fill(row)
        nose_px, misfit = self._nose(values, points_px)
        lip_px, misfit_of_lip = self._lip(values, points_px)
        shifts_px = {**dict.fromkeys(_ON_NOSE, nose_px), "perinasal": lip_px}
        found = [misfit]
        for name in self.frame.patches:
            patch = self.frame.warp(name, values, points_px, shifts_px.get(name))
            found.extend(self.frame.statistics(name, patch).values())
            if name == "perinasal" and temperatures:
                self._add_to_second(int(time_s), patch, misfit_of_lip)
        self.measured.append(np.array(found))
        self.cells.append(self.nostrils(values, points_px, nose_px))
        return float(self.points.confidence[row])

    def _add_to_second(self, second: int, patch: Float[np.ndarray, "height width"], misfit: float) -> None:
        if not np.isfinite(patch).all():
            return
        if second > self._second:
            self._end_second()
            self._second = second
        if np.isfinite(misfit):
            self._misfits = [*self._misfits[-_REMEMBERED:], misfit]
        weight = float(trust(np.array(misfit), float(np.median(self._misfits)))) if self._misfits else 1.0
        self._mass += weight
        self._patch = self._patch + (weight / self._mass) * (patch - self._patch).astype(np.float32)

    def _end_second(self) -> None:
        if self._mass and self._first_second is not None:
            self._seconds.fill(self._second - self._first_second)
            self._seconds.append(np.append(np.float32(self._mass), self._patch))
        self._patch, self._mass = np.zeros(self._shape, np.float32), 0.0

    def finish(self, rows: int, seconds: int) -> "SecondPatches":
        """Fill up so many rows and seconds, and give the mean perinasal patch of each second."""
        self._end_second()
        self.measured.fill(rows)
        self.cells.fill(rows)
        self._seconds.fill(seconds)
        return SecondPatches(self._seconds, self._shape)

    def state(self) -> dict[str, np.ndarray]:
        """What is needed to go on with the files, which are brought to the disk."""
        for store in (self.measured, self.cells, self._seconds):
            store.flush()
        (nose, of_nose), (lip, of_lip) = self._nose.state, self._lip.state
        first = np.nan if self._first_second is None else float(self._first_second)
        return {
            "rows": np.array([len(self.measured), len(self._seconds)]),
            "nose": np.zeros(0) if nose is None else nose,
            "lip": np.zeros(0) if lip is None else lip,
            "misfits": np.array(self._misfits),
            "patch": self._patch,
            "numbers": np.array([of_nose, of_lip, first, self._second, self._mass]),
        }

    def _restore(self, kept: Mapping[str, np.ndarray]) -> None:
        of_nose, of_lip, first, second, mass = kept["numbers"].tolist()
        for part, seen, mean in ((self._nose, of_nose, kept["nose"]), (self._lip, of_lip, kept["lip"])):
            part.state = (mean if mean.size else None), int(seen)
        self._misfits = kept["misfits"].tolist()
        self._first_second = None if np.isnan(first) else int(first)
        self._second, self._patch, self._mass = int(second), kept["patch"], mass


class SecondPatches:
    """The mean perinasal patch of each second, on the disk, with the weight of each second in front of its patch."""

    def __init__(self, store: RowStore, shape: tuple[int, int]) -> None:
        self._store, self._shape = store, shape
        self.weight = np.nan_to_num(store.column(0).astype(float))

    def __getitem__(self, seconds: slice) -> Float[np.ndarray, "second height width"]:
        return self._store[seconds][:, 1:].reshape(-1, *self._shape)


def _beside(files: Path, what: str) -> Path:
    return files.with_name(f"{files.name}_{what}.bin")
