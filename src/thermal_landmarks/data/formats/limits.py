"""How large an image file may be: one limit for every format, checked before anything is decoded.

A file of a few kilobytes can unpack to gigabytes, whether by mistake or by malice.
"""

import os
import zipfile
from pathlib import Path

from thermal_landmarks.errors import ConfigError, DataError

MAX_MEGAPIXELS = "THERMAL_LANDMARKS_MAX_MEGAPIXELS"
"""Environment variable that raises or lowers the limit; worker processes inherit it."""

_DEFAULT_MEGAPIXELS = 64.0
_BYTES_PER_PIXEL = 16  # float32 values, colours beside them, and what decoding needs meanwhile
_BYTES_PER_CHARACTER = 8  # of a table: text, cells, numbers


def max_pixels() -> int:
    """Pixels that an image may have.

    Raises:
        ConfigError: If the environment variable is not a positive number.
    """
    stated = os.environ.get(MAX_MEGAPIXELS, "")
    try:
        megapixels = float(stated) if stated else _DEFAULT_MEGAPIXELS
        if not 0 < megapixels < float("inf"):
            raise ValueError
    except ValueError:
        raise ConfigError(f"{MAX_MEGAPIXELS}={stated} is not a positive number of megapixels, such as 64.") from None
    return int(megapixels * 1e6)


def check_size(path: Path, height: int, width: int) -> None:
    """Refuse an image that is too large.

    Raises:
        DataError: If it has more pixels than the limit.
    """
    if height * width > max_pixels():
        raise DataError(
            f"{path}: {width} x {height} pixels are more than {max_pixels() / 1e6:g} megapixels. If the file is what "
            f"it should be, raise the limit: {MAX_MEGAPIXELS}={height * width / 1e6 + 1:.0f}."
        )


def check_bytes(path: Path, count: int, *, per_pixel: int, what: str) -> None:
    """Refuse unpacked content that is too long, where the size of its image is not known yet, but of a pixel's bytes.

    Raises:
        DataError: If there are more than an image within the limit needs.
    """
    if count > max_pixels() * per_pixel:
        raise DataError(
            f"{path}: {what} has {count / 1e6:,.0f} MB, more than the limit for {max_pixels() / 1e6:g} megapixels "
            f"({max_pixels() * per_pixel / 1e6:,.0f} MB). If the file is what it should be, raise the "
            f"limit: {MAX_MEGAPIXELS}={count / per_pixel / 1e6 + 1:.0f}."
        )


def estimated_bytes(path: Path) -> int:
    """Memory that reading this file takes, from its header; 0 where that can't be told, since reading it will fail."""
    suffix = path.suffix.lower()
    try:
        if suffix == ".csv":
            return path.stat().st_size * _BYTES_PER_CHARACTER
        if suffix == ".is2":
            with zipfile.ZipFile(path) as archive:
                return max(entry.file_size for entry in archive.infolist()) * _BYTES_PER_PIXEL // 2
        if suffix == ".fff":
            return path.stat().st_size * _BYTES_PER_PIXEL // 2
        if suffix == ".npy":
            return path.stat().st_size * 4
        from PIL import Image

        with Image.open(path) as picture:
            return picture.width * picture.height * _BYTES_PER_PIXEL
    except Exception:  # the reader says what is wrong with it
        return 0
