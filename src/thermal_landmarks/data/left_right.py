"""Left and right landmarks that have changed places, whatever the roll of the head.

The face's own vertical is found first, from the order of brows, eyes, nose, mouth and chin, which a swap of partners
leaves as it is. Across it, each right landmark must lie to the right of its left partner.
"""

import numpy as np
from jaxtyping import Float, Int

from thermal_landmarks.data.schemes import Scheme

# height of the iBUG-68 points in a frontal face, in arbitrary units downwards: brows, eyes, nose, mouth, chin
_LEVELS = (
    ((17, 26), 0.0),
    ((36, 47), 1.0),
    ((68, 69), 1.0),
    ((27, 27), 0.8),
    ((28, 28), 1.3),
    ((29, 29), 1.8),
    ((30, 30), 2.3),
    ((31, 35), 2.6),
    ((48, 67), 3.6),
    ((8, 8), 5.0),
)
_TOLERANCE = 0.06  # of the face's size: pairs may change places that little in a head seen from the side


def swapped_pairs(points_px: Float[np.ndarray, "point 2"], scheme: Scheme) -> Int[np.ndarray, "pair 2"]:
    """Mirror partners (left, right; as indices of the scheme) that are on each other's side; NaN: a point is missing.

    Returns:
        The swapped pairs; none where too few points are there to tell.
    """
    right = _rightwards(points_px, scheme)
    if right is None:
        return np.empty((0, 2), dtype=int)
    pairs = _pairs(points_px, scheme)
    across = (points_px[pairs[:, 1]] - points_px[pairs[:, 0]]) @ right
    size = np.linalg.norm(np.nanmax(points_px, axis=0) - np.nanmin(points_px, axis=0))
    return pairs[across < -_TOLERANCE * size]


def count_pairs(points_px: Float[np.ndarray, "point 2"], scheme: Scheme) -> int:
    """How many pairs of mirror partners are annotated."""
    return len(_pairs(points_px, scheme))


def _pairs(points_px: Float[np.ndarray, "point 2"], scheme: Scheme) -> Int[np.ndarray, "pair 2"]:
    partners = scheme.flip_indices
    left = np.flatnonzero([_is_left(index) and partners[i] != i for i, index in enumerate(scheme.ibug68)])
    pairs = np.column_stack([left, partners[left]])
    return pairs[np.isfinite(points_px[pairs]).all(axis=(1, 2))]


def _is_left(ibug: int) -> bool:
    return ibug in {*range(8), *range(17, 22), 31, 32, *range(36, 42), 48, 49, 50, 58, 59, 60, 61, 67, 68}


def _rightwards(points_px: Float[np.ndarray, "point 2"], scheme: Scheme) -> Float[np.ndarray, "2"] | None:
    level = np.full(len(points_px), np.nan)
    for i, ibug in enumerate(scheme.ibug68):
        for (first, last), height in _LEVELS:
            if first <= ibug <= last:
                level[i] = height
    known = np.isfinite(level) & np.isfinite(points_px).all(axis=1)
    if known.sum() < 3:
        return None
    height = level[known] - level[known].mean()
    down = height @ points_px[known]
    length = np.linalg.norm(down)
    spread = np.abs(points_px[known] - points_px[known].mean(axis=0)).max()
    if length <= 1e-3 * spread * max(np.abs(height).max(), 1e-9):
        return None
    # image coordinates: y points down, so an upright face has right = (1, 0)
    return np.array([down[1], -down[0]]) / length
