"""What a calibration gains on faces that it has not seen: each person in turn is left out of the learning."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int

from thermal_landmarks.data.schemes import Scheme
from thermal_landmarks.evaluation.table import nan_mean
from thermal_landmarks.inference.calibration.learning import LEAST_FACES, Pose, learn
from thermal_landmarks.inference.calibration.offsets import Calibration

_MOST_PARTS = 50


@dataclass(frozen=True)
class Faces:
    """Annotated faces with a network's predictions."""

    predicted_px: Float[np.ndarray, "face point 2"]  # as the network gives them
    annotated_px: Float[np.ndarray, "face point 2"]  # in the network's scheme; NaN where missing
    subjects: Sequence[str]  # who each face is
    # What errors are divided by, of each face: the distance of the outer eye corners where they are known
    length_px: Float[np.ndarray, " face"]
    names: Sequence[str] = ()  # of the faces, for messages

    def errors(self, points_px: Float[np.ndarray, "face point 2"]) -> Float[np.ndarray, "face point"]:
        """Distance of points from the annotation as a fraction of `length_px`; NaN where nothing is annotated."""
        return np.linalg.norm(points_px - self.annotated_px, axis=2) / self.length_px[:, None]


@dataclass(frozen=True)
class Outcome:
    """A calibration and what it is worth."""

    # What was learned from all faces; moves no point where that would not have helped the left out
    calibration: Calibration
    rejected: bool  # whether something was learned that did not help the faces left out
    before: Float[np.ndarray, "face point"]  # errors (face, point) of the network
    # Errors of the network calibrated on the other people; those before where that was rejected
    after: Float[np.ndarray, "face point"]
    by_person: bool  # whether people were left out; else, with one person only, single faces


def calibrate(faces: Faces, scheme: Scheme, *, pose: Pose = "auto") -> Outcome:
    """Learn from all faces what also helps each person whom it was not learned from.

    Raises:
        DataError: If there are too few faces.
    """
    calibration = learn(faces.predicted_px, faces.annotated_px, faces.subjects, scheme, pose=pose)
    before, by_person = faces.errors(faces.predicted_px), len(set(faces.subjects)) > 1
    if calibration.is_nothing:
        return Outcome(calibration, False, before, before, by_person)
    after = faces.errors(left_out(faces, scheme, pose=pose))
    if mean_error(after) < mean_error(before):
        return Outcome(calibration, False, before, after, by_person)
    zero = np.zeros_like(calibration.offsets)
    nothing = replace(calibration, offsets=zero, by_yaw=zero, by_pitch=zero)
    return Outcome(nothing, True, before, before, by_person)


def mean_error(errors: Float[np.ndarray, "face point"]) -> float:
    """The mean over faces of each face's mean over its landmarks."""
    return float(np.nanmean(nan_mean(errors, axis=1)))


def left_out(faces: Faces, scheme: Scheme, *, pose: Pose = "auto") -> Float[np.ndarray, "face point 2"]:
    """Each face's landmarks, calibrated on the other people (on the other faces where there is one person only)."""
    moved = faces.predicted_px.copy()
    parts = _parts(faces.subjects)
    subjects = np.asarray(faces.subjects)
    for part in np.unique(parts):
        seen = parts != part
        if seen.sum() < LEAST_FACES:
            continue
        learned = learn(faces.predicted_px[seen], faces.annotated_px[seen], subjects[seen].tolist(), scheme, pose=pose)
        moved[~seen] = learned.apply(faces.predicted_px[~seen], scheme)
    return moved


def _parts(subjects: Sequence[str]) -> Int[np.ndarray, " face"]:
    """The part that each face is left out with; people are never divided, and there are at most `_MOST_PARTS`."""
    people = sorted(set(subjects))
    if len(people) == 1:
        return np.arange(len(subjects)) % _MOST_PARTS
    place = {name: i % _MOST_PARTS for i, name in enumerate(people)}
    return np.array([place[name] for name in subjects])
