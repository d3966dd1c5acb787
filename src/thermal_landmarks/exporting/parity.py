"""Whether an exported file says what the network says, in pixels; one that doesn't is deleted."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from thermal_landmarks.data.annotation import ThermalImage
from thermal_landmarks.errors import DataError
from thermal_landmarks.exporting.crop_landmarks import CropLandmarks
from thermal_landmarks.inference.face import MIN_SCORE, Face
from thermal_landmarks.inference.finder import Finder
from thermal_landmarks.inference.predictor import Predictor
from thermal_landmarks.models.face_decoding import Detections, box_overlap

Run = Callable[[dict[str, np.ndarray]], dict[str, np.ndarray]]
"""An exported file: named arrays in, named arrays out."""

_SAME_FACE = 0.7  # of two boxes: intersection over union
_LEAST_SCORE = 0.3  # of the finder, from which on a face that one alone has found counts


@dataclass(frozen=True)
class Parity:
    """What two ways of finding faces differ by."""

    frames: int  # compared
    faces: int  # that both have found
    unmatched: int  # that one of them has found alone
    median_px: float  # over faces, of the mean distance of their landmarks
    largest_px: float  # of the same
    largest_confidence: float  # difference of a face's confidence

    @classmethod
    def of(
        cls, frames: int, distances_px: Sequence[float], confidences: Sequence[float] = (), unmatched: int = 0
    ) -> "Parity":
        """Of the differences of each face."""
        return cls(
            frames=frames,
            faces=len(distances_px),
            unmatched=unmatched,
            median_px=float(np.median(distances_px)) if len(distances_px) else 0.0,
            largest_px=max(distances_px, default=0.0),
            largest_confidence=max(confidences, default=0.0),
        )

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

    def require_or_delete(self, largest_px: float, files: Sequence[Path]) -> None:
        """As `require`; files that are refused are deleted.

        Args:
            largest_px: As of `require`.
            files: All that make up the export; errors name the first.
        """
        try:
            self.require(largest_px, files[0])
        except DataError:
            for file in files:
                file.unlink()
            raise


def compare_faces(
    exported: Callable[[ThermalImage], list[Face]], predictor: Predictor, frames: Sequence[ThermalImage]
) -> Parity:
    """The faces that either takes for faces; where nothing is, crops lead anywhere by the last digit.

    Args:
        exported: All faces of an image, whatever their score.
        predictor: That the file was made of.
        frames: With faces.
    """
    distances, confidences, unmatched = [], [], 0
    for frame in frames:
        ours, theirs = predictor.faces(frame, min_score=0.0, whole_image=False), exported(frame)
        boxes = [np.array([face.box_px for face in faces]).reshape(-1, 4) for faces in (ours, theirs)]
        sure = [np.array([face.score >= MIN_SCORE for face in faces], dtype=bool) for faces in (ours, theirs)]
        pairs, alone = _matched(boxes, sure)
        unmatched += alone
        for row, column in pairs[sure[0][pairs[:, 0]]]:
            distance = np.linalg.norm(ours[row].points_px - theirs[column].points_px, axis=1).mean()
            distances.append(float(distance))
            confidences.append(abs(ours[row].confidence - theirs[column].confidence))
    return Parity.of(len(frames), distances, confidences, unmatched)


def compare_boxes(run: Run, finder: Finder, frames: Sequence[ThermalImage]) -> Parity:
    """Faces of the file and of the finder; the distance is that of their boxes' sides, the confidence the score."""
    distances, scores, unmatched = [], [], 0
    for frame in frames:
        found = run({"images": frame.values[None], "celsius": np.array(frame.unit == "celsius")})
        ours, theirs = finder(frame), Detections(found["boxes"], found["score"], found["angle"])
        pairs, alone = _matched(
            [ours.boxes_px, theirs.boxes_px], [ours.score >= _LEAST_SCORE, theirs.score >= _LEAST_SCORE]
        )
        unmatched += alone
        for row, column in pairs:
            distances.append(float(np.abs(ours.boxes_px[row] - theirs.boxes_px[column]).mean()))
            scores.append(abs(float(ours.score[row] - theirs.score[column])))
    return Parity.of(len(frames), distances, scores, unmatched)


@torch.inference_mode()
def compare_crops(run: Run, landmarks: CropLandmarks, frames: Sequence[ThermalImage]) -> Parity:
    """Landmarks of the file and of the network in whole frames."""
    distances = []
    for frame in frames:
        crop, celsius = crop_of(frame, landmarks.size)
        ours = landmarks(crop, celsius).numpy()
        theirs = run({"crops": crop.numpy(), "celsius": celsius.numpy()})["points"]
        distances.append(float(np.linalg.norm(ours - theirs, axis=2).mean()))
    return Parity.of(len(frames), distances)


def crop_of(frame: ThermalImage, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """A frame as one crop of that size, and whether it is in degrees Celsius, as `CropLandmarks` takes them."""
    values = torch.from_numpy(frame.values).float()[None, None]
    crop = F.interpolate(values, size, mode="bilinear", antialias=True)[:, 0]
    return crop, torch.tensor(frame.unit == "celsius")


def _matched(boxes_px: Sequence[np.ndarray], sure: Sequence[np.ndarray]) -> tuple[np.ndarray, int]:
    """Rows of two sets of boxes that show the same face, and how many sure ones have no partner."""
    same = box_overlap(*boxes_px) > _SAME_FACE
    alone = int((sure[0] & ~same.any(axis=1)).sum() + (sure[1] & ~same.any(axis=0)).sum())
    return np.argwhere(same), alone
