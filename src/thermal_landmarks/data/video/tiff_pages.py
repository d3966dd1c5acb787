"""Multi-page TIFF and BigTIFF, one page a frame; also ImageJ's and others' single page with all frames behind it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from thermal_landmarks.data.formats.stored import Stored
from thermal_landmarks.data.formats.tiff import page_stored
from thermal_landmarks.data.video.frame import StoredFrame
from thermal_landmarks.errors import DataError


class TiffPages:
    """The pages of a TIFF file; the rate is ImageJ's, or that of `sequence.json` beside it (`render_sequence`)."""

    live = False

    def __init__(self, path: Path) -> None:
        import tifffile

        self.path = self.unit_beside = path
        self.name = path.stem
        with tifffile.TiffFile(path) as tiff:
            pages = len(tiff.pages)
            series = tiff.series[0]
            self._behind_one = pages == 1 and len(series.shape) == 3 and series.dataoffset is not None
            self.n_frames: int | None = int(series.shape[0]) if self._behind_one else pages
            self.fps = _rate(path, tiff)

    def read(self, start: int) -> Iterator[StoredFrame]:
        """See `Container`."""
        import tifffile

        if self._behind_one:
            frames = tifffile.memmap(self.path, mode="r")
            for index in range(start, len(frames)):
                yield StoredFrame(index, None, Stored(np.array(frames[index])))
            return
        with tifffile.TiffFile(self.path) as tiff:
            for index in range(start, self.n_frames or 0):
                try:
                    page = tiff.pages[index]
                    if not hasattr(page, "tags"):
                        page = page.aspage()
                    yield StoredFrame(index, None, page_stored(self.path, page))
                except DataError:
                    raise
                except Exception as error:  # decoders raise almost anything on damaged pages
                    raise DataError(
                        f"{self.path}: page {index} can't be read ({error}). The {index} before are whole; copy the "
                        "file again from its source for the rest."
                    ) from error


def _rate(path: Path, tiff: Any) -> float | None:
    interval = (tiff.imagej_metadata or {}).get("finterval")
    if isinstance(interval, float | int) and interval > 0:
        return 1 / float(interval)
    try:
        rate = json.loads((path.parent / "sequence.json").read_text(encoding="utf-8"))["settings"]["rate_hz"]
        return float(rate) if rate > 0 else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
