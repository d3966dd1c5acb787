"""The colour bar beside a thermal picture: it shows the camera's own palette, and which of its ends is warm.

A bar's colour is the same across it and runs once through the palette along it, between sharp edges. By the convention
of all vendors the warm end is the upper or the right one.
"""

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, UInt8

from thermal_landmarks.data.formats.palettes import Palette, palette_of

_ROWS = 96  # of the picture that are looked at: bars are long
_FLAT = 12  # of 255: how much a bar's colour differs across it (JPEG)
_STEP = (2, 70)  # how little and how much it differs from one of these rows to the next
_LEAST_LENGTH = 0.35  # of the picture
_LARGEST_WIDTH = 0.12
_LEAST_WIDTH_PX = 3
_LEAST_RANGE = 200.0  # of luminance along a bar; all known palettes have 215 and more, clothes and walls less
_LARGEST_SPREAD = 14.0  # across a bar, of nine tenths of its pixels from the middle of their row
_LUMINANCE = np.array([0.299, 0.587, 0.114])  # of red, green and blue
_EDGE, _BESIDE = 30.0, 3  # how much the picture differs beside the bar, and so many pixels on
_STATIONS = 9  # along the bar
_LEAST_STEP = 8.0  # between two of them
_STEPS = 64


class ColourBar(NamedTuple):
    """Where a bar is, and its palette."""

    rows: slice  # of the picture
    columns: slice  # of the picture
    palette: Palette  # from cold to warm


def find_colour_bar(rgb: UInt8[np.ndarray, "height width 3"]) -> ColourBar | None:
    """The bar of a picture: an upright one, else a level one; None without."""
    if min(rgb.shape[:2]) < 16:
        return None
    upright = _upright_bar(rgb)
    if upright is not None:
        return upright
    level = _upright_bar(np.rot90(rgb))  # what was at the right is at the top then
    if level is None:
        return None
    width = rgb.shape[1]
    return ColourBar(level.columns, slice(width - level.rows.stop, width - level.rows.start), level.palette)


def _upright_bar(rgb: UInt8[np.ndarray, "height width 3"]) -> ColourBar | None:
    height, width = rgb.shape[:2]
    every = max(height // _ROWS, 1)
    channels = 1 if rgb.strides[2] == 0 else 3  # of gray pictures one, which is seen three times
    some = rgb[::every, :, :channels]
    if not _may_have_a_bar(_planes(some[:, ::_LEAST_WIDTH_PX])):
        return None
    compared = _planes(some)
    planes = np.broadcast_to(compared, (3, *compared.shape[1:]))
    flat = _difference(compared[:, :, 1:], compared[:, :, :-1]) <= _FLAT
    like_a_bar = flat[1:] & _goes_on(compared)[:, 1:]
    long = _have_run(like_a_bar, math.ceil(_LEAST_LENGTH * planes.shape[1]))
    edges = np.flatnonzero(np.diff(long.astype(np.int8), prepend=0, append=0))
    best, longest = None, 0.0
    for left, right in zip(edges[::2], edges[1::2] + 1, strict=True):  # columns left to right - 1 are alike
        middle = min((left + right) // 2, width - 2)
        if not _LEAST_WIDTH_PX <= right - left <= max(_LARGEST_WIDTH * width, _LEAST_WIDTH_PX):
            continue
        start, stop = _longest_run(like_a_bar[:, middle])
        if np.ptp(_LUMINANCE @ planes[:, start : stop + 1, middle]) < _LEAST_RANGE - 2 * _LARGEST_SPREAD:
            continue  # most are walls and clothes; what follows takes longer to say so
        beside = max(left - _BESIDE, 0)
        rows = planes[:, start : stop + 1, beside : right + _BESIDE].transpose(1, 2, 0).astype(np.int16)
        across = slice(left - beside, right - beside)
        bar = np.median(rows[:, across], axis=1)
        cut, path = _way(bar)
        rows, bar, start, stop = rows[cut], bar[cut], start + cut.start, start + cut.stop
        if path > longest and _ends_sharply(rows, bar, across) and _runs_through_a_palette(rows[:, across], bar):
            pixels = slice(start * every, min((stop - 1) * every + 1, height))
            best, longest = (pixels, slice(int(left), int(right))), path
    if best is None:
        return None
    colours = np.median(rgb[best], axis=1)[::-1]
    steps = np.rint(np.linspace(0, len(colours) - 1, min(_STEPS, len(colours)))).astype(int)
    return ColourBar(*best, palette_of("colour bar", colours[steps].astype(np.uint8).tobytes()))


def _planes(rgb: UInt8[np.ndarray, "row column channel"]) -> UInt8[np.ndarray, "channel row column"]:
    """The channels one after the other, which are far faster to compare than pixel by pixel."""
    return np.ascontiguousarray(rgb.transpose(2, 0, 1))


def _may_have_a_bar(planes: UInt8[np.ndarray, "channel row column"]) -> bool:
    """Whether any of some columns, of which each bar has one, could be of a bar; most pictures have none."""
    brightness = planes[0]
    if len(planes) == 3:
        red, green, blue = planes.astype(np.uint16)
        brightness = (77 * red + 150 * green + 29 * blue) >> 8
    varied = np.ptp(brightness, axis=0) >= _LEAST_RANGE - 4 * _LARGEST_SPREAD
    if not varied.any():
        return False
    return bool(_have_run(_goes_on(planes[:, :, varied]), math.ceil(_LEAST_LENGTH * planes.shape[1])).any())


def _goes_on(planes: UInt8[np.ndarray, "channel row column"]) -> np.ndarray:
    """Where a column's colour changes from one row to the next as a bar's does."""
    step = _difference(planes[:, 1:], planes[:, :-1])
    moves = step >= _STEP[0]
    near = moves.copy()  # with one row to either side; `np.pad` would take as long as all the rest
    near[1:] |= moves[:-1]
    near[:-1] |= moves[1:]
    return near & (step <= _STEP[1])


def _difference(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Between bytes (3, row, column), of the channel in which they differ most."""
    apart: np.ndarray = (np.maximum(one, other) - np.minimum(one, other)).max(axis=0)
    return apart


def _have_run(marked: Bool[np.ndarray, "row column"], length: int) -> Bool[np.ndarray, " column"]:
    """Whether each column has so many marked rows in succession; put together from runs whose length doubles."""
    runs, together = marked, 1
    while together < length:
        step = min(together, length - together)
        runs = runs[: max(len(runs) - step, 0)] & runs[step:]
        together += step
    found: np.ndarray = np.logical_or.reduce(runs, axis=0)
    return found


def _longest_run(marked: Bool[np.ndarray, " row"]) -> tuple[int, int]:
    """The first row of a column's longest run of marked ones (of several, the first), and the second row after it."""
    ends = np.flatnonzero(np.diff(marked, prepend=False, append=False))
    if not len(ends):
        return 1, 2
    longest = int((ends[1::2] - ends[::2]).argmax())
    return int(ends[2 * longest]), int(ends[2 * longest + 1]) + 1


def _way(bar: np.ndarray) -> tuple[slice, float]:
    """The part of a run that goes through colours, and how long that way is; 0 if it stands still, as no palette does.

    Beyond either end there may be a little of a noisy background in the end's colour.
    """
    at = np.rint(np.linspace(0, len(bar) - 1, _STATIONS)).astype(int)
    steps = np.linalg.norm(np.diff(bar[at], axis=0), axis=1)
    moving = np.flatnonzero(steps >= _LEAST_STEP)
    if len(moving) < _STATIONS - 3 or np.ptp(moving) >= len(moving):  # all but one at each end
        return slice(0, len(bar)), 0.0
    return slice(int(at[moving[0]]), int(at[moving[-1] + 1]) + 1), float(steps[moving].sum())


def _runs_through_a_palette(rows: np.ndarray, bar: np.ndarray) -> bool:
    """Whether it is the same all across, and goes from dark to bright on its way."""
    spread = np.percentile(np.abs(rows - bar[:, None]).max(axis=2), 90)
    return bool(spread <= _LARGEST_SPREAD and np.ptp(bar @ _LUMINANCE) >= _LEAST_RANGE)


def _ends_sharply(rows: np.ndarray, bar: np.ndarray, across: slice) -> bool:
    """Whether the picture is another one on both sides; a few pixels on, where JPEG has blended nothing."""
    sides = [column for column in (across.start - _BESIDE, across.stop + _BESIDE - 1) if 0 <= column < rows.shape[1]]
    return all(float(np.abs(rows[:, column] - bar).max(axis=1).mean()) >= _EDGE for column in sides)
