"""Faces that come near to each other: who may be taken for whom from then on, and which of two is behind."""

from collections.abc import Iterator

import numpy as np

from thermal_landmarks.inference.tracking.track import Tracklet
from thermal_landmarks.models.face_decoding import box_overlap

_COVERED = 0.15  # overlap from which on an unsure face is taken to be behind the other one
_SAME_FACE = 0.5  # overlap of two tracklets that follow the same face
_SMOOTH = 0.3  # share of a frame's motion in the velocity over a longer time


def separate(followed: list[Tracklet], frame: int, min_confidence: float) -> Iterator[tuple[Tracklet, Tracklet | None]]:
    """Those who aren't seen any more, one after the other, and whose face they have slid to if they have.

    A tracklet that has ended until the next one is asked for has no part in what follows.

    `min_confidence` is that of a face that is seen although another one covers a part of it.
    """
    boxes = np.array([track.box_px for track in followed]).reshape(-1, 4)
    shared = box_overlap(boxes, boxes)
    np.fill_diagonal(shared, 0)
    for track, near in zip(followed, shared.max(axis=1, initial=0) > 0, strict=True):
        if near:
            track.crowded, track.met = track.crowded + 1, frame
        else:
            track.crowded, track.anchor_px = 0, track.middle_px
            track.steady_px = (1 - _SMOOTH) * track.steady_px + _SMOOTH * track.velocity_px
    for row, column in np.argwhere(np.triu(shared) >= _COVERED).tolist():
        pair = first, second = followed[row], followed[column]
        if first.ended is not None or second.ended is not None:
            continue
        if first.confirmed and second.confirmed:
            first.open(frame)
            second.open(frame)
        if shared[row, column] < _SAME_FACE:
            behind = min(pair, key=lambda track: track.sure)
            if behind.sure < min_confidence:
                yield behind, None
            continue
        place = (first.middle_px + second.middle_px) / 2
        reckoned = [float(np.linalg.norm(track.reckoned_px - place)) for track in pair]
        slid = (second.confirmed, reckoned[0]) >= (first.confirmed, reckoned[1])
        yield (first, second) if slid else (second, first)
