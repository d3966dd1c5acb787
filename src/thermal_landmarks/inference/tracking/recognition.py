"""Who is who: how little a seen face is what a track would be, and the best assignment of all."""

import numpy as np
from jaxtyping import Float
from scipy.optimize import linear_sum_assignment

from thermal_landmarks.inference.tracking.track import Track


def strangeness(track: Track, place_px: Float[np.ndarray, "2"], patch: Float[np.ndarray, " pixel"]) -> float:
    """How little a face at a place, with that look, is what a track would be after coming near another one."""
    away = float(np.linalg.norm(track.reckoned_px - place_px)) / track.size_px
    return 1 - float(track.patch @ patch) + away


def unlikeness(track: Track, box_px: Float[np.ndarray, "4"], patch: Float[np.ndarray, " pixel"], fps: float) -> float:
    """How unlikely a found face is a missing one: 0 for one that is where it should be and looks the same.

    Args:
        track: Of the missing face.
        box_px: Of the found one.
        patch: Its look.
        fps: Frames a second; the longer a face is missing, the farther it may have gone.
    """
    middle = (box_px[:2] + box_px[2:]) / 2
    size = float(np.sqrt((box_px[2:] - box_px[:2]).clip(1e-3).prod()))
    reach = track.size_px * (0.5 + track.missing / fps)
    away = float(np.linalg.norm(middle - track.middle_px - track.expected_shift_px)) / reach
    unlike = 1 - float(track.patch @ patch)
    return 0.8 * min(away, 2.0) + 0.6 * unlike + 0.4 * abs(float(np.log(size / track.size_px)))


def assigned(cost: Float[np.ndarray, "row column"]) -> list[tuple[int, int]]:
    """Pairs of rows and columns of the least cost in all."""
    rows, columns = linear_sum_assignment(cost)
    return list(zip(rows.tolist(), columns.tolist(), strict=True))
