"""What cameras draw into their 8-bit pictures: a logo, a scale, crosshairs, temperatures, the time."""

from functools import lru_cache

import numpy as np
from jaxtyping import Float
from PIL import Image, ImageDraw, ImageFont

from thermal_faces.camera.resampling import enlarge
from thermal_faces.randomness import chance, uniform

_WORDS = (
    "FLIR",
    "SEEK",
    "HIKMICRO",
    "InfiRay",
    "Fluke",
    "testo",
    "UNI-T",
    "TOPDON",
    "THERMAL",
    "REC",
    "AUTO",
    "MAX",
    "MIN",
)


def burn_in(
    generator: np.random.Generator, gray: Float[np.ndarray, "height width"]
) -> Float[np.ndarray, "height width"]:
    """The picture with some of a camera's marks over it, in gray levels."""
    gray = gray.copy()
    height, width = gray.shape
    light = 255.0 if chance(generator, 0.85) else 0.0
    size = max(round(height * uniform(generator, (0.03, 0.07))), 5)
    if chance(generator, 0.55):
        word = _WORDS[generator.integers(len(_WORDS))]
        corner = generator.integers(4)
        _write(gray, word, (size // 2, size // 2), size, light, right=bool(corner % 2), bottom=bool(corner > 1))
    if chance(generator, 0.5):
        _scale(generator, gray, size, light)
    if chance(generator, 0.55):
        _crosshair(generator, gray, (height // 2, width // 2), size, light)
        number = f"{uniform(generator, (-10, 99)):.1f}"
        _write(gray, number, (height // 2 + size, width // 2 + size), size, light)
    for _ in range(int(generator.integers(0, 3))):
        place = (int(height * generator.random()), int(width * 0.85 * generator.random()))
        _crosshair(generator, gray, place, size, light)
        _write(gray, f"{uniform(generator, (-10, 99)):.1f}", (place[0] + 2, place[1] + size), size, light)
    if chance(generator, 0.25):
        hours, minutes, seconds = (int(v) for v in generator.integers(0, (24, 60, 60)))
        _write(gray, f"{hours:02d}:{minutes:02d}:{seconds:02d}", (size // 2, size // 2), size, light, bottom=True)
    return gray


@lru_cache(maxsize=512)
def _letters(text: str, size: int) -> Float[np.ndarray, "rows columns"]:
    """Cover of each pixel by the letters."""
    font = ImageFont.load_default()
    left, top, right, bottom = (int(v) for v in font.getbbox(text))
    picture = Image.new("L", (right - left + 2, bottom - top + 2))
    ImageDraw.Draw(picture).text((1 - left, 1 - top), text, fill=255, font=font)
    cover = np.asarray(picture, np.float32) / 255
    scale = size / 9
    return enlarge(cover, (max(round(cover.shape[0] * scale), 3), max(round(cover.shape[1] * scale), 3)))


def _write(
    gray: np.ndarray,
    text: str,
    place: tuple[int, int],
    size: int,
    light: float,
    *,
    right: bool = False,
    bottom: bool = False,
) -> None:
    cover = _letters(text, size)
    rows, columns = cover.shape
    top = gray.shape[0] - rows - place[0] if bottom else place[0]
    left = gray.shape[1] - columns - place[1] if right else place[1]
    top, left = max(top, 0), max(left, 0)
    part = gray[top : top + rows, left : left + columns]
    part += cover[: part.shape[0], : part.shape[1]] * (np.float32(light) - part)


def _scale(generator: np.random.Generator, gray: np.ndarray, size: int, light: float) -> None:
    """A bar of all gray levels with its limits."""
    height, width = gray.shape
    top, bottom = int(0.12 * height), int(0.88 * height)
    wide = max(size // 2, 2)
    left = width - 2 * wide if chance(generator, 0.8) else wide
    gray[top - 1 : bottom + 1, left - 1 : left + wide + 1] = light
    gray[top:bottom, left : left + wide] = np.linspace(255, 0, bottom - top, dtype=np.float32)[:, None]
    for number, place in ((uniform(generator, (25, 99)), top - size - 2), (uniform(generator, (-20, 24)), bottom + 2)):
        _write(gray, f"{number:.1f}", (place, 1), size, light, right=left > width // 2)


def _crosshair(
    generator: np.random.Generator, gray: np.ndarray, place: tuple[int, int], size: int, light: float
) -> None:
    y, x = place
    gap = size // 3 if chance(generator, 0.5) else 0
    for step in range(gap, size):
        for dy, dx in ((0, step), (0, -step), (step, 0), (-step, 0)):
            if 0 <= y + dy < gray.shape[0] and 0 <= x + dx < gray.shape[1]:
                gray[y + dy, x + dx] = light
