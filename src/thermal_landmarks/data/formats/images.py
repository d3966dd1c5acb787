"""Image files of any readable format, in degrees Celsius or gray levels.

8-bit and 16-bit pictures, NumPy arrays, tables of temperatures, FLIR radiometric JPEG and Fluke .IS2. What a file
does not say about itself (the unit of a 16-bit PNG) is a setting of the data set.
"""

import logging
import struct
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from thermal_landmarks.data.annotation import ThermalImage
from thermal_landmarks.data.formats.flir import read_flir_celsius
from thermal_landmarks.data.formats.fluke import counts_to_celsius, find_counts_table, read_fluke_counts
from thermal_landmarks.data.formats.limits import check_bytes, check_size
from thermal_landmarks.data.formats.table import read_table, why_no_picture
from thermal_landmarks.errors import ConfigError, DataError, UserError

_log = logging.getLogger(__name__)

UNITS: dict[str, tuple[float, float]] = {
    "celsius": (1.0, 0.0),
    "centi_celsius": (0.01, 0.0),
    "kelvin": (1.0, -273.15),
    "deci_kelvin": (0.1, -273.15),
    "centi_kelvin": (0.01, -273.15),
    "fahrenheit": (5 / 9, -160 / 9),
}
"""Units of stored values: degrees Celsius = value * scale + offset."""

COUNTS = "counts"
"""The unit of values without a physical meaning; they stay as they are."""

_PLAUSIBLE_MEDIAN_C = (-60.0, 200.0)
_MIN_SIDE = 2


def read_image(path: Path, *, unit: str | None = None, counts_table: Path | None = None) -> ThermalImage:
    """Read one image file.

    Colour pictures give their luminance and keep their colours beside it; EXIF orientation is not applied, since
    landmarks refer to stored pixels. A FLIR JPEG gives the camera's temperature matrix, which can be smaller than the
    picture shown. Single values that are not finite (dead pixels) are replaced by the image's median, with a warning.

    Args:
        path: The file; its suffix tells the format.
        unit: What the stored values mean: one of `UNITS`, or `counts`. None: what the file says about itself,
            otherwise gray levels. Files that carry their own calibration ignore every unit but `counts`.
        counts_table: Camera counts and degrees Celsius, for Fluke files; None: `counts_to_celsius.dat` in the
            file's folder, where it exists.

    Raises:
        DataError: If the file is missing, damaged, of an unknown format, not one 2-D image, or holds no usable value.
        ConfigError: If the unit is unknown.
    """
    if unit is not None and unit != COUNTS and unit not in UNITS:
        raise ConfigError(f"Unknown unit '{unit}' of image values. Known: {', '.join([*UNITS, COUNTS])}.")
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise DataError(
            f"{path}: the suffix '{path.suffix}' is not an image format that can be read. "
            f"Convert it to one of: {', '.join(_READERS)}."
        )
    if not path.is_file():
        raise DataError(f"{path}: no such file. Check the path and the data set's image folder.")
    if path.stat().st_size == 0:
        raise DataError(f"{path}: the file is empty. Copy it again from its source.")
    try:
        values, own_unit = reader(path, unit, counts_table)
    except UserError:
        raise
    except Exception as error:  # decoders raise almost anything on damaged files
        reason = str(error) or type(error).__name__
        raise DataError(
            f"{path}: can't be read as {path.suffix} ({reason}). The file is damaged or not of that format; "
            "copy it again from its source."
        ) from error
    return _finish(path, values, own_unit)


def read_image_size(path: Path) -> tuple[int, int]:
    """(height, width) of what `read_image` gives, without decoding the image where its header tells.

    Raises:
        DataError: If the file can't be read.
    """
    try:
        if path.suffix.lower() == ".npy":
            shape = np.load(path, mmap_mode="r", allow_pickle=False).shape
            if len(shape) == 2:
                return shape[0], shape[1]
        elif _READERS.get(path.suffix.lower()) is _read_picture:
            from PIL import Image

            with Image.open(path) as picture:
                return picture.height, picture.width
    except (OSError, ValueError):
        pass  # the full reader below says what is wrong
    height, width = read_image(path).values.shape
    return height, width


def list_images(path: Path) -> list[Path]:
    """The readable image files of a folder and its subfolders, sorted; a file gives itself.

    A CSV file in a folder counts as an image if it is a table of numbers without names of columns; what does not is
    named in a warning. Files that macOS puts beside others (`._NAME`) don't count.

    Raises:
        DataError: If the path does not exist or the folder has no image.
    """
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise DataError(f"{path}: no such file or folder.")
    found = sorted(p for p in path.rglob("*") if p.suffix.lower() in _READERS and p.is_file())
    found = [p for p in found if not p.name.startswith("._")]
    reasons = {p: why_no_picture(p) for p in found if p.suffix.lower() == ".csv"}
    left_out = [f"{p.relative_to(path)} {reason}" for p, reason in reasons.items() if reason]
    images = [p for p in found if reasons.get(p) is None]
    listed = "; ".join(left_out[:3]) + (f"; and {len(left_out) - 3} more" if len(left_out) > 3 else "")
    if not images:
        why = f" Its tables are no pictures: {listed}." if left_out else ""
        raise DataError(f"{path}: no image in this folder.{why} Readable formats: {', '.join(_READERS)}.")
    if left_out:
        _log.warning("%s: no pictures, left out: %s.", path, listed)
    return images


def _finish(path: Path, raw: np.ndarray, unit: str) -> ThermalImage:
    colour = raw.dtype.kind == "u" and raw.ndim == 3 and raw.shape[2] in (3, 4)
    rgb = raw[:, :, :3] if colour else None
    values = _single_channel(path, raw if rgb is None else ThermalImage.from_rgb(rgb).values)
    finite = np.isfinite(values)
    if not finite.any():
        raise DataError(f"{path}: none of its {values.size} values is a finite number. Export the image again.")
    if not finite.all():
        _log.warning("%s: %d values are not finite; replaced by the image's median.", path, (~finite).sum())
        values = np.where(finite, values, np.median(values[finite]))
    if unit == COUNTS:
        return ThermalImage(values.astype(np.float32), "gray", rgb)
    scale, offset = UNITS[unit]
    # float64 until here: centi-kelvin in float32 would lose a hundredth of a degree
    celsius = (values.astype(np.float64) * scale + offset).astype(np.float32)
    median = float(np.median(celsius))
    low, high = _PLAUSIBLE_MEDIAN_C
    if not low <= median <= high:
        raise DataError(
            f"{path}: read as {unit}, its median would be {median:.1f} degrees Celsius (stored: "
            f"{float(np.median(values)):g}). Set the unit that the file is written in: {', '.join([*UNITS, COUNTS])}."
        )
    return ThermalImage(celsius, "celsius")


def _single_channel(path: Path, raw: np.ndarray) -> np.ndarray:
    if raw.dtype.kind not in "uif":
        raise DataError(f"{path}: its values are of type {raw.dtype}, expected numbers.")
    values = raw
    if values.ndim == 3 and 1 in (values.shape[0], values.shape[2]):
        values = values[0] if values.shape[0] == 1 else values[:, :, 0]
    if values.ndim != 2 or min(values.shape) < _MIN_SIDE:
        raise DataError(
            f"{path}: holds an array of shape {raw.shape}, expected one image (height, width). "
            "Write one image a file, with at least 2 x 2 pixels."
        )
    return values


def _read_picture(path: Path, unit: str | None, _: Path | None) -> tuple[np.ndarray, str]:
    from PIL import Image

    with Image.open(path) as file:
        check_size(path, file.height, file.width)
        frames = getattr(file, "n_frames", 1)
        if frames > 1:
            raise DataError(f"{path}: holds {frames} frames, expected one image. Write one image a file.")
        if file.mode in ("L", "I", "F", "RGB") or file.mode.startswith("I;16"):
            values = np.array(file)
        else:
            values = np.array(file.convert("L" if file.mode in ("1", "LA") else "RGB"))
    return values, unit or COUNTS


def _read_jpeg(path: Path, unit: str | None, table: Path | None) -> tuple[np.ndarray, str]:
    celsius = None if unit == COUNTS else read_flir_celsius(path.read_bytes())
    return _read_picture(path, unit, table) if celsius is None else (celsius, "celsius")


def _read_tiff(path: Path, unit: str | None, _: Path | None) -> tuple[np.ndarray, str]:
    import tifffile

    with tifffile.TiffFile(path) as tiff:
        if len(tiff.pages) > 1:
            raise DataError(f"{path}: holds {len(tiff.pages)} pages, expected one image. Write one image a file.")
        page = tiff.pages[0]
        check_size(path, page.shape[-1] if page.ndim == 2 else page.size, page.shape[0] if page.ndim == 2 else 1)
        return tiff.asarray(), unit or COUNTS


def _read_npy(path: Path, unit: str | None, _: Path | None) -> tuple[np.ndarray, str]:
    stored = np.load(path, mmap_mode="r", allow_pickle=False)  # reads the header only
    if not isinstance(stored, np.ndarray):
        raise DataError(f"{path}: holds an archive of arrays (.npz), expected one array. Save it by numpy.save.")
    check_bytes(path, stored.nbytes, per_pixel=8, what="its array")
    return np.array(stored), unit or COUNTS


def _read_csv(path: Path, unit: str | None, _: Path | None) -> tuple[np.ndarray, str]:
    values, stated = read_table(path)
    return values, unit or stated or COUNTS


def _read_is2(path: Path, unit: str | None, table: Path | None) -> tuple[np.ndarray, str]:
    try:
        counts = read_fluke_counts(path)
    except (zipfile.BadZipFile, KeyError, struct.error) as error:
        raise DataError(f"{path}: not a complete Fluke .IS2 file ({error}). Copy it again from the camera.") from error
    table = table or find_counts_table(path)
    if table is None or unit == COUNTS:
        return counts, COUNTS
    return counts_to_celsius(counts, table), "celsius"


_READERS: dict[str, Callable[[Path, str | None, Path | None], tuple[np.ndarray, str]]] = {
    ".png": _read_picture,
    ".jpg": _read_jpeg,
    ".jpeg": _read_jpeg,
    ".bmp": _read_picture,
    ".tif": _read_tiff,
    ".tiff": _read_tiff,
    ".npy": _read_npy,
    ".csv": _read_csv,
    ".is2": _read_is2,
}


def readable_suffixes() -> Iterable[str]:
    """Suffixes of readable image files, in lower case."""
    return tuple(_READERS)
