"""Points and boxes drawn on a picture of bytes.

The two marker colours are from the palette of Okabe and Ito, which colour-blind readers can tell apart.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image, ImageDraw, ImageFont

TRUE_COLOUR = "#56B4E9"
PREDICTED_COLOUR = "#E69F00"
OUTLINE_COLOUR = "#000000"
_WARM_BRIGHTNESS = 0.65
_FEWEST_GRAYS = 100

Picture = Float[np.ndarray, "*channel height width"]
PointsPx = Float[np.ndarray, "point 2"]


def to_rgb(image: Picture) -> UInt8[np.ndarray, "height width 3"]:
    """A picture of bytes: gray for temperatures or gray levels (one channel, or equal ones), else in its colours.

    A linear scale would show a warm face before a cool room as one white patch, so a gamma curve gives more of the
    brightness to the warm end where most of the warm pixels lie close together.
    """
    values = np.asarray(image, dtype=np.float32)
    if values.ndim == 3:
        if (values != values[:1]).any():
            low, high = np.nanpercentile(values, (0.5, 99.5))
            share = (np.moveaxis(values, 0, -1) - low) / max(high - low, 1e-6)
            return (np.nan_to_num(share).clip(0, 1) * 255).round().astype(np.uint8)
        values = values[0]
    known = np.isfinite(values)
    finite = values.ravel() if known.all() else values[known]
    if not finite.size:
        return np.zeros((*values.shape, 3), dtype=np.uint8)
    low, warm, high = np.percentile(finite[:: max(1, finite.size // 65536)], (0.5, 85, 99.9))
    if not low < high:
        return np.full((*values.shape, 3), 128, dtype=np.uint8)
    if finite.size < values.size:
        values = np.nan_to_num(values, nan=float(low), posinf=float(high), neginf=float(low))
    share = ((values - low) / (high - low)).clip(0, 1)
    warm_share = ((warm - low) / (high - low)).clip(0.01, 0.99)
    gamma = np.clip(np.log(_WARM_BRIGHTNESS) / np.log(warm_share), 1, 3)
    return np.repeat((share**gamma * 255).round().astype(np.uint8)[..., None], 3, axis=2)


def draw_points(
    image: UInt8[np.ndarray, "height width 3"],
    points_px: PointsPx,
    *,
    colour: str = PREDICTED_COLOUR,
) -> UInt8[np.ndarray, "height width 3"]:
    """A copy of the picture with an outlined cross on each point; points that are NaN are left out.

    The crosses grow with the picture, so that they stay visible when a viewer shrinks it.
    """
    height, width = image.shape[:2]
    arm = max(2, round(min(height, width) / 120))
    line = max(1, round(arm / 4))
    picture = Image.fromarray(np.ascontiguousarray(image))
    draw = ImageDraw.Draw(picture)
    points = np.asarray(points_px, dtype=float)
    centres = [(round(x), round(y)) for x, y in points[np.isfinite(points).all(axis=1)]]
    for fill, extra in ((OUTLINE_COLOUR, 1), (colour, 0)):
        thickness = line + 2 * extra
        for x, y in centres:
            first, last = -(thickness // 2), (thickness - 1) // 2  # of the bar, across
            reach = arm + extra
            draw.rectangle((x - reach, y + first, x + reach, y + last), fill=fill)
            draw.rectangle((x + first, y - reach, x + last, y + reach), fill=fill)
    return np.asarray(picture)


def draw_boxes(
    image: UInt8[np.ndarray, "height width 3"],
    boxes_px: Sequence[tuple[float, float, float, float]],
    labels: Sequence[str],
    *,
    colour: str = TRUE_COLOUR,
) -> UInt8[np.ndarray, "height width 3"]:
    """A copy of the picture with each box (x_min, y_min, x_max, y_max) and its label above it, within the picture."""
    picture = Image.fromarray(np.ascontiguousarray(image))
    draw = ImageDraw.Draw(picture)
    line = max(1, round(min(image.shape[:2]) / 240))
    font = ImageFont.load_default(size=max(10, round(min(image.shape[:2]) / 32)))
    for (x_min, y_min, x_max, y_max), label in zip(boxes_px, labels, strict=True):
        draw.rectangle((x_min, y_min, x_max, y_max), outline=colour, width=line)
        left, top, right, bottom = draw.textbbox((x_min, y_min), label, font=font, anchor="lb")
        down, across = max(0.0, -top), max(-left, min(0.0, picture.width - right))
        draw.rectangle((left + across, top + down, right + across, bottom + down), fill=OUTLINE_COLOUR)
        draw.text((x_min + across, y_min + down), label, font=font, fill=colour, anchor="lb")
    return np.asarray(picture)


def in_few_colours(picture: UInt8[np.ndarray, "height width 3"]) -> Image.Image:
    """A gray picture with coloured marks as one of 256 colours, which is written as PNG in a third of the time.

    The marks keep their colours; the grays share the other ones. A picture with many colours stays as it is.
    """
    red, green, blue = np.moveaxis(picture, 2, 0)
    coloured = (red != green) | (green != blue)
    codes, which = np.unique(picture[coloured] @ np.array([1, 2**8, 2**16]), return_inverse=True)
    colours = (codes[:, None] >> np.array([0, 8, 16])).astype(np.uint8)  # its lowest bytes
    grays = 256 - len(colours)
    if grays < _FEWEST_GRAYS:
        return Image.fromarray(picture)
    level = np.rint(np.arange(256) * ((grays - 1) / 255)).astype(np.uint8)
    indices = level[green]
    indices[coloured] = grays + which
    shades = np.rint(np.linspace(0, 255, grays)).astype(np.uint8)
    image = Image.fromarray(indices)
    image.putpalette(np.concatenate([np.repeat(shades, 3), colours.ravel()]).tobytes())
    return image
