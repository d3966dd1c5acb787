"""How a head is turned, from its landmarks: the mean head of the renderer, turned until it fits them.

A weak-perspective fit (Dementhon and Davis 1995): the affine map from the head's landmarks to the picture's is nearly a
rotation, and the nearest one is taken. Chin and lower lip move with the jaw and are left out.
"""

from functools import cache

import numpy as np
from jaxtyping import Float

from thermal_landmarks.data.schemes import Scheme

# Landmarks of the renderer's mean head by their number in iBUG-68: right, down and towards the camera, in millimetres.
_HEAD_MM = {
    19: (-37.7, -26.0, 79.3),
    24: (37.7, -26.0, 79.3),
    36: (-44.2, 0.0, 72.9),
    39: (-18.4, 0.3, 80.9),
    42: (18.4, 0.3, 80.9),
    45: (44.2, 0.0, 72.9),
    27: (0.0, -2.8, 91.5),
    30: (0.0, 31.6, 116.6),
    31: (-13.8, 42.0, 94.8),
    33: (0.0, 44.3, 101.1),
    35: (13.8, 42.0, 94.8),
    48: (-23.4, 68.7, 86.8),
    51: (0.0, 56.2, 103.2),
    54: (23.4, 68.7, 86.8),
}
_DISTANCE_MM = 900.0  # from the camera, where nothing says it: what is nearer looks larger
_ROUNDS = 3


def head_pose_deg(points_px: Float[np.ndarray, "point 2"], scheme: Scheme) -> tuple[float, float, float]:
    """Yaw, pitch and roll of a head against the line from the camera to it, in degrees; NaN: a point isn't seen.

    Returns:
        Turn to the picture's right, turn upwards, tilt clockwise as seen by a person. NaN for a face without points,
        and in schemes that lack a landmark which the fit needs, such as `perinasal6`.
    """
    known = _places(scheme)
    if known is None or not np.isfinite(points_px[known]).all():
        return (np.nan, np.nan, np.nan)
    head = np.array(list(_HEAD_MM.values()))
    head = head - head.mean(axis=0)
    seen = points_px[known].astype(float) - points_px[known].mean(axis=0)
    flat = seen
    for _ in range(_ROUNDS):
        affine = np.linalg.lstsq(head, flat, rcond=None)[0].T
        left, _, right = np.linalg.svd(affine, full_matrices=False)
        across, down = left @ right
        towards = np.cross(across, down)
        flat = seen * (1 - head @ towards / _DISTANCE_MM)[:, None]  # as it would look from afar
    yaw = np.arctan2(-towards[0], towards[2])
    pitch = np.arcsin(np.clip(towards[1], -1, 1))
    roll = np.arctan2(-across[1], down[1])
    return (float(np.degrees(yaw)), float(np.degrees(pitch)), float(np.degrees(roll)))


@cache
def _places(scheme: Scheme) -> list[int] | None:
    """Where the landmarks of the head stand in the scheme; None: it lacks one."""
    if not set(_HEAD_MM) <= set(scheme.ibug68):
        return None
    return [scheme.ibug68.index(number) for number in _HEAD_MM]
