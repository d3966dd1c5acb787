"""Fluke .IS2 files: a zip whose `Images/Main/IR.data` is one header row, then the image, all uint16 little-endian.

The counts are the camera's own; degrees come from a text table of counts and temperatures (`counts_to_celsius.dat`
as published with the ThermoFace pictures: two columns, comment lines begin with %).
"""

import math
import zipfile
from functools import lru_cache
from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt16

from thermal_landmarks.data.formats.limits import check_bytes
from thermal_landmarks.errors import DataError

COUNTS_TABLE_NAME = "counts_to_celsius.dat"
_IMAGE = "Images/Main/IR.data"
_END_FRACTION = 0.1  # of the table, whose slope continues it beyond its ends


def read_fluke_counts(path: Path) -> UInt16[np.ndarray, "height width"]:
    """The camera counts of an .IS2 file.

    Raises:
        DataError: If the data are not a header row and a 4:3 image.
        zipfile.BadZipFile: If the file is not a zip archive.
        KeyError: If the archive has no infrared image.
    """
    with zipfile.ZipFile(path) as archive:
        check_bytes(path, archive.getinfo(_IMAGE).file_size, per_pixel=2, what=_IMAGE)
        data = archive.read(_IMAGE)
    # the size is not in the data: every Fluke detector is 4:3, so the length w * (3/4 w + 1) values tells the width
    values = len(data) // 2
    width = round((math.sqrt(1 + 3 * values) - 1) * 2 / 3)
    height = width * 3 // 4
    if len(data) != 2 * width * (height + 1) or height < 2:
        raise DataError(f"{path}: {_IMAGE} has {len(data)} bytes, which is no 4:3 image with a header row.")
    return np.frombuffer(data, "<u2").reshape(height + 1, width)[1:].astype(np.uint16)


def find_counts_table(path: Path) -> Path | None:
    """The table in the folder of an image, or None."""
    table = path.with_name(COUNTS_TABLE_NAME)
    return table if table.is_file() else None


def counts_to_celsius(counts: UInt16[np.ndarray, "height width"], table: Path) -> Float[np.ndarray, "height width"]:
    """Degrees Celsius by linear interpolation in the table, and by its end slopes beyond it.

    Raises:
        DataError: If the table is not two columns of numbers with rising counts.
    """
    known_counts, known_c = _read_counts_table(table, table.stat().st_mtime_ns)
    celsius = np.interp(counts, known_counts, known_c)
    reach = max(1, int(len(known_counts) * _END_FRACTION))
    for beyond, end, inner in ((counts < known_counts[0], 0, reach), (counts > known_counts[-1], -1, -1 - reach)):
        slope = (known_c[end] - known_c[inner]) / (known_counts[end] - known_counts[inner])
        celsius[beyond] = known_c[end] + slope * (counts[beyond] - known_counts[end])
    return celsius


@lru_cache(maxsize=8)
def _read_counts_table(table: Path, _modified: int) -> tuple[np.ndarray, np.ndarray]:
    try:
        rows = np.loadtxt(table, comments="%", encoding="latin-1", ndmin=2)
    except (ValueError, OSError) as error:
        raise DataError(f"{table}: not a table of counts and degrees Celsius ({error}).") from error
    if rows.ndim != 2 or rows.shape[1] != 2 or len(rows) < 2 or not (np.diff(rows[:, 0]) > 0).all():
        raise DataError(
            f"{table}: found {rows.shape[0]} rows of {rows.shape[1]} numbers; expected two columns, counts (rising) "
            "and degrees Celsius, in at least two rows."
        )
    return rows[:, 0], rows[:, 1]
