"""What cameras draw over their pictures: logos, scales, crosshairs, numbers. They are told by being no heat.

Optics blur heat over several pixels, so a thin sharp line at the end of the range is drawn; so is a colour that the
picture's palette doesn't have, a colour in a gray picture, and a thin line that stays where it is while all around it
changes.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float32, UInt8

from thermal_landmarks.data.formats.palettes import Palette

_THIN = 0.015  # of the picture's shorter side: how broad strokes are
_ENDS = (40, 215)  # levels of 255 beyond which lines are drawn
_STANDS_OUT = 80  # levels above or below what a broader shape would have
_STANDS_OUT_ALWAYS = 40  # the same, of what never changes
_BESIDE = 35  # the same, of the softer pixels at a stroke's edge
_FEWEST = 5  # pixels of a stroke in a window of three times its breadth
# Levels of 255 from the nearest colour of the palette: of a mark, and of the blended pixels at its edge. JPEG blends
# colours where heat has a sharp edge, too, but not as far off.
_OFF_PALETTE, _BLENDED = 110.0, 50.0
_COLOURED = 60  # spread of red, green and blue, in a gray picture
_MOST_COLOURED = 0.1
_MOST = 0.2  # share of the picture that marks can cover; beyond, they were not told rightly
_CONSTANT, _CHANGING = 6, 24  # levels that a mark, and the picture around it, changes over some pictures
_FEWEST_PICTURES = 5

Mask = Bool[np.ndarray, "height width"]


def marks_in(levels: UInt8[np.ndarray, "height width"]) -> Mask:
    """Thin sharp shapes at either end of the range.

    Args:
        levels: 0 to 255, whatever the picture's palette was.
    """
    return _unless_too_much(strokes(levels, breadth(levels.shape)))


def strokes(levels: UInt8[np.ndarray, "height width"], broad: int) -> Mask:
    """As `marks_in`, of a part of a picture.

    Args:
        levels: 0 to 255.
        broad: Of the picture, as of `breadth`.
    """
    marks = np.zeros(levels.shape, bool)
    above, below = _beyond_broader(levels, broad)
    for out, end in ((above, levels >= _ENDS[1]), (below, levels <= _ENDS[0])):
        core = _not_alone((out >= _STANDS_OUT) & end, 3 * broad)
        if core.any():
            soft = (dilated(core, broad + 2) & (out >= _STANDS_OUT)) | (dilated(core, 3) & (out >= _BESIDE))
            marks |= core | soft
    # The gaps within letters and numbers are no place to fill them from.
    return _eroded(dilated(marks, broad), broad) if marks.any() else marks


def breadth(shape: tuple[int, ...]) -> int:
    """Odd number of pixels that no stroke in a picture of this shape is as broad as."""
    return 2 * max(round(_THIN * min(shape) / 2), 1) + 1


def foreign_colours(rgb: UInt8[np.ndarray, "height width 3"], palette: Palette | None) -> Mask:
    """Pixels of colours that the picture's palette doesn't have.

    Args:
        rgb: The picture.
        palette: In which it shows heat. None: in gray, if hardly any of it has a colour.
    """
    if palette is None and (np.ptp(rgb, axis=2) > _COLOURED).mean() > _MOST_COLOURED:
        return np.zeros(rgb.shape[:2], bool)
    return _unless_too_much(off_palette(rgb, palette))


def off_palette(rgb: UInt8[np.ndarray, "height width 3"], palette: Palette | None) -> Mask:
    """As `foreign_colours`, of a part of a picture that is in a palette, or in gray (None)."""
    if palette is not None:
        off = palette.distance(rgb)
        foreign, blended = off > _OFF_PALETTE, off > _BLENDED
    else:
        spread = np.ptp(rgb, axis=2)
        foreign, blended = spread > _COLOURED, spread > _COLOURED / 2
    foreign = _not_alone(foreign, 5)
    return foreign | (dilated(foreign, 5) & blended)


def constant_marks(pictures: Sequence[UInt8[np.ndarray, "height width"]]) -> Mask:
    """Thin lines that stay the same while the picture around them changes.

    Edges of the scene stay, too, before a camera that doesn't move (a car's window, a shoulder); they are no lines.

    Args:
        pictures: Of one camera and size, in levels from 0 to 255; fewer than five tell nothing.
    """
    shape = pictures[0].shape
    if len(pictures) < _FEWEST_PICTURES:
        return np.zeros(shape, bool)
    change = np.maximum.reduce(pictures) - np.minimum.reduce(pictures)
    constant = change <= _CONSTANT
    broad = breadth(shape)
    middle = np.median(pictures[:: max(1, len(pictures) // 8)], axis=0).astype(np.uint8)
    out = np.maximum(*_beyond_broader(middle, broad))
    changing = _sum_around(change >= _CHANGING, 3 * broad) >= broad * broad
    core = _not_alone(constant & changing & (out >= _STANDS_OUT_ALWAYS), 3 * broad)
    return _unless_too_much(core | (dilated(core, 3) & (out >= _BESIDE)))


def filled(values: Float32[np.ndarray, "height width"], marks: Mask) -> Float32[np.ndarray, "height width"]:
    """Values with those under the marks interpolated from the nearest others to the left, right, above and below.

    The nearer of them count more, by the inverse of their distance.
    """
    here = np.nonzero(marks)
    total, weight = np.zeros(len(here[0]), np.float32), np.zeros(len(here[0]), np.float32)
    for axis in (0, 1):
        for backwards in (False, True):
            place = _nearest_before(np.flip(marks, axis) if backwards else marks, axis)
            if backwards:
                place = np.flip(marks.shape[axis] - 1 - place, axis)
            found = place[here]
            known = (found >= 0) & (found < marks.shape[axis])
            found = np.where(known, found, 0)
            source = (found, here[1]) if axis == 0 else (here[0], found)
            near = known / np.maximum(np.abs(found - here[axis]), 1).astype(np.float32)
            total += near * values[source]
            weight += near
    result = values.copy()
    result[here] = np.where(weight > 0, total / np.maximum(weight, 1e-9), values[here])
    return result


def _nearest_before(marks: Mask, axis: int) -> np.ndarray:
    """Row (axis 0) or column of the last pixel up to here that no mark covers; -1 where there is none."""
    count = np.arange(marks.shape[axis])
    places = count[:, None] if axis == 0 else count[None, :]
    return np.maximum.accumulate(np.where(marks, -1, places), axis=axis)


def _unless_too_much(marks: Mask) -> Mask:
    return marks if marks.mean() <= _MOST else np.zeros_like(marks)


def _beyond_broader(levels: np.ndarray, broad: int) -> tuple[np.ndarray, np.ndarray]:
    """How far each pixel is above and below what it would be without the shapes that are thinner than `broad`."""
    return levels - dilated(_eroded(levels, broad), broad), _eroded(dilated(levels, broad), broad) - levels


def _not_alone(core: Mask, side: int) -> Mask:
    """Those pixels of strokes that have enough others in a square around them."""
    return core & (_sum_around(core, side) >= _FEWEST) if core.any() else core


def dilated(image: np.ndarray, side: int) -> np.ndarray:
    """The largest value in a square around each pixel."""
    return _along(_along(image, side, 0, np.maximum), side, 1, np.maximum)


def _eroded(image: np.ndarray, side: int) -> np.ndarray:
    return _along(_along(image, side, 0, np.minimum), side, 1, np.minimum)


def _along(image: np.ndarray, side: int, axis: int, choose: np.ufunc) -> np.ndarray:
    pad = [(0, 0), (0, 0)]
    pad[axis] = (side // 2, side // 2)
    padded = np.pad(image, pad, mode="edge")
    length = image.shape[axis]
    shifted = [padded[i : i + length] if axis == 0 else padded[:, i : i + length] for i in range(side)]
    result: np.ndarray = shifted[0].copy()
    for other in shifted[1:]:
        choose(result, other, out=result)
    return result


def _sum_around(image: np.ndarray, side: int) -> np.ndarray:
    """Sum over a square around each pixel, as far as the picture reaches."""
    half = side // 2
    total = np.pad(image.astype(np.float64), ((1, 0), (1, 0))).cumsum(axis=0).cumsum(axis=1)
    (top, bottom), (left, right) = (
        (np.clip(np.arange(n) - half, 0, n), np.clip(np.arange(n) + half + 1, 0, n)) for n in image.shape
    )
    rows = total[bottom] - total[top]
    result: np.ndarray = rows[:, right] - rows[:, left]
    return result
