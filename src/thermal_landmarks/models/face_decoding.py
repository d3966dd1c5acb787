"""From the finder's maps to a list of faces: peaks of the score, their boxes, and one box for each face."""

from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float

from thermal_landmarks.models.center_map import FaceMaps

_MOST = 200  # peaks of a picture


class Detections(NamedTuple):
    """Faces found in one picture, the surest first."""

    boxes_px: Float[np.ndarray, "face 4"]  # float32 (face, 4): x_min, y_min, x_max, y_max, pixel centres at integers
    score: Float[np.ndarray, " face"]  # float32 (face,), in [0, 1]
    # float32 (face,), in-plane, in radians; positive where the face leans clockwise as seen by a person
    angle: Float[np.ndarray, " face"]

    @property
    def number(self) -> int:
        """Of faces."""
        return len(self.score)

    def take(self, rows: np.ndarray) -> "Detections":
        """Some of the faces."""
        return Detections(self.boxes_px[rows], self.score[rows], self.angle[rows])


def decode(maps: FaceMaps, stride: int, *, threshold: float, overlap: float = 0.4) -> list[Detections]:
    """The faces of each picture with a score of at least `threshold`; a cell is `stride` pixels wide.

    Of two boxes that overlap by more than `overlap` (intersection over union), the less sure one is dropped.
    """
    score = maps.score.sigmoid()
    peaks = (F.max_pool2d(score[:, None], 3, stride=1, padding=1)[:, 0] == score) & (score >= threshold)
    found = []
    for row in range(len(score)):
        cells = peaks[row].flatten().nonzero().squeeze(1)
        sure, order = score[row].flatten()[cells].sort(descending=True)
        cells, sure = cells[order[:_MOST]], sure[:_MOST]
        centre_and_size = maps.box[row].flatten(1)[:, cells].T * stride
        centre, half = centre_and_size[:, :2] - 0.5, centre_and_size[:, 2:] / 2
        cos, sin = maps.angle[row].flatten(1)[:, cells]
        boxes = torch.cat([centre - half, centre + half], dim=1)
        each = Detections(*(part.cpu().numpy().astype(np.float32) for part in (boxes, sure, torch.atan2(sin, cos))))
        found.append(suppress(each, overlap))
    return found


def suppress(found: Detections, overlap: float) -> Detections:
    """Without those that overlap a surer one by more than `overlap` (intersection over union)."""
    found = found.take(np.argsort(-found.score, kind="stable"))
    shared = box_overlap(found.boxes_px, found.boxes_px)
    kept: list[int] = []
    for row in range(found.number):
        if not (shared[row, kept] > overlap).any():
            kept.append(row)
    return found.take(np.array(kept, dtype=int))


def box_overlap(first: Float[np.ndarray, "n 4"], second: Float[np.ndarray, "m 4"]) -> Float[np.ndarray, "n m"]:
    """Intersection over union of each box with each other."""
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    shared = (high - low).clip(0).prod(axis=2)
    areas = [(boxes[:, 2:] - boxes[:, :2]).prod(axis=1) for boxes in (first, second)]
    union = areas[0][:, None] + areas[1] - shared
    return shared / np.maximum(union, 1e-9)


def match(
    found: Detections,
    truth_px: Float[np.ndarray, "n 4"],
    ignored_px: Float[np.ndarray, "m 4"],
    *,
    overlap: float = 0.5,
) -> tuple[Bool[np.ndarray, " face"], Bool[np.ndarray, " face"]]:
    """Which of the found faces are right, and which count at all.

    The surest first, each takes the face that it overlaps most and that no surer one has taken. One that lies mostly
    in an ignored box, right or not, doesn't count.
    """
    right, counts = np.zeros(found.number, dtype=bool), np.ones(found.number, dtype=bool)
    shared = box_overlap(found.boxes_px, truth_px)
    free = np.ones(len(truth_px), dtype=bool)
    for row in range(found.number):
        candidates = np.where(free, shared[row], 0)
        if len(candidates) and candidates.max() >= overlap:
            right[row] = True
            free[candidates.argmax()] = False
        elif len(ignored_px):
            box = found.boxes_px[row]
            low, high = np.maximum(box[:2], ignored_px[:, :2]), np.minimum(box[2:], ignored_px[:, 2:])
            inside = (high - low).clip(0).prod(axis=1) / max(float((box[2:] - box[:2]).prod()), 1e-9)
            counts[row] = inside.max() < 0.5
    return right, counts
