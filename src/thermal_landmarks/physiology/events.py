"""Yawns and blinks, from the points of a face."""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from thermal_landmarks.data.schemes import Scheme

_YAWN_WIDE, _YAWN_OPEN = 0.18, 0.10  # beyond the mouth at rest, in outer eye distances: once at least, and all along
_YAWN_S = (1.5, 15.0)
_DIP_S = 0.6  # a mouth that closes for less has not ended its yawn
_REST_S = 120.0  # around a moment, whose lower quartile is the mouth at rest
_BLINK_SHARE = 0.6  # of the eyes' usual opening
_BLINK_S = (0.05, 0.8)
_LONGEST_GAP = 2.5  # usual times between frames, inside one event
_UPPER_LIP, _LOWER_LIP, _NASION, _SUBNASALE = 51, 57, 27, 33
_LIDS = (((37, 41), (38, 40)), ((43, 47), (44, 46)))
_EYES = ((36, 39), (42, 45))


class FaceEvent(NamedTuple):
    """Something that a face does: `yawn` or `blink`, and from when to when."""

    kind: str
    start_s: float
    end_s: float
    size: float


def mouth_opening(points_px: Float[np.ndarray, "frame point 2"], scheme: Scheme) -> Float[np.ndarray, " frame"] | None:
    """Distance of the lips' outer edges relative to the size of the face; None: the scheme lacks the landmarks.

    The size is the distance of the outer eye corners, or, for a head that is turned aside, what it would be by the
    height of its nose, which turning leaves as it is.
    """
    corners = scheme.outer_eye_corners
    if corners is None or not {_UPPER_LIP, _LOWER_LIP, _NASION, _SUBNASALE} <= set(scheme.ibug68):
        return None
    across = np.linalg.norm(points_px[:, corners[0]].astype(float) - points_px[:, corners[1]], axis=-1)
    down = _distance(points_px, scheme, _NASION, _SUBNASALE)
    if not np.isfinite(across).any():
        return np.full(len(points_px), np.nan)
    size = np.maximum(across, down * np.nanmedian(across) / np.maximum(np.nanmedian(down), 1e-9))
    return _distance(points_px, scheme, _UPPER_LIP, _LOWER_LIP) / size


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
    """Mouths that open wide, relative to this person's at rest, and stay open for longer than speech opens them."""
    if len(time_s) < 2 or not np.isfinite(opening).any():
        return []
    usual = float(np.median(np.diff(time_s)))
    beyond = opening - _resting(time_s, opening)
    events = []
    for event in stretches("yawn", time_s, beyond, _bridged(beyond > _YAWN_OPEN, _DIP_S / usual), lasting_s=_YAWN_S):
        if event.size > _YAWN_WIDE:
            events.append(event)
    return events


def _resting(time_s: Float[np.ndarray, " frame"], opening: Float[np.ndarray, " frame"]) -> Float[np.ndarray, " frame"]:
    """The mouth at rest around each frame."""
    at_s = np.arange(time_s[0], time_s[-1] + _REST_S / 4, _REST_S / 4)
    known = np.isfinite(opening)
    near = [known & (np.abs(time_s - middle) <= _REST_S / 2) for middle in at_s]
    lower = [float(np.quantile(opening[of], 0.25)) if of.any() else np.nan for of in near]
    there = np.isfinite(lower)
    return np.interp(time_s, at_s[there], np.array(lower)[there])


def _bridged(on: Bool[np.ndarray, " frame"], longest: float) -> Bool[np.ndarray, " frame"]:
    """With what is off for no longer than so many frames switched on, between two stretches that are on."""
    bridged = on.copy()
    edges = np.flatnonzero(np.diff(on.astype(int)))
    for end, start in pairwise(edges):
        if not on[end + 1] and start - end <= longest:
            bridged[end + 1 : start + 1] = True
    return bridged


def blinks(time_s: Float[np.ndarray, " frame"], opening: Float[np.ndarray, " frame"]) -> list[FaceEvent]:
    """Eyes that close and open again."""
    usual = np.nanmedian(opening) if np.isfinite(opening).any() else 1.0
    closed = 1 - opening / usual
    return stretches("blink", time_s, closed, opening < _BLINK_SHARE * usual, lasting_s=_BLINK_S)


def _distance(
    points_px: Float[np.ndarray, "frame point 2"], scheme: Scheme, first: int, second: int
) -> Float[np.ndarray, " frame"]:
    a, b = scheme.ibug68.index(first), scheme.ibug68.index(second)
    return np.linalg.norm(points_px[:, a].astype(float) - points_px[:, b], axis=-1)


def stretches(
    kind: str,
    time_s: Float[np.ndarray, " frame"],
    size: Float[np.ndarray, " frame"],
    on: Bool[np.ndarray, " frame"],
    *,
    lasting_s: tuple[float, float],
) -> list[FaceEvent]:
    """Stretches without a gap in time in which something is on, so long at least and at most; `size`: of the events."""
    if len(time_s) < 2:
        return []
    usual = float(np.median(np.diff(time_s)))
    events = []
    for start, end in np.flatnonzero(np.diff(np.concatenate([[0], on.astype(int), [0]]))).reshape(-1, 2):
        duration = time_s[end - 1] - time_s[start] + usual
        whole = (np.diff(time_s[start:end]) < _LONGEST_GAP * usual).all()
        if whole and lasting_s[0] <= duration <= lasting_s[1]:
            last_s = float(time_s[end - 1] + usual)
            events.append(FaceEvent(kind, float(time_s[start]), last_s, float(np.nanmax(size[start:end]))))
    return events
