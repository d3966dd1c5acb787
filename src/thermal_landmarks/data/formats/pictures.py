"""PNG, JPEG, WebP and others, upright as their EXIF orientation says: that is how people see and annotate them."""

import re
import struct
from pathlib import Path
from typing import Any

import numpy as np

from thermal_landmarks.data.formats.limits import check_size
from thermal_landmarks.data.formats.notices import say_once
from thermal_landmarks.errors import DataError

_ORIENTATION, _MAKE = 274, 271  # EXIF tags
_PNG = b"\x89PNG\r\n\x1a\n"
_BITS, _COLOUR_TYPE = 24, 25  # bytes of a PNG file
_GRAY, _PALETTE = 0, 3
_PGM_HEADER = 4096  # bytes that hold it, comments included


def read_picture(path: Path) -> np.ndarray:
    """Unsigned integers (height, width), or (height, width, 3) of a colour picture; all 16 bits where it has them.

    A file of several pictures (MPO: a camera's preview beside the picture) gives its first; an animation is refused.

    Raises:
        DataError: If it is too large or an animation.
        OSError: If it can't be decoded; decoders raise other errors, too.
    """
    from PIL import Image

    if path.suffix.lower() == ".bmt":  # a BMP, behind which further data stand (https://github.com/cburgmer/bmt)
        say_once(
            path, "of a Testo file only the picture is read; for temperatures, export CSV files by Testo's program"
        )
    with Image.open(path) as file:
        check_size(path, file.height, file.width)
        frames = getattr(file, "n_frames", 1)
        if frames > 1 and file.format != "MPO":
            raise DataError(f"{path}: holds {frames} frames, expected one image. Write one image a file.")
        quickly = _decoded_png(file, path)
        if quickly is not None:
            values = quickly
        elif file.format == "PNG" and _has_deep_channels(path):
            values = _sixteen_bits(path)
        elif file.format == "PPM" and file.mode == "I":
            values = _counts_of_pgm(path, np.array(file))
        elif file.mode in ("L", "I", "F", "RGB") or file.mode.startswith("I;16"):
            values = np.array(file)
        else:
            values = np.array(file.convert("L" if file.mode in ("1", "LA") else "RGB"))
        exif = _exif(file, path)
    if str(exif.get(_MAKE, "")).startswith("DJI"):
        say_once(
            path,
            "DJI keeps its temperatures in a form that only DJI's Thermal SDK reads; the picture's gray levels are "
            "used. For temperatures, write raw files by its `dji_irp -a measure` and convert them to .npy or .tif",
        )
    return upright(values, exif.get(_ORIENTATION, 1))


def picture_size(path: Path) -> tuple[int, int]:
    """(height, width) of what `read_picture` gives, from the header.

    Raises:
        OSError: If it is no picture.
    """
    from PIL import Image

    with Image.open(path) as file:
        turned = _exif(file, path).get(_ORIENTATION, 1) in (5, 6, 7, 8)
        return (file.width, file.height) if turned else (file.height, file.width)


def is_animated(path: Path) -> bool:
    """Whether a file holds several frames; one that can't be opened does not."""
    from PIL import Image

    try:
        with Image.open(path) as file:
            return getattr(file, "n_frames", 1) > 1
    except Exception:  # whoever reads it says what is wrong
        return False


def orientation_of(path: Path) -> int:
    """The EXIF orientation of a picture, 1 (upright) to 8."""
    from PIL import Image

    with Image.open(path) as file:
        return int(_exif(file, path).get(_ORIENTATION, 1))


def upright(values: np.ndarray, orientation: object) -> np.ndarray:
    """Values (height, width, ...) turned and mirrored as an EXIF orientation asks; an unknown one changes nothing."""
    if orientation in (5, 6, 7, 8):
        values = values.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        values = values[:, ::-1]
    if orientation in (3, 4, 7, 8):
        values = values[::-1]
    return np.ascontiguousarray(values)


def _exif(file: Any, path: Path) -> dict[int, Any]:
    """EXIF tags; a PNG's pixels are decoded only where they stand before its tags."""
    if "exif" not in file.info and not (file.format == "PNG" and _has_late_exif(path)):
        return {}
    return dict(file.getexif())


def _has_late_exif(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(len(_PNG))
        while len(head := file.read(8)) == 8:
            length, name = struct.unpack(">I4s", head)
            if name == b"eXIf":
                return True
            file.seek(length + 4, 1)
    return False


def _has_deep_channels(path: Path) -> bool:
    """Whether a PNG has several channels of 16 bits, of which Pillow gives only the upper eight."""
    with path.open("rb") as file:
        head = file.read(_COLOUR_TYPE + 1)
    return len(head) > _COLOUR_TYPE and head[_BITS] == 16 and head[_COLOUR_TYPE] not in (_GRAY, _PALETTE)


def _counts_of_pgm(path: Path, stretched: np.ndarray) -> np.ndarray:
    """The counts of a PGM file of more than 8 bits, which Pillow stretches to the whole range of 16."""
    with path.open("rb") as file:
        _, _, _, largest, *_ = re.sub(rb"#[^\n]*", b"", file.read(_PGM_HEADER)).split(maxsplit=4)
    return np.rint(stretched * (int(largest) / 65535)).astype(np.uint16)


def _decoded_png(file: Any, path: Path) -> np.ndarray | None:
    """The pixels of a usual PNG in two thirds of the time that Pillow takes; None: Pillow is to say what it is."""
    if file.format != "PNG" or file.mode not in ("L", "RGB", "P") or "transparency" in file.info:
        return None
    import imagecodecs

    try:
        values: np.ndarray = imagecodecs.png_decode(path.read_bytes())
    except imagecodecs.PngError:  # of damaged files Pillow still reads some
        return None
    return values if values.dtype == np.uint8 and values.shape[:2] == (file.height, file.width) else None


def _sixteen_bits(path: Path) -> np.ndarray:
    import imagecodecs

    values: np.ndarray = imagecodecs.png_decode(path.read_bytes())
    return values[:, :, 0] if values.ndim == 3 and values.shape[2] == 2 else values[..., :3]
