"""What cameras draw over their pictures: logos, scales, crosshairs, numbers. They are told by being no heat.

Optics blur heat over several pixels, so a thin sharp line at the end of the range is drawn; so is a colour that the
picture's palette doesn't have, a colour in a gray picture, and a thin line that stays where it is while all around it
changes.
"""

import functools
from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float32, UInt8

from thermal_landmarks.data.formats.palettes import spread_of

_THIN = 0.015  # of the picture's shorter side: how broad strokes are
_ENDS = (40, 215)  # levels of 255 beyond which lines are drawn
_STANDS_OUT = 80  # levels above or below what a broader shape would have
_STANDS_OUT_ALWAYS = 40  # the same, of what never changes
_BESIDE = 35  # the same, of the softer pixels at a stroke's edge
_FEWEST = 5  # pixels of a stroke in a window of three times its breadth
# Levels of 255 from the nearest colour of the palette: of a mark, and of the blended pixels at its edge. JPEG blends
# colours where heat has a sharp edge, too, but not as far off.
_OFF_PALETTE, _BLENDED = 110.0, 50.0
_APART, _HUES_DIFFER, _SAME_HUE = 3, 40.0, 25.0  # pixels to either side of a blend, and levels of chroma
_COLOURED = 60  # spread of red, green and blue, in a gray picture
_MOST_COLOURED = 0.1
_MOST = 0.2  # share of the picture that marks can cover; beyond, they were not told rightly
_CONSTANT, _CHANGING = 6, 24  # levels that a mark, and the picture around it, changes over some pictures
_FEWEST_PICTURES = 5

Mask = Bool[np.ndarray, "height width"]


def marks_in(levels: UInt8[np.ndarray, "height width"]) -> Mask:
    """Thin sharp shapes at either end of the range."""
    return _unless_too_much(strokes(levels, breadth(levels.shape)))


def strokes(levels: UInt8[np.ndarray, "height width"], broad: int) -> Mask:
    """As `marks_in`, of a part of a picture."""
    marks = np.zeros(levels.shape, bool)
    rows = _may_have_strokes(levels, broad)
    lines = dilated(rows[:, None], 4 * broad + 1)[:, 0]  # what follows sees no others
    if not lines.any():
        return marks
    seen, within = levels[lines], rows[lines, None]
    above, below = _beyond_broader(seen, broad)
    bright = (above >= _STANDS_OUT) & (seen >= _ENDS[1]) & within
    dark = (below >= _STANDS_OUT) & (seen <= _ENDS[0]) & within
    for out, core in ((above, bright), (below, dark)):
        core = _not_alone(core, 3 * broad)
        if core.any():
            soft = (dilated(core, broad + 2) & (out >= _STANDS_OUT)) | (dilated(core, 3) & (out >= _BESIDE))
            marks[lines] |= core | soft
    # The gaps within letters and numbers are no place to fill them from.
    if marks.any():
        marks[lines] = _eroded(dilated(marks[lines], broad), broad)
    return marks


def breadth(shape: tuple[int, ...]) -> int:
    """Odd number of pixels that no stroke in a picture of this shape is as broad as."""
    return 2 * max(round(_THIN * min(shape) / 2), 1) + 1


def foreign_colours(
    rgb: UInt8[np.ndarray, "height width 3"], distance: Float32[np.ndarray, "height width"] | None
) -> Mask:
    """Pixels of colours that the picture's palette doesn't have.

    By the distance of its colours from its palette, in levels of 255. None: it is in gray, if hardly any of it has a
    colour.
    """
    if distance is None:
        spread = spread_of(rgb)
        much = np.count_nonzero(spread > _COLOURED) > _MOST_COLOURED * spread.size
        return np.zeros(spread.shape, bool) if much else _unless_too_much(_grown(spread, _COLOURED, _COLOURED / 2))
    return _unless_too_much(off_palette(rgb, distance))


def off_palette(rgb: UInt8[np.ndarray, "height width 3"], distance: Float32[np.ndarray, "height width"] | None) -> Mask:
    """As `foreign_colours`, of a part of a picture that is in a palette, or in gray (None)."""
    if distance is None:
        return _grown(spread_of(rgb), _COLOURED, _COLOURED / 2)
    off = distance > _BLENDED
    return _grown(np.where(_blended(rgb, off), 0, distance), _OFF_PALETTE, _BLENDED) if off.any() else off


def _blended(rgb: UInt8[np.ndarray, "height width 3"], off: Mask) -> Mask:
    """Pixels off the palette between two of its hues: at sharp edges of heat, as JPEG stores half as many hues."""
    result = np.zeros_like(off)
    rows, columns = np.nonzero(off)

    def place(down: int, right: int) -> tuple[np.ndarray, np.ndarray]:
        return (rows + down).clip(0, off.shape[0] - 1), (columns + right).clip(0, off.shape[1] - 1)

    def hue(at: tuple[np.ndarray, np.ndarray]) -> np.ndarray:  # (pixel, 2): without brightness
        red, green, blue = rgb[at].T.astype(np.float32)
        bright = 0.299 * red + 0.587 * green + 0.114 * blue
        return np.stack([0.713 * (red - bright), 0.564 * (blue - bright)], axis=1)

    own = hue((rows, columns))
    for down, right in ((0, _APART), (_APART, 0), (_APART, _APART), (_APART, -_APART)):
        sides = place(-down, -right), place(down, right)
        one, other = map(hue, sides)
        way = other - one
        length = (way**2).sum(axis=1)
        share = (((own - one) * way).sum(axis=1) / np.maximum(length, 1)).clip(0, 1)
        beside = np.linalg.norm(own - one - share[:, None] * way, axis=1)
        between = (length >= _HUES_DIFFER**2) & (beside <= _SAME_HUE)
        result[rows, columns] |= between & ~off[sides[0]] & ~off[sides[1]]
    return result


def _grown(off: np.ndarray, surely: float, perhaps: float) -> Mask:
    foreign = _not_alone(off > surely, 5)
    return foreign | (dilated(foreign, 5) & (off > perhaps)) if foreign.any() else foreign


def constant_marks(pictures: Sequence[UInt8[np.ndarray, "height width"]]) -> Mask:
    """Thin lines that stay the same while the picture around them changes.

    Edges of the scene stay, too, before a camera that doesn't move (a car's window, a shoulder); they are no lines.

    Of pictures of one camera and size, in levels from 0 to 255, fewer than five tell nothing.
    """
    shape = pictures[0].shape
    if len(pictures) < _FEWEST_PICTURES:
        return np.zeros(shape, bool)
    change = np.maximum.reduce(pictures) - np.minimum.reduce(pictures)
    constant = change <= _CONSTANT
    broad = breadth(shape)
    middle = np.median(pictures[:: max(1, len(pictures) // 8)], axis=0).astype(np.uint8)
    out = np.maximum(*_beyond_broader(middle, broad))
    lines = constant & (out >= _STANDS_OUT_ALWAYS)
    core = _not_alone(_surrounded(lines, change >= _CHANGING, 3 * broad, broad * broad), 3 * broad)
    return _unless_too_much(core | (dilated(core, 3) & (out >= _BESIDE)))


def filled(values: Float32[np.ndarray, "height width"], marks: Mask) -> Float32[np.ndarray, "height width"]:
    """Values with those under the marks interpolated from the nearest others to the left, right, above and below.

    The nearer of them count more, by the inverse of their distance.
    """
    rows, columns = np.divmod(np.flatnonzero(marks), marks.shape[1])  # far faster than `np.nonzero`
    total, weight = np.zeros(len(rows), np.float32), np.zeros(len(rows), np.float32)
    for across in (False, True):
        line, place, source = (columns, rows, values.T) if across else (rows, columns, values)
        order = line.astype(np.uint32).argsort(kind="stable") if across else slice(None)
        line, place = line[order], place[order]
        runs = np.flatnonzero((np.diff(line, prepend=-1) != 0) | (np.diff(place, prepend=-2) != 1))
        length = np.diff(runs, append=len(line))
        for beyond in (place[runs] - 1, place[runs] + length):  # the nearest without a mark, on both sides
            found = np.repeat(beyond, length)
            known = (found >= 0) & (found < source.shape[1])
            found = np.where(known, found, 0)
            near = known / np.maximum(np.abs(found - place), 1).astype(np.float32)
            total[order] += near * source[line, found]
            weight[order] += near
    result = values.copy()
    result[rows, columns] = np.where(weight > 0, total / np.maximum(weight, 1e-9), values[rows, columns])
    return result


def _unless_too_much(marks: Mask) -> Mask:
    return marks if np.count_nonzero(marks) <= _MOST * marks.size else np.zeros_like(marks)


def _beyond_broader(levels: np.ndarray, broad: int) -> tuple[np.ndarray, np.ndarray]:
    """How far each pixel is above and below what it would be without the shapes that are thinner than `broad`."""
    return levels - dilated(_eroded(levels, broad), broad), _eroded(dilated(levels, broad), broad) - levels


def _may_have_strokes(levels: UInt8[np.ndarray, "height width"], broad: int) -> Bool[np.ndarray, " height"]:
    """Rows of a picture that can have any; all the others have none.

    Each pixel has a square of three by three tiles around it that holds a square of `broad` pixels around it: what the
    tiles' extremes, without shapes that are thinner than three tiles, don't leave out, the pixels' don't either.
    """
    side = broad // 2
    height, width = levels.shape
    if height % side or width % side:
        levels = np.pad(levels, ((0, -height % side), (0, -width % side)), mode="edge")
    low, high = (_tiles(levels, side, choose) for choose in (np.minimum, np.maximum))
    above, below = high - dilated(_eroded(low, 3), 3), _eroded(dilated(high, 3), 3) - low
    strokes = ((above >= _STANDS_OUT) & (high >= _ENDS[1])) | ((below >= _STANDS_OUT) & (low <= _ENDS[0]))
    return strokes.any(axis=1).repeat(side)[:height]


def _tiles(levels: np.ndarray, side: int, choose: np.ufunc) -> np.ndarray:
    """One value for each square of pixels."""
    rows = functools.reduce(choose, (levels[start::side] for start in range(side)))
    tiles: np.ndarray = functools.reduce(choose, (rows[:, start::side] for start in range(side)))
    return tiles


def _not_alone(core: Mask, side: int) -> Mask:
    """Those pixels of strokes that have enough others in a square around them."""
    return _surrounded(core, core, side, _FEWEST)


def _surrounded(pixels: Mask, by: Mask, side: int, fewest: int) -> Mask:
    """Those pixels with enough of the others in a square around them, as far as the picture reaches."""
    if np.count_nonzero(by) < fewest or not pixels.any():
        return np.zeros_like(pixels)
    bytes_do = side * fewest < 256
    lines = _summed(by.view(np.uint8) if bytes_do else by.astype(np.uint16), side, 0)
    # More than enough in a line say no more than enough do.
    count = _summed(np.minimum(lines, lines.dtype.type(fewest)), side, 1)
    enough: Mask = pixels & (count >= fewest)
    return enough


def _summed(counts: np.ndarray, side: int, axis: int) -> np.ndarray:
    """Sums over odd windows, put together from parts whose width doubles."""
    length, half = counts.shape[axis], side // 2
    beyond = [(half, half) if place == axis else (0, 0) for place in range(2)]
    part, total = np.pad(counts, beyond), np.zeros_like(counts)
    start, width = 0, 1
    while True:
        if side & width:
            total += _cut(part, start, length, axis)
            start += width
        if start == side:
            return total
        kept = part.shape[axis] - width
        part = _cut(part, 0, kept, axis) + _cut(part, width, kept, axis)
        width *= 2


def dilated(image: np.ndarray, side: int) -> np.ndarray:
    """The largest value in a square around each pixel."""
    return _along(_along(image, side, 0, np.maximum), side, 1, np.maximum)


def _eroded(image: np.ndarray, side: int) -> np.ndarray:
    return _along(_along(image, side, 0, np.minimum), side, 1, np.minimum)


def _along(image: np.ndarray, side: int, axis: int, choose: np.ufunc) -> np.ndarray:
    """Over odd windows that end at the picture's border; their width doubles until they are as wide as asked for."""
    if image.dtype == bool:  # of which NumPy compares one at a time, of bytes many
        return _along(image.view(np.uint8), side, axis, choose).view(bool)
    length, half = image.shape[axis], side // 2
    first, last = (_cut(image, at, 1, axis).repeat(half, axis=axis) for at in (0, length - 1))
    result, width = np.concatenate([first, image, last], axis=axis), 1
    while width < side:
        step = min(width, side - width)
        kept = result.shape[axis] - step
        result = choose(_cut(result, 0, kept, axis), _cut(result, step, kept, axis))
        width += step
    return _cut(result, 0, length, axis)


def _cut(image: np.ndarray, start: int, length: int, axis: int) -> np.ndarray:
    return image[start : start + length] if axis == 0 else image[:, start : start + length]
