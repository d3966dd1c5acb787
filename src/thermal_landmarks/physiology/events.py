"""Yawns and blinks, from the points of a face."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from thermal_landmarks.data.schemes import Scheme

_YAWN_OPENING = 0.18  # of the distance of the outer eye corners, beyond the mouth at rest
_YAWN_S = (1.5, 15.0)
_BLINK_SHARE = 0.6  # of the eyes' usual opening
_BLINK_S = (0.05, 0.8)
_LONGEST_GAP = 2.5  # usual times between frames, inside one event
_UPPER_LIP, _LOWER_LIP = 51, 57
_LIDS = (((37, 41), (38, 40)), ((43, 47), (44, 46)))
_EYES = ((36, 39), (42, 45))


class FaceEvent(NamedTuple):
    """Something that a face does: `yawn` or `blink`, and from when to when."""

    kind: str
    start_s: float
    end_s: float
    size: float


def mouth_opening(points_px: Float[np.ndarray, "frame point 2"], scheme: Scheme) -> Float[np.ndarray, " frame"] | None:
    """Distance of the lips' outer edges relative to that of the outer eye corners; None: the scheme lacks them."""
    corners = scheme.outer_eye_corners
    if corners is None or not {_UPPER_LIP, _LOWER_LIP} <= set(scheme.ibug68):
        return None
    return _distance(points_px, scheme, _UPPER_LIP, _LOWER_LIP) / np.linalg.norm(
        points_px[:, corners[0]] - points_px[:, corners[1]], axis=-1
    )


def eye_opening(points_px: Float[np.ndarray, "frame point 2"], scheme: Scheme) -> Float[np.ndarray, " frame"] | None:
    """Height of the eyes over their width; None: the scheme has no points on the lids, as `face16`."""
    if not set(range(36, 48)) <= set(scheme.ibug68):
        return None
    eyes = []
    for lids, (outer, inner) in zip(_LIDS, _EYES, strict=True):
        heights = [_distance(points_px, scheme, upper, lower) for upper, lower in lids]
        eyes.append(np.mean(heights, axis=0) / _distance(points_px, scheme, outer, inner))
    return np.mean(eyes, axis=0)


def yawns(time_s: Float[np.ndarray, " frame"], opening: Float[np.ndarray, " frame"]) -> list[FaceEvent]:
    """Mouths that stay wide open for longer than speech opens them."""
    rest = np.nanquantile(opening, 0.25) if np.isfinite(opening).any() else 0.0
    return _stretches("yawn", time_s, opening - rest, opening - rest > _YAWN_OPENING, _YAWN_S)


def blinks(time_s: Float[np.ndarray, " frame"], opening: Float[np.ndarray, " frame"]) -> list[FaceEvent]:
    """Eyes that close and open again."""
    usual = np.nanmedian(opening) if np.isfinite(opening).any() else 1.0
    closed = 1 - opening / usual
    return _stretches("blink", time_s, closed, opening < _BLINK_SHARE * usual, _BLINK_S)


def _distance(
    points_px: Float[np.ndarray, "frame point 2"], scheme: Scheme, first: int, second: int
) -> Float[np.ndarray, " frame"]:
    a, b = scheme.ibug68.index(first), scheme.ibug68.index(second)
    return np.linalg.norm(points_px[:, a] - points_px[:, b], axis=-1)


def _stretches(
    kind: str,
    time_s: Float[np.ndarray, " frame"],
    size: Float[np.ndarray, " frame"],
    on: Bool[np.ndarray, " frame"],
    lasting_s: tuple[float, float],
) -> list[FaceEvent]:
    """Stretches without a gap in time in which something is on, of the duration that it has."""
    if len(time_s) < 2:
        return []
    usual = float(np.median(np.diff(time_s)))
    edges = np.flatnonzero(np.diff(np.concatenate([[0], on.astype(int), [0]]))).reshape(-1, 2)
    events = []
    for start, end in edges:
        duration = time_s[end - 1] - time_s[start] + usual
        whole = (np.diff(time_s[start:end]) < _LONGEST_GAP * usual).all()
        if whole and lasting_s[0] <= duration <= lasting_s[1]:
            last_s = float(time_s[end - 1] + usual)
            events.append(FaceEvent(kind, float(time_s[start]), last_s, float(size[start:end].max())))
    return events
