"""Whether an exported file says what the network says, in pixels, and how long both take."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch

from thermal_landmarks.data.annotation import ThermalImage
from thermal_landmarks.errors import DataError
from thermal_landmarks.inference.face import MIN_SCORE, Face
from thermal_landmarks.inference.predictor import Predictor
from thermal_landmarks.models.face_decoding import box_overlap

SAME_FACE = 0.7  # of two boxes: intersection over union
RUNS = 7


class Finds(Protocol):
    """An exported file, whichever runs it."""

    def faces(self, image: ThermalImage, *, min_score: float) -> list[Face]:
        """Every face, the surest first."""


@dataclass(frozen=True)
class Parity:
    """What two ways of finding faces differ by.

    Attributes:
        frames: Compared.
        faces: That both have found.
        unmatched: That one of them has found alone.
        median_px: Over faces, of the mean distance of their landmarks.
        largest_px: Of the same.
        largest_confidence: Difference of a face's confidence.
    """

    frames: int
    faces: int
    unmatched: int
    median_px: float
    largest_px: float
    largest_confidence: float

    def require(self, largest_px: float, where: Path) -> None:
        """Refuse a file that differs by more.

        Raises:
            DataError: Naming the file, the difference and the bound.
        """
        if not self.faces:
            raise DataError(f"{where}: not one face in {self.frames} frames to compare. Give frames=FOLDER with faces.")
        if self.largest_px > largest_px or self.unmatched > 0.2 * self.faces:
            raise DataError(
                f"{where} differs from the network: landmarks of a face by {self.largest_px:.3g} pixels (bound "
                f"{largest_px:g}), {self.unmatched} of {self.faces + self.unmatched} faces found by one alone. It is "
                "no faithful copy; set tolerance_px= higher only if you can do with that."
            )


def compare(exported: Finds, predictor: Predictor, frames: Sequence[ThermalImage]) -> Parity:
    """The faces that either takes for faces; where nothing is, looks lead anywhere by the last digit."""
    distances, confidences, unmatched = [], [], 0
    for frame in frames:
        ours, theirs = predictor.faces(frame, min_score=0.0, whole_image=False), exported.faces(frame, min_score=0.0)
        boxes = [np.array([face.box_px for face in faces]).reshape(-1, 4) for faces in (ours, theirs)]
        same = box_overlap(*boxes) > SAME_FACE
        unmatched += sum(face.score >= MIN_SCORE and not same[row].any() for row, face in enumerate(ours))
        unmatched += sum(face.score >= MIN_SCORE and not same[:, row].any() for row, face in enumerate(theirs))
        for row, column in np.argwhere(same):
            if ours[row].score >= MIN_SCORE:
                distance = np.linalg.norm(ours[row].points_px - theirs[column].points_px, axis=1).mean()
                distances.append(float(distance))
                confidences.append(abs(ours[row].confidence - theirs[column].confidence))
    return Parity(
        frames=len(frames),
        faces=len(distances),
        unmatched=unmatched,
        median_px=float(np.median(distances)) if distances else 0.0,
        largest_px=max(distances, default=0.0),
        largest_confidence=max(confidences, default=0.0),
    )


def milliseconds(function: Callable[[], object], *, cpu: bool = True) -> float:
    """The quickest of several calls: CPU time, or the clock's."""
    clock = time.process_time if cpu else time.perf_counter
    function()
    taken = []
    for _ in range(RUNS):
        started = clock()
        function()
        taken.append(clock() - started)
    return 1e3 * min(taken)


def eager_milliseconds(predictor: Predictor, frame: ThermalImage, threads: int) -> float:
    """Of the predictor, on so many threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        return milliseconds(lambda: predictor.faces(frame, min_score=0.0, whole_image=False), cpu=threads == 1)
    finally:
        torch.set_num_threads(before)
