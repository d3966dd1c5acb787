"""TIFF: the one picture of a file, upright, white as large values; previews beside it are left out."""

from pathlib import Path
from typing import Any

import numpy as np

from thermal_landmarks.data.formats.limits import check_size
from thermal_landmarks.data.formats.notices import say_once
from thermal_landmarks.data.formats.pictures import upright
from thermal_landmarks.data.formats.stored import Stored
from thermal_landmarks.errors import DataError

_MIN_IS_WHITE, _RGB, _PALETTE, _SEPARATED = 0, 2, 3, 5  # photometric interpretations
_ORIENTATION, _GDAL_NODATA = 274, 42113
_MOST_PAGES = 8  # of one picture and its previews


def read_tiff(path: Path) -> Stored:
    """The values of a file's only full picture; unsigned gray levels whose zero is white are turned round.

    Raises:
        DataError: If it holds several full pictures (a video), is too large, or has the colours of a printer.
        tifffile.TiffFileError: If it is damaged; decoders raise other errors, too.
    """
    import tifffile

    with tifffile.TiffFile(path) as tiff:
        return page_stored(path, _only_page(path, tiff))


def page_stored(path: Path, page: Any) -> Stored:
    """The values of one page; errors as of `read_tiff`."""
    check_size(path, *_size(page))
    if page.is_tiled:
        check_size(path, page.tilelength, page.tilewidth)
    values = _channels_last(page)
    photometric = int(page.photometric)
    colours, orientation, no_data = (_tag(page, code) for code in (320, _ORIENTATION, _GDAL_NODATA))
    if photometric == _SEPARATED:
        raise DataError(f"{path}: has the colours of a printer (CMYK). Convert it to gray levels or RGB.")
    if photometric == _PALETTE and colours is not None:
        table = np.asarray(colours, dtype=np.uint16).reshape(3, -1)
        values = (table[:, values] >> 8).astype(np.uint8).transpose(1, 2, 0)
    mark = _number(no_data)
    if photometric == _MIN_IS_WHITE and values.dtype.kind == "u":
        largest = np.iinfo(values.dtype).max
        values, mark = largest - values, None if mark is None else largest - mark
        say_once(path, "stores white as zero (MinIsWhite); its values are turned round, so that hot is large")
    return Stored(upright(values, orientation), no_data=mark)


def tiff_size(path: Path) -> tuple[int, int]:
    """(height, width) of what `read_tiff` gives, from the header.

    Raises:
        DataError: If it holds several full pictures.
        tifffile.TiffFileError: If it is damaged.
    """
    import tifffile

    with tifffile.TiffFile(path) as tiff:
        page = _only_page(path, tiff)
        height, width = _size(page)
        return (width, height) if _tag(page, _ORIENTATION) in (5, 6, 7, 8) else (height, width)


def _only_page(path: Path, tiff: Any) -> Any:
    count = len(tiff.pages)
    pages = [page for page in tiff.pages[:_MOST_PAGES] if not page.is_reduced and not page.is_mask]
    largest = max(pages, key=lambda page: page.size, default=tiff.pages[0])
    alike = [page for page in pages if page.shape == largest.shape]
    frames = max(len(alike) if count <= _MOST_PAGES else count, _frames_of_one_page(tiff, largest))
    if frames > 1:
        raise DataError(
            f"{path}: holds {frames} pages, expected one image. A video's frames are read after they have been written "
            "one a file."
        )
    if count > 1:
        say_once(path, f"holds {count} pages; the largest is the image, the others are taken for its previews")
    return largest


def _frames_of_one_page(tiff: Any, page: Any) -> int:
    """ImageJ and others store a series of frames behind one page."""
    if tiff.filehandle.size < page.dataoffsets[0] + 2 * page.nbytes:
        return 1
    series = tiff.series[0]
    return int(series.size // page.size) if len(series.pages) == 1 and page.size else 1


def _size(page: Any) -> tuple[int, int]:
    return int(page.imagelength), int(page.imagewidth)


def _channels_last(page: Any) -> np.ndarray:
    values: np.ndarray = page.asarray()
    planes = values.ndim == 3 and values.shape[0] == page.samplesperpixel and values.shape[1:] == _size(page)
    values = np.moveaxis(values, 0, -1) if planes and values.shape[0] > 1 else values
    gray_and_alpha = values.ndim == 3 and values.shape[2] == 2
    return values[:, :, 0] if gray_and_alpha else values


def _tag(page: Any, code: int) -> Any:
    tag = page.tags.get(code)
    return None if tag is None else tag.value


def _number(text: object) -> float | None:
    try:
        return None if text is None else float(str(text).strip(" \0"))
    except ValueError:
        return None
