"""What a file holds before it becomes an image: stored values, their unit as far as the file says, missing values."""

import logging
from pathlib import Path
from typing import NamedTuple

import numpy as np

from thermal_landmarks.data.annotation import NO_DATA
from thermal_landmarks.errors import DataError

_log = logging.getLogger(__name__)

_MARKS = (-9999.0, -99999.0, -999.0, -32768.0, -32767.0)


class Stored(NamedTuple):
    """The content of an image file."""

    values: np.ndarray  # (height, width), or (height, width, channel) of a colour picture, upright
    unit: str | None = None  # what they mean; None: the file doesn't say
    no_data: float | None = None  # the value that marks missing ones, where the file names it
    # Name and colours (n, 3) from cold to warm of the palette of a colour picture, where the file states it
    palette: tuple[str, np.ndarray] | None = None


def fill_missing(
    path: Path, values: np.ndarray, no_data: float | None, *, quiet: bool = False
) -> tuple[np.ndarray, int]:
    """Values (height, width) with missing ones replaced by the median of the others, and how many these are.

    Missing are NaN, infinite and huge values, the file's own mark, and a usual mark (-9999) that lies below all others
    by more than they differ.

    Raises:
        DataError: If all are missing.
    """
    missing = _missing(values, no_data)
    count = 0 if missing is None else int(missing.sum())
    if missing is None or not count:
        return values, 0
    if count == missing.size:
        raise DataError(f"{path}: none of its {values.size} values is a finite number. Export the image again.")
    _log.log(
        logging.DEBUG if quiet else logging.WARNING,
        "%s: %d values (%.2g %%) are not finite or marked as missing; replaced by the image's median.",
        path,
        count,
        100 * count / missing.size,
    )
    return np.where(missing, np.median(values[~missing]).astype(values.dtype), values), count


def _missing(values: np.ndarray, no_data: float | None) -> np.ndarray | None:
    """Which values are missing; None: there can be none."""
    if values.dtype.kind == "u":
        return None if no_data is None else values == no_data
    lowest, highest = values.min(), values.max()  # NaN where one value is
    ordinary = float(lowest) > -NO_DATA and float(highest) < NO_DATA  # float16 holds no such number
    if ordinary and no_data is None and float(lowest) not in _MARKS:
        return None
    missing = np.zeros(values.shape, dtype=bool) if ordinary else ~(np.abs(values) < NO_DATA)
    if no_data is not None:
        missing |= values == no_data
    rest = values[~missing] if missing.any() else values
    if rest.size and float(rest.min()) in _MARKS:
        mark = rest.min()
        others = rest[rest != mark].astype(np.float64)
        if others.size and others.min() - float(mark) > np.ptp(others):
            missing |= values == mark
    return missing
