"""How well faces are found: recall against false faces a picture, over all thresholds of the score."""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from thermal_landmarks.models.face_decoding import Detections, match


class FindingCurve(NamedTuple):
    """One entry for each found face that counts, the surest first."""

    score: Float[np.ndarray, " n"]  # threshold at which this face is just found
    recall: Float[np.ndarray, " n"]  # share of the faces found at that threshold
    precision: Float[np.ndarray, " n"]  # share of what is found that is a face
    false_per_picture: Float[np.ndarray, " n"]  # found where no face is, a picture

    @property
    def average_precision(self) -> float:
        """Area under precision over recall, precision taken at its best from each recall on."""
        best = np.maximum.accumulate(self.precision[::-1])[::-1]
        return float((np.diff(self.recall, prepend=0.0) * best).sum())

    def at_false_rate(self, most: float) -> tuple[float, float]:
        """Recall, and the threshold that gives it, with at most so many false faces a picture."""
        allowed = np.flatnonzero(self.false_per_picture <= most)
        if not len(allowed):
            return 0.0, 1.0
        return float(self.recall[allowed[-1]]), float(self.score[allowed[-1]])

    def at_threshold(self, threshold: float) -> tuple[float, float]:
        """Recall and false faces a picture at a threshold."""
        above = np.flatnonzero(self.score >= threshold)
        if not len(above):
            return 0.0, 0.0
        return float(self.recall[above[-1]]), float(self.false_per_picture[above[-1]])


@dataclass
class FindingScores:
    """Collects pictures one by one."""

    overlap: float = 0.5  # intersection over union from which on a found face is right
    pictures: int = 0
    faces: int = 0
    _score: list[np.ndarray] = field(default_factory=list)
    _right: list[Bool[np.ndarray, " n"]] = field(default_factory=list)

    def add(
        self, found: Detections, truth_px: Float[np.ndarray, "n 4"], ignored_px: Float[np.ndarray, "m 4"] | None = None
    ) -> None:
        """One picture: what was found, what is there, and what may be found or not."""
        ignored = np.empty((0, 4)) if ignored_px is None else ignored_px
        right, counts = match(found, truth_px, ignored, overlap=self.overlap)
        self.pictures += 1
        self.faces += len(truth_px)
        self._score.append(found.score[counts])
        self._right.append(right[counts])

    def curve(self) -> FindingCurve:
        """Over all pictures so far; found faces of one score enter together."""
        score = np.concatenate(self._score) if self._score else np.empty(0)
        right = np.concatenate(self._right) if self._right else np.empty(0, dtype=bool)
        order = np.argsort(-score, kind="stable")
        score, right = score[order], right[order]
        last = np.flatnonzero(np.append(score[1:] != score[:-1], True)) if len(score) else np.empty(0, dtype=int)
        hits, misses = np.cumsum(right)[last], np.cumsum(~right)[last]
        return FindingCurve(
            score[last],
            hits / max(self.faces, 1),
            hits / np.maximum(hits + misses, 1),
            misses / max(self.pictures, 1),
        )

    def clear(self) -> None:
        """Forget all pictures."""
        self.pictures = self.faces = 0
        self._score.clear()
        self._right.clear()
