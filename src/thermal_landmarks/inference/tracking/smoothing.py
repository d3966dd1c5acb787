"""Smoothing of tracked points, each coordinate by itself; frames without a point stay without one.

`one_euro` is causal: a low-pass filter that opens where the point moves (Casiez et al. 2012, CHI, 1 euro filter).
`kalman` looks at the whole recording: a Kalman filter of constant velocity and the Rauch-Tung-Striebel smoother
(Rauch et al. 1965, AIAA Journal 3.8).
"""

from typing import Literal, get_args

import numpy as np
from jaxtyping import Float

from thermal_landmarks.errors import require_choice

Smoothing = Literal["none", "one_euro", "kalman"]

_LONGEST_GAP_S = 0.5  # without a point, after which smoothing starts from scratch


def smooth(
    points: Float[np.ndarray, "frame coordinate"],
    time_s: Float[np.ndarray, " frame"],
    method: str,
    *,
    size: float = 1.0,
) -> Float[np.ndarray, "frame coordinate"]:
    """Smoothed coordinates; NaN where there was none.

    Args:
        points: Of one track, NaN where it has none.
        time_s: Of each frame, rising.
        method: `none`, `one_euro` or `kalman`.
        size: The distance of the outer eye corners in the same unit; noise and motion are measured by it.

    Raises:
        ConfigError: If there is no such method.
    """
    require_choice("smoothing", method, get_args(Smoothing))
    smoothed = np.array(points, dtype=float)
    if method == "none":
        return smoothed
    run = one_euro if method == "one_euro" else kalman
    for column in range(smoothed.shape[1]):
        there = np.flatnonzero(np.isfinite(smoothed[:, column]))
        breaks = np.flatnonzero(np.diff(time_s[there]) > _LONGEST_GAP_S) + 1
        for piece in np.split(there, breaks):
            if len(piece) > 1:
                smoothed[piece, column] = run(smoothed[piece, column] / size, time_s[piece]) * size
    return smoothed


def one_euro(
    values: Float[np.ndarray, " n"],
    time_s: Float[np.ndarray, " n"],
    *,
    cutoff_hz: float = 1.0,
    opening: float = 20.0,
    speed_cutoff_hz: float = 1.0,
) -> Float[np.ndarray, " n"]:
    """The one-euro filter; the defaults are from `docs/studies/smoothing_curve.py`.

    Args:
        values: In inter-ocular distances.
        time_s: Of each.
        cutoff_hz: Of the low-pass filter while nothing moves.
        opening: How much it rises with the speed, in Hz for one inter-ocular distance a second.
        speed_cutoff_hz: Of the filter of the speed.
    """
    smoothed, speed = np.array(values, dtype=float), 0.0
    for row in range(1, len(values)):
        step = max(float(time_s[row] - time_s[row - 1]), 1e-6)
        speed += _share(speed_cutoff_hz, step) * ((values[row] - smoothed[row - 1]) / step - speed)
        share = _share(cutoff_hz + opening * abs(speed), step)
        smoothed[row] = smoothed[row - 1] + share * (values[row] - smoothed[row - 1])
    return smoothed


def _share(cutoff_hz: float, step_s: float) -> float:
    return 1 / (1 + 1 / (2 * np.pi * cutoff_hz * step_s))


def kalman(
    values: Float[np.ndarray, " n"],
    time_s: Float[np.ndarray, " n"],
    *,
    noise: float = 0.006,
    acceleration: float = 0.4,
) -> Float[np.ndarray, " n"]:
    """The Rauch-Tung-Striebel smoother of a point of constant velocity; defaults as of `one_euro`.

    In inter-ocular distances: `noise` is the standard deviation of a value, `acceleration` the spectral density of the
    motion, the standard deviation of the velocity's change in a second.
    """
    number = len(values)
    mean, covariance = np.zeros((number, 2)), np.zeros((number, 2, 2))
    ahead_mean, ahead_covariance = np.zeros((number, 2)), np.zeros((number, 2, 2))
    transition = np.zeros((number, 2, 2))
    state, spread = np.array([values[0], 0.0]), np.diag([noise**2, 4.0])
    for row in range(number):
        step = float(time_s[row] - time_s[row - 1]) if row else 0.0
        transition[row] = np.array([[1, step], [0, 1]])
        drive = acceleration**2 * np.array([[step**3 / 3, step**2 / 2], [step**2 / 2, step]])
        state, spread = transition[row] @ state, transition[row] @ spread @ transition[row].T + drive
        ahead_mean[row], ahead_covariance[row] = state, spread
        gain = spread[:, 0] / (spread[0, 0] + noise**2)
        state = state + gain * (values[row] - state[0])
        spread = spread - np.outer(gain, spread[0])
        mean[row], covariance[row] = state, spread
    for row in range(number - 2, -1, -1):
        gain = covariance[row] @ transition[row + 1].T @ np.linalg.inv(ahead_covariance[row + 1])
        mean[row] += gain @ (mean[row + 1] - ahead_mean[row + 1])
    return mean[:, 0]
