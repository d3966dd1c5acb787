"""The breathing of a recording of any length, in pieces of ten minutes.

Each piece is looked at with what is beside it, so that a filter sees no end where there is none. Which cells speak, how
deep a breath usually is and how often one comes are each piece's own: a sleeper turns around, and breathes otherwise.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from thermal_landmarks.physiology.breathing import WINDOW_S, Breathing, breathing
from thermal_landmarks.physiology.nostrils import breath

_BESIDE_S = 60.0
_PIECE_S = 10 * _BESIDE_S  # together with what is beside it
_LEAST_S = 3.0


class Piece(NamedTuple):
    """A part of a recording."""

    start_s: float  # from here on what is found counts
    end_s: float  # up to here
    around: slice  # of the frames, with those beside it


def pieces(time_s: Float[np.ndarray, " frame"], window_s: float) -> Iterator[Piece]:
    """Pieces without a gap, longer ones for longer windows; a recording of ten minutes or less is one."""
    first, last = float(time_s[0]), float(time_s[-1])
    beside_s = max(_BESIDE_S, window_s)
    piece_s = _PIECE_S / _BESIDE_S * beside_s
    cuts = np.arange(first + piece_s - beside_s, last - beside_s, piece_s - 2 * beside_s).tolist()
    for start_s, end_s in zip([-np.inf, *cuts], [*cuts, np.inf], strict=True):
        low, high = np.searchsorted(time_s, (start_s - beside_s, end_s + beside_s)).tolist()
        yield Piece(start_s, end_s, slice(low, high))


def long_breathing(
    time_s: Float[np.ndarray, " frame"],
    cells: Callable[[slice], Float[np.ndarray, "frame cell"]],
    misfit: Float[np.ndarray, " frame"],
    offsets: Float[np.ndarray, "cell 2"],
    *,
    jumps: Bool[np.ndarray, " frame"],
    window_s: float = WINDOW_S,
) -> Breathing:
    """The breathing in the cells at the base of a nose, of which `cells` gives the temperatures in some frames.

    NaN: they aren't seen. `offsets` are their places from the base of the nose, in outer eye distances; otherwise see
    `nostrils.breath`.
    """
    parts = []
    for start_s, end_s, around in pieces(time_s, window_s):
        at_s = time_s[around]
        if len(at_s) < 2 or at_s[-1] - at_s[0] < _LEAST_S:
            parts.append(_nothing(int(((at_s >= start_s) & (at_s < end_s)).sum())))
            continue
        said = breath(at_s, cells(around), misfit[around], offsets, jumps=jumps[around])
        found = breathing(at_s, said.temperature, weight=said.weight, jumps=jumps[around], window_s=window_s)
        parts.append(_within(found, at_s, start_s, end_s))
    return Breathing(
        waveform=np.concatenate([part.waveform for part in parts]),
        time_s=np.concatenate([part.time_s for part in parts]),
        rate=np.concatenate([part.rate for part in parts]),
        by_spectrum=np.concatenate([part.by_spectrum for part in parts]),
        by_peaks=np.concatenate([part.by_peaks for part in parts]),
        quality=np.concatenate([part.quality for part in parts]),
        flag=[flag for part in parts for flag in part.flag],
        apnoeas_s=_joined([apnoea for part in parts for apnoea in part.apnoeas_s]),
    )


def _nothing(frames: int) -> Breathing:
    none = np.zeros(0)
    return Breathing(np.full(frames, np.nan), none, none, none, none, none, [], [])


def _within(found: Breathing, at_s: Float[np.ndarray, " frame"], start_s: float, end_s: float) -> Breathing:
    """What counts of a piece."""
    here = (at_s >= start_s) & (at_s < end_s)
    counts = (found.time_s >= start_s) & (found.time_s < end_s)
    return Breathing(
        waveform=found.waveform[here],
        time_s=found.time_s[counts],
        rate=found.rate[counts],
        by_spectrum=found.by_spectrum[counts],
        by_peaks=found.by_peaks[counts],
        quality=found.quality[counts],
        flag=[flag for flag, inside in zip(found.flag, counts, strict=True) if inside],
        apnoeas_s=[(max(a, start_s), min(b, end_s)) for a, b in found.apnoeas_s if b > start_s and a < end_s],
    )


def _joined(apnoeas_s: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Those that end where a piece ends and the next one begins are one."""
    joined: list[tuple[float, float]] = []
    for start_s, end_s in apnoeas_s:
        if joined and joined[-1][1] == start_s:
            joined[-1] = joined[-1][0], end_s
        else:
            joined.append((start_s, end_s))
    return joined
