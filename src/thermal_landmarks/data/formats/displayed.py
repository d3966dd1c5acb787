"""8-bit pictures of thermal cameras as the heat that they show: without the palette, and without the camera's marks."""

from dataclasses import replace

import numpy as np
from jaxtyping import Bool, UInt8

from thermal_landmarks.data.annotation import ThermalImage
from thermal_landmarks.data.formats.colour_bar import ColourBar, find_colour_bar
from thermal_landmarks.data.formats.marks import filled, foreign_colours, marks_in
from thermal_landmarks.data.formats.palettes import (
    BLACK_HOT,
    Palette,
    is_shown_in,
    named_palette,
    palette_of,
    recognise_palette,
)
from thermal_landmarks.errors import require_choice

_FRAME = 2  # pixels around a bar


def as_heat(
    image: ThermalImage,
    palette: str | Palette = "auto",
    marks: str = "masked",
    *,
    known_marks: Bool[np.ndarray, "height width"] | None = None,
) -> ThermalImage:
    """An 8-bit picture of a thermal camera as the intensity that it shows; other images as they are.

    Args:
        image: As it was read.
        palette: `auto`: as of `recognised_palette`; `none` leaves the luminance; a name, or the palette itself.
        marks: `masked` fills logos, scales, crosshairs and numbers from the picture around them; `kept` leaves them.
        known_marks: Where the camera's marks are in all of its pictures (see `marks.constant_marks`).

    Raises:
        ConfigError: If there is no such palette or way with marks.
    """
    if isinstance(palette, str) and palette not in ("auto", "none"):
        palette = named_palette(palette)
    check_marks(marks)
    picture = _picture(image)
    if picture is None or (palette == "none" and marks == "kept"):
        return image
    bar = find_colour_bar(picture) if palette == "auto" or marks == "masked" else None
    chosen = _chosen(image, bar) if palette == "auto" else palette if isinstance(palette, Palette) else None
    shown, distance = image, None
    if chosen is BLACK_HOT:
        shown = replace(image, values=255 - image.values, palette=chosen.name)
    elif chosen is not None and image.rgb is not None:
        values, distance = chosen.read(image.rgb)
        shown = replace(image, values=values, palette=chosen.name)
    if marks == "kept":
        return shown
    mask = marks_in(shown.values.astype(np.uint8))
    if image.rgb is not None:
        mask |= foreign_colours(image.rgb, distance)
    if known_marks is not None:
        mask |= known_marks
    if bar is not None:
        mask[framed(bar.rows), framed(bar.columns)] = True
    if not mask.any():
        return shown
    return replace(shown, values=filled(shown.values, mask), masked=int(mask.sum()))


def check_marks(marks: str) -> None:
    """Refuse an unknown way with marks.

    Raises:
        ConfigError: Naming those that there are.
    """
    require_choice("marks", marks, ("masked", "kept"))


def recognised_palette(image: ThermalImage) -> Palette | None:
    """The palette of an 8-bit picture; None of one that shows warm parts brighter, and of a photograph.

    It is the one that the file states, if the picture has its colours; else that of a colour bar in the picture or a
    known one, whichever is nearer to the colours. A gray picture is `BLACK_HOT` if its file or its bar says so.
    """
    picture = _picture(image)
    return None if picture is None else _chosen(image, find_colour_bar(picture))


def _chosen(image: ThermalImage, bar: ColourBar | None) -> Palette | None:
    if image.rgb is not None and image.stated_palette is not None:
        name, colours = image.stated_palette
        stated = palette_of(name, np.ascontiguousarray(colours, dtype=np.uint8).tobytes())
        if is_shown_in(image.rgb, stated):
            return _gray(stated) if stated.is_gray else stated
    fit = None if image.rgb is None else recognise_palette(image.rgb, () if bar is None else (bar.palette,))
    if fit is not None:
        return fit.palette
    return None if bar is None or not bar.palette.is_gray else _gray(bar.palette)


def _gray(palette: Palette) -> Palette | None:
    return None if palette.rises else BLACK_HOT


def _picture(image: ThermalImage) -> UInt8[np.ndarray, "height width 3"] | None:
    """The picture as a person sees it; None of temperatures and of values beyond 8 bits."""
    if image.unit != "gray" or image.values.ndim != 2:
        return None
    if image.rgb is not None:
        return image.rgb if image.rgb.dtype == np.uint8 else None
    if not 0 <= float(image.values.min()) <= float(image.values.max()) <= 255:
        return None
    return np.broadcast_to(image.values.astype(np.uint8)[..., None], (*image.values.shape, 3))


def framed(part: slice) -> slice:
    """Rows or columns of a bar, with the frame around it."""
    return slice(max(part.start - _FRAME, 0), part.stop + _FRAME)
