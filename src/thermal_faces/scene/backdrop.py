"""Real pictures without people as what lies behind the people of a scene: texture that no brush paints.

Thermal pictures of one's own rooms are best; photographs serve too, since they pass through another tone curve each
time, through the scene's own camera, and half of them with warm and cold exchanged.
"""

import hashlib
import math
from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image

from thermal_faces.camera.resampling import enlarge, shrink
from thermal_faces.errors import ConfigError
from thermal_faces.portable_math import power
from thermal_faces.randomness import chance, uniform

_SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp")
_LONGEST_PX = 1024  # larger pictures are kept at this size
_SPAN_K = (5.0, 50.0)  # between the coldest and the warmest of what is seen
_LEAST_LEVELS = 40.0  # of what is seen: less contrast is not spread any further
_LEVELS = 1024  # of the tone curve
_SHARE = (0.25, 1.0)  # of the picture that is seen; small parts more often


class Backdrops:
    """The pictures of a folder and its subfolders, or a single one, read as gray levels when the first is painted.

    Raises:
        ConfigError: If there are none.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        paths = [self.folder] if self.folder.is_file() else self.folder.rglob("*")
        seen = (path for path in paths if not path.name.startswith("._"))  # of macOS beside the pictures
        self.files = sorted(path for path in seen if path.suffix.lower() in _SUFFIXES)
        if not self.files:
            raise ConfigError(
                f"backdrops={self.folder}: no picture there ({', '.join(_SUFFIXES)}). Name a folder of pictures "
                "without people."
            )

    def paint(
        self, generator: np.random.Generator, ambient_c: float, size: tuple[int, int]
    ) -> Float[np.ndarray, "height width"]:
        """A part of one picture in degrees Celsius, around the temperature of the air."""
        picture = self._pictures[int(generator.integers(len(self.files)))]
        picture = np.rot90(picture, int(generator.choice([0, 0, 0, 0, 1, 2, 3])))
        picture = picture[:, ::-1] if chance(generator, 0.5) else picture
        share = _spread(_part(generator, picture, size))
        gamma, middle = math.exp(uniform(generator, (-0.7, 0.7))), generator.random()
        span_k = math.exp(uniform(generator, (math.log(_SPAN_K[0]), math.log(_SPAN_K[1]))))
        levels = power(np.linspace(0, 1, _LEVELS), gamma)
        if chance(generator, 0.5):
            levels = 1 - levels
        tones = np.float32(ambient_c) + np.float32(span_k) * (levels.astype(np.float32) - np.float32(middle))
        return tones[np.rint(share * np.float32(_LEVELS - 1)).astype(np.intp)]

    def fingerprint(self) -> str:
        """Changes with the pictures."""
        digest = hashlib.blake2b(digest_size=16)
        for file in self.files:
            digest.update(file.read_bytes())
        return digest.hexdigest()

    @cached_property
    def _pictures(self) -> list[UInt8[np.ndarray, "height width"]]:
        return [_read(file) for file in self.files]

    def __getstate__(self) -> dict[str, object]:
        return {name: value for name, value in self.__dict__.items() if name != "_pictures"}


def _read(file: Path) -> UInt8[np.ndarray, "height width"]:
    try:
        with Image.open(file) as opened:
            deep = opened.mode == "F" or opened.mode.startswith("I")  # converted, these would be cut off at 255
            picture = Image.fromarray(_as_bytes(np.asarray(opened, dtype=float))) if deep else opened.convert("L")
            picture.thumbnail((_LONGEST_PX, _LONGEST_PX))
            return np.asarray(picture)
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise ConfigError(f"{file}: can't be read as a backdrop ({error}). Remove or replace it.") from error


def _as_bytes(values: Float[np.ndarray, "height width"]) -> UInt8[np.ndarray, "height width"]:
    """Temperatures or counts as gray levels, from the coldest thousandth to the warmest; what is missing is cold."""
    known = values[np.isfinite(values)]
    if not known.size:
        raise ValueError("it holds no finite values")
    low, high = np.percentile(known, (0.1, 99.9))
    levels = np.clip(255 * (values - low) / max(high - low, 1e-6), 0, 255)
    return np.nan_to_num(levels).astype(np.uint8)


def _part(
    generator: np.random.Generator, picture: UInt8[np.ndarray, "rows columns"], size: tuple[int, int]
) -> Float[np.ndarray, "height width"]:
    """A window of the scene's own shape, at its size."""
    (rows, columns), (height, width) = picture.shape, size
    share = math.exp(uniform(generator, (math.log(_SHARE[0]), math.log(_SHARE[1]))))
    largest = min(rows / height, columns / width)
    tall, wide = (max(2, round(share * largest * side)) for side in size)
    top = int(generator.integers(rows - min(tall, rows) + 1))
    left = int(generator.integers(columns - min(wide, columns) + 1))
    window = picture[top : top + tall, left : left + wide].astype(np.float32)
    return shrink(window, size) if window.shape[0] > height and window.shape[1] > width else enlarge(window, size)


def _spread(part: Float[np.ndarray, "height width"]) -> Float[np.ndarray, "height width"]:
    """From 0 to 1, but for the darkest and the brightest hundredth."""
    low, high = (float(level) for level in np.percentile(part[::2, ::2], (1, 99)))
    span = max(high - low, _LEAST_LEVELS)
    spread: np.ndarray = np.clip((part - np.float32(low)) * np.float32(1 / span), 0, 1)
    return spread
