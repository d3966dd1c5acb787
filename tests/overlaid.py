"""Thermal pictures as cameras and screenshots show them: in a palette, with logo, colour bar, crosshairs and text."""

import io

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from thermal_landmarks.data.formats.palettes import named_palette


def levels_of(celsius: np.ndarray) -> np.ndarray:
    low, high = np.percentile(celsius, [0.5, 99.8])
    return ((celsius - low) / (high - low) * 255).clip(0, 255)


def coloured(levels: np.ndarray, palette: str | np.ndarray) -> np.ndarray:
    """Levels in a palette: a known one, `white_hot`, or (256, 3) colours."""
    if isinstance(palette, str) and palette == "white_hot":
        colours = np.arange(256.0)[:, None].repeat(3, axis=1)
    else:
        colours = named_palette(palette).colours if isinstance(palette, str) else palette
    return np.rint(colours[np.rint(levels).astype(int)]).astype(np.uint8)


def jpeg(rgb: np.ndarray) -> np.ndarray:
    file = io.BytesIO()
    Image.fromarray(rgb).save(file, "jpeg", quality=90)
    return np.array(Image.open(file))


def with_marks(
    rgb: np.ndarray,
    palette: str | np.ndarray,
    *,
    at: tuple[int, int] | None = None,
    bar: bool = True,
    clock: str = "12:00:59",
) -> np.ndarray:
    """The picture with a camera's marks.

    Args:
        rgb: The picture.
        palette: Of the bar.
        at: Of the crosshairs (x, y). None: the middle.
        bar: Whether there is one.
        clock: What it shows.
    """
    height, width = rgb.shape[:2]
    picture = Image.fromarray(rgb)
    draw = ImageDraw.Draw(picture)
    size = max(height // 22, 9)
    font = ImageFont.load_default(size)
    draw.text((4, 4), "THERMO", fill="white", font=font)
    draw.text((4, height - size - 6), clock, fill="white", font=font)
    if bar:
        wide, top, bottom = max(width // 32, 4), int(0.15 * height), int(0.85 * height)
        left = width - wide - 6
        draw.rectangle([left - 1, top - 1, left + wide, bottom], outline="white")
        ramp = coloured(np.linspace(255, 0, bottom - top)[:, None].repeat(wide, axis=1), palette)
        picture.paste(Image.fromarray(ramp), (left, top))
        draw.text((width - 3 * size, top - size - 4), "38.1", fill="white", font=font)
        draw.text((width - 3 * size, bottom + 2), "19.4", fill="white", font=font)
    x, y = at or (width // 2, height // 2)
    for near, far in ((6, 20), (-20, -6)):
        draw.line([x + near, y, x + far, y], fill="white")
        draw.line([x, y + near, x, y + far], fill="white")
    draw.text((x + 12, y + 8), "34.2", fill="white", font=font)
    draw.line([x - 30, y - 12, x - 18, y - 12], fill=(0, 255, 0), width=2)
    return np.array(picture)
