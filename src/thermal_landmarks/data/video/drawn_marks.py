"""What a camera draws into every frame of a film: logos, scales, crosshairs, and clocks, whose digits change.

Where it draws is learned from some of the first frames. Later frames are looked at in those places alone, so that
a film costs little, and what is drawn in all of them is filled in all of them.
"""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from jaxtyping import Float32, UInt8

from thermal_landmarks.data.annotation import ThermalImage
from thermal_landmarks.data.formats.colour_bar import find_colour_bar
from thermal_landmarks.data.formats.displayed import framed
from thermal_landmarks.data.formats.marks import (
    Mask,
    breadth,
    constant_marks,
    dilated,
    filled,
    foreign_colours,
    marks_in,
    off_palette,
    strokes,
)
from thermal_landmarks.data.formats.palettes import BLACK_HOT, Palette

_MOSTLY = 0.8  # share of the frames
_MOST = 0.4  # of the picture that is near marks; beyond, they were not told rightly


class DrawnMarks:
    """Where the camera of a film draws, by some of its first frames as intensity, and their colours if they have any.

    Attributes:
        pixels: How many are near something drawn; 0: the film has no marks.
    """

    def __init__(self, frames: Iterable[ThermalImage], size: tuple[int, int], palette: Palette | None) -> None:
        self._palette = None if palette is BLACK_HOT else palette
        self._broad = breadth(size)
        found, levels = [], []
        for frame in frames:
            if frame.values.shape == size:
                found.append(self._in_whole(frame))
                levels.append(_levels(frame))
        self._places: list[tuple[tuple[slice, slice], Mask]] = []  # part of the picture, and what of it is near marks
        self.pixels = 0
        if not found:
            return
        reach = 3 * self._broad
        self._always = (np.mean(found, axis=0) >= _MOSTLY) | constant_marks(levels)
        near = np.mean([dilated(marks, reach) for marks in found], axis=0) >= _MOSTLY
        near |= dilated(self._always, reach)
        if 0 < near.mean() <= _MOST:
            self.pixels, self._places = int(near.sum()), self._divided(near)

    def filled(self, image: ThermalImage) -> ThermalImage:
        """A frame with its marks filled from around them."""
        if not self.pixels or image.values.shape != self._always.shape:
            return image
        levels, mask = _levels(image), self._always.copy()
        for part, near in self._places:
            drawn = strokes(levels[part], self._broad)
            if image.rgb is not None:
                drawn |= off_palette(image.rgb[part], self._distance(image.rgb[part]))
            mask[part] |= drawn & near
        values = image.values.copy()
        for part, near in self._places:
            np.copyto(values[part], filled(image.values[part], mask[part]), where=near)
        return replace(image, values=values, masked=int(mask.sum()))

    def _in_whole(self, frame: ThermalImage) -> Mask:
        marks = marks_in(_levels(frame))
        if frame.rgb is not None:
            marks |= foreign_colours(frame.rgb, self._distance(frame.rgb))
            bar = find_colour_bar(frame.rgb)
            if bar is not None:
                marks[framed(bar.rows), framed(bar.columns)] = True
        return marks

    def _distance(self, rgb: UInt8[np.ndarray, "height width 3"]) -> Float32[np.ndarray, "height width"] | None:
        return None if self._palette is None else self._palette.distance(rgb)

    def _divided(self, near: Mask) -> list[tuple[tuple[slice, slice], Mask]]:
        """The separate places; a margin shows what is at their border whole, and what to fill it from."""
        from scipy import ndimage

        areas, _ = ndimage.label(near, np.ones((3, 3)))
        places = []
        for number, (rows, columns) in enumerate(ndimage.find_objects(areas), 1):
            part = (_wider(rows, self._broad), _wider(columns, self._broad))
            places.append((part, areas[part] == number))
        return places


def _wider(part: slice, margin: int) -> slice:
    return slice(max(part.start - margin, 0), part.stop + margin)


def _levels(frame: ThermalImage) -> UInt8[np.ndarray, "height width"]:
    levels: np.ndarray = frame.values.clip(0, 255).astype(np.uint8)
    return levels
