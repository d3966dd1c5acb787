"""Multi-page TIFF and BigTIFF, one page a frame; also ImageJ's and others' single page with all frames behind it."""

import json
from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np

from thermal_landmarks.data.formats.limits import check_size
from thermal_landmarks.data.formats.stored import Stored
from thermal_landmarks.data.formats.tiff import page_stored
from thermal_landmarks.data.formats.units import UNITS
from thermal_landmarks.data.video.arrays import read_stack
from thermal_landmarks.data.video.frame import StoredFrame
from thermal_landmarks.errors import DataError


class TiffPages:
    """The pages of a TIFF file; the rate is ImageJ's, or that of `sequence.json` beside it (`render_sequence`)."""

    live = False

    def __init__(self, path: Path) -> None:
        import tifffile

        self.path = self.unit_beside = path
        rendered = path.with_name("sequence.json").is_file()  # of render_sequence, whose files all have one name
        self.name = path.resolve().parent.name if rendered else path.stem
        with tifffile.TiffFile(path) as tiff:
            pages, first = len(tiff.pages), tiff.pages.first
            series = tiff.series[0]
            self._behind_one = pages == 1 and len(series.shape) == 3 and series.dataoffset is not None
            if self._behind_one:
                check_size(path, *series.shape[1:])
            self._stack = series.dataoffset or 0, series.shape, np.dtype(f"{tiff.byteorder}{series.dtype.str[1:]}")
            said = dict(tiff.shaped_metadata[0]) if tiff.shaped_metadata else {}
            shape: Any = said.get("shape", ())
            self._announced = int(shape[0]) if len(shape) > first.ndim else 0
            self._unit = said["unit"] if said.get("unit") in UNITS else None
            self.fps = _rate(path, tiff, said)
        self.n_frames: int | None = int(series.shape[0]) if self._behind_one else max(pages, self._announced)

    def read(self, start: int) -> Generator[StoredFrame]:
        """See `Container`."""
        import tifffile

        if self._behind_one:
            for index, values in enumerate(read_stack(self.path, *self._stack, start), start):
                yield StoredFrame(index, None, Stored(values, self._unit))
            return
        index = 0
        with tifffile.TiffFile(self.path) as tiff:
            for number in range(len(tiff.pages)):
                try:
                    page: Any = tiff.pages[number]
                    page = page if hasattr(page, "tags") else page.aspage()
                    if page.is_reduced or page.is_mask:  # previews
                        continue
                    frame = StoredFrame(index, None, page_stored(self.path, page)._replace(unit=self._unit))
                except Exception as error:  # decoders raise almost anything on damaged pages
                    frame = StoredFrame(index, None, None, str(error) or type(error).__name__)
                if index >= start:
                    yield frame
                index += 1
        if index < self._announced:
            raise DataError(
                f"{self.path}: ends after {index} frames, but should have {self._announced}. Copy it again from its "
                "source for the rest."
            )


def _rate(path: Path, tiff: Any, said: dict[str, Any]) -> float | None:
    imagej = tiff.imagej_metadata or {}
    interval, rate = imagej.get("finterval"), said.get("fps", imagej.get("fps"))
    if isinstance(interval, float | int) and interval > 0:
        return 1 / float(interval)
    if isinstance(rate, float | int) and rate > 0:
        return float(rate)
    try:
        rate = json.loads((path.parent / "sequence.json").read_text(encoding="utf-8"))["settings"]["rate_hz"]
        return float(rate) if rate > 0 else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
