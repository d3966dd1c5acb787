"""Image files of any readable format, in degrees Celsius or gray levels.

Pictures of 8 and 16 bits, NumPy arrays, tables of temperatures, FLIR radiometric JPEG and .fff, Fluke .IS2. What a file
does not say about itself (the unit of a 16-bit PNG) is a setting of the data set.
"""

import logging
import struct
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np

from thermal_landmarks.data.annotation import ThermalImage
from thermal_landmarks.data.formats.beside_picture import turned_as, values_beside
from thermal_landmarks.data.formats.displayed import as_heat
from thermal_landmarks.data.formats.flir import (
    RAW_DATA,
    flir_records,
    jpeg_records,
    raw_signal,
    records_celsius,
    stated_palette,
)
from thermal_landmarks.data.formats.fluke import counts_to_celsius, find_counts_table, read_fluke_counts
from thermal_landmarks.data.formats.limits import check_bytes
from thermal_landmarks.data.formats.notices import say_once
from thermal_landmarks.data.formats.pictures import is_animated, orientation_of, picture_size, read_picture, upright
from thermal_landmarks.data.formats.stored import Stored, fill_missing
from thermal_landmarks.data.formats.table import read_table, why_no_picture
from thermal_landmarks.data.formats.tiff import read_tiff, tiff_size
from thermal_landmarks.data.formats.units import COUNTS, UNITS, infer_unit
from thermal_landmarks.errors import ConfigError, DataError, UserError, said_by

_log = logging.getLogger(__name__)

_PLAUSIBLE_MEDIAN_C = (-60.0, 200.0)
_MIN_SIDE = 2
_FILMS = (".mp4", ".avi", ".mkv", ".mov", ".m4v", ".webm", ".wmv", ".mpg", ".seq", ".csq", ".ravi")


def read_image(path: str | Path, *, unit: str | None = None, counts_table: Path | None = None) -> ThermalImage:
    """Read one image file.

    Colour pictures give their luminance and keep their colours beside it. Images are upright, as their EXIF orientation
    says. A FLIR JPEG gives the camera's temperature matrix, which can be smaller than the picture shown. Values that
    are missing (dead pixels, marks such as -9999) are replaced by the image's median, with a warning.

    Args:
        path: The file; its suffix tells the format.
        unit: What the stored values mean: one of `UNITS`, or `counts`. None: what the file says about itself or another
            beside it (see `units.infer_unit`), otherwise gray levels. Files that carry their own calibration ignore
            every unit but `counts`.
        counts_table: Camera counts and degrees Celsius, for Fluke files; None: `counts_to_celsius.dat` in the
            file's folder, where it exists.

    Raises:
        DataError: If the file is missing, damaged, of an unknown format, not one 2-D image, or holds no usable value.
        ConfigError: If the unit is unknown.
    """
    return to_image(Path(path), read_stored(Path(path), unit=unit, counts_table=counts_table))


def check_unit(unit: str | None) -> None:
    """Refuse a unit of stored values that there isn't.

    Raises:
        ConfigError: Naming those that there are.
    """
    if unit is not None and unit != COUNTS and unit not in UNITS:
        raise ConfigError(f"Unknown unit '{unit}' of image values. Known: {', '.join([*UNITS, COUNTS])}.")


def read_stored(path: Path, *, unit: str | None = None, counts_table: Path | None = None) -> Stored:
    """The content of an image file before it becomes an image; arguments and errors as of `read_image`."""
    check_unit(unit)
    suffix = path.suffix.lower()
    if suffix in _FILMS:
        raise DataError(f"{path}: is a video, expected an image. {_follow(path)}.")
    if suffix not in _FORMATS:
        raise DataError(
            f"{path}: the suffix '{path.suffix}' is not an image format that can be read.{_ELSEWHERE.get(suffix, '')} "
            f"Convert it to one of: {', '.join(_FORMATS)}."
        )
    try:
        if not path.is_file():
            raise DataError(f"{path}: no such file. Check the path and the data set's image folder.")
        if path.stat().st_size == 0:
            raise DataError(f"{path}: the file is empty. Copy it again from its source.")
        stored = _FORMATS[suffix].read(path, unit, counts_table)
        return stored if stored.unit else stored._replace(unit=unit)
    except UserError:
        raise
    except Exception as error:  # decoders raise almost anything on damaged files
        raise DataError(
            f"{path}: can't be read as {path.suffix} ({said_by(error)}). The file is damaged or not of that format; "
            "copy it again from its source."
        ) from error


def read_image_size(path: Path) -> tuple[int, int]:
    """(height, width) of what `read_image` gives, without decoding the image where its header tells.

    Raises:
        DataError: If the file can't be read.
    """
    form = _FORMATS.get(path.suffix.lower())
    with suppress(Exception):  # the full reader below says what is wrong
        if form is not None and form.size is not None and (size := form.size(path)):
            return size
    height, width = read_image(path).values.shape
    return height, width


def list_images(path: Path) -> list[Path]:
    """The readable image files of a folder and its subfolders, sorted; a file gives itself.

    A CSV file in a folder counts as an image if it is a table of numbers without names of columns; what does not is
    named in a warning, and so are videos. Files that macOS puts beside others (`._NAME`) don't count.

    Raises:
        DataError: If the path does not exist or the folder has no image.
    """
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise DataError(f"{path}: no such file or folder.")
    files = sorted(p for p in path.rglob("*") if not p.name.startswith("._") and p.is_file())
    films = [p for p in files if _is_film(p)]
    found = [p for p in files if p.suffix.lower() in _FORMATS and p not in films]
    reasons = {p: why_no_picture(p) for p in found if p.suffix.lower() == ".csv"}
    left_out = [f"{p.relative_to(path)} {reason}" for p, reason in reasons.items() if reason]
    images = [p for p in found if reasons.get(p) is None]
    listed = "; ".join(left_out[:3]) + (f"; and {len(left_out) - 3} more" if len(left_out) > 3 else "")
    if not images:
        why = f" Its tables are no pictures: {listed}." if left_out else ""
        why += f" {films[0].name} is a video. {_follow(films[0])}." if films else ""
        raise DataError(f"{path}: no image in this folder.{why} Readable formats: {', '.join(_FORMATS)}.")
    if left_out:
        _log.warning("%s: no pictures, left out: %s.", path, listed)
    if films:
        _log.warning("%s: %d video(s) left out. %s.", path, len(films), _follow(films[0]))
    return images


def _is_film(path: Path) -> bool:
    return path.suffix.lower() in _FILMS or (path.suffix.lower() == ".gif" and is_animated(path))


def _follow(film: Path) -> str:
    return f"Follow its faces by: thermal-landmarks track source={film}"


def to_image(path: Path, stored: Stored, *, quiet: bool = False) -> ThermalImage:
    """The image that stored values make: one channel, in degrees Celsius where their unit is known, without gaps.

    Args:
        path: Names the file in errors; where nothing states the unit, it is looked for beside it.
        stored: The content of the file.
        quiet: Whether missing values are filled without a warning; the image counts them.

    Raises:
        DataError: As `read_image`.
    """
    raw = stored.values
    colour = raw.dtype.kind == "u" and raw.ndim == 3 and raw.shape[2] in (3, 4)
    rgb = raw[:, :, :3] if colour else None
    single = _single_channel(path, raw if rgb is None else ThermalImage.from_rgb(rgb).values)
    values, missing = fill_missing(path, single, stored.no_data, quiet=quiet)
    unit = stored.unit or (COUNTS if colour else infer_unit(path, values))
    if unit == COUNTS:
        return ThermalImage(values.astype(np.float32, copy=False), "gray", rgb, missing, stated_palette=stored.palette)
    scale, offset = UNITS[unit]
    if (scale, offset) == (1.0, 0.0):
        celsius = values.astype(np.float32)
    else:  # in float64: centi-kelvin in float32 would lose a hundredth of a degree
        celsius = (values.astype(np.float64) * scale + offset).astype(np.float32)
    low, high = _PLAUSIBLE_MEDIAN_C
    if not low <= celsius.min() <= celsius.max() <= high:  # else the median, which takes far longer, is plausible, too
        median = float(np.median(celsius))
        if not low <= median <= high:
            raise DataError(
                f"{path}: read as {unit}, its median would be {median:.1f} degrees Celsius (stored: "
                f"{float(np.median(values)):g}). Set the unit that the file is written in: "
                f"{', '.join([*UNITS, COUNTS])}."
            )
    return ThermalImage(celsius, "celsius", missing=missing)


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


def _read_jpeg(path: Path, unit: str | None, _: Path | None) -> Stored:
    jpeg = path.read_bytes()
    records = jpeg_records(jpeg)
    as_shown = unit == COUNTS
    if RAW_DATA in records and not as_shown:
        return Stored(upright(records_celsius(records, path), orientation_of(path)), "celsius")
    if records and not as_shown:
        say_once(path, "its FLIR data hold no temperatures; the picture's gray levels are used")
    beside = None if records or as_shown else values_beside(jpeg, path)
    picture = Stored(read_picture(path), palette=stated_palette(records))
    if beside is None:
        return picture
    shown = as_heat(to_image(path, picture._replace(unit=COUNTS)), marks="kept").values
    return Stored(turned_as(beside[0], shown), beside[1])


def _read_fff(path: Path, unit: str | None, _: Path | None) -> Stored:
    """One picture of FLIR's research software, which is a JPEG's FLIR data alone."""
    records = flir_records(path.read_bytes())
    if unit == COUNTS:
        return Stored(raw_signal(records[RAW_DATA], path), COUNTS)
    return Stored(records_celsius(records, path), "celsius")


def _jpeg_size(path: Path) -> tuple[int, int] | None:
    """Of the picture; None where there are values beside it, which may be fewer."""
    jpeg = path.read_bytes()
    records = jpeg_records(jpeg)
    beside = RAW_DATA in records or (not records and values_beside(jpeg, path) is not None)
    return None if beside else picture_size(path)


def _read_npy(path: Path) -> Stored:
    stored = np.load(path, mmap_mode="r", allow_pickle=False)  # reads the header only
    if not isinstance(stored, np.ndarray):
        raise DataError(f"{path}: holds an archive of arrays (.npz), expected one array. Save it by numpy.save.")
    check_bytes(path, stored.nbytes, per_pixel=8, what="its array")
    return Stored(np.array(stored))


def _npy_size(path: Path) -> tuple[int, int] | None:
    shape = np.load(path, mmap_mode="r", allow_pickle=False).shape
    return shape if len(shape) == 2 else None


def _read_csv(path: Path, unit: str | None, _: Path | None) -> Stored:
    values, stated = read_table(path)
    return Stored(values, unit or stated)


def _read_is2(path: Path, unit: str | None, table: Path | None) -> Stored:
    try:
        counts = read_fluke_counts(path)
    except (zipfile.BadZipFile, KeyError, struct.error) as error:
        raise DataError(
            f"{path}: not a complete Fluke .IS2 file ({said_by(error)}). Copy it again from the camera."
        ) from error
    table = table or find_counts_table(path)
    if table is None or unit == COUNTS:
        return Stored(counts, COUNTS)
    return Stored(counts_to_celsius(counts, table), "celsius")


class _Format(NamedTuple):
    """How files of some suffixes are read."""

    read: Callable[[Path, str | None, Path | None], Stored]  # given the unit and the table of counts that a user states
    size: Callable[[Path], tuple[int, int] | None] | None = None  # (height, width) by the header, where that can tell


_PICTURE = _Format(lambda path, *_: Stored(read_picture(path)), picture_size)
_TIFF = _Format(lambda path, *_: read_tiff(path), tiff_size)
_FORMATS = {
    **dict.fromkeys((".png", ".bmp", ".bmt", ".webp", ".gif", ".jp2", ".pgm"), _PICTURE),
    **dict.fromkeys((".jpg", ".jpeg", ".jfif", ".hir"), _Format(_read_jpeg, _jpeg_size)),
    **dict.fromkeys((".tif", ".tiff"), _TIFF),
    ".npy": _Format(lambda path, *_: _read_npy(path), _npy_size),
    ".csv": _Format(_read_csv),
    ".is2": _Format(_read_is2),
    ".fff": _Format(_read_fff),
}

_FILM_IN_ARRAYS = " A film in it is followed by `thermal-landmarks track`; an image is .npy."
_ELSEWHERE = {
    **dict.fromkeys((".npz", ".h5", ".hdf5"), _FILM_IN_ARRAYS),
    ".is3": " Fluke's films are exported as AVI or CSV by Fluke's program.",
    ".irb": " InfraTec's files are exported as CSV or TIFF by IRBIS.",
}


def readable_suffixes() -> tuple[str, ...]:
    """Suffixes of readable image files, in lower case."""
    return tuple(_FORMATS)
