"""Bare frames of one size and type without anything between them: files, and what other programs pipe.

`ffmpeg ... -f rawvideo - | thermal-landmarks track source=- size=[240,320] dtype=uint16`
"""

import logging
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from thermal_landmarks.data.formats.limits import check_size
from thermal_landmarks.data.formats.stored import Stored
from thermal_landmarks.data.video.arrays import read_stack
from thermal_landmarks.data.video.frame import StoredFrame
from thermal_landmarks.errors import ConfigError, DataError

_log = logging.getLogger(__name__)

_TYPES = "Choose uint8, uint16 ('>u2' where the high byte comes first) or float32."
_USUAL_SIZES = (
    *((60, 80), (120, 160), (122, 160), (156, 208), (192, 256), (240, 320), (256, 320), (258, 320), (288, 384)),
    *((480, 640), (512, 640), (514, 640), (768, 1024)),
)
_LEAST_FRAMES = 5


class Raw:
    """Frames of a size (height, width) and NumPy's dtype (`uint16`, `>u2`) from standard input, or of a file.

    Raises:
        ConfigError: If size or type is missing or unknown.
        DataError: If the file has not even one frame of that size.
    """

    fps: float | None = None

    def __init__(
        self,
        size: tuple[int, int] | None,
        dtype: str | None,
        file: Path | None = None,
        stream: BinaryIO | None = None,
    ) -> None:
        self.live, self._stream = file is None, stream
        self.path = self.unit_beside = file or Path("standard input")
        self.name = "standard input" if file is None else file.stem
        if size is None or dtype is None:
            guesses = "" if file is None else _guessed(file.stat().st_size)
            raise ConfigError(
                f"source={file or '-'} has bare frames: set size=[height,width], dtype=uint8|uint16|float32 and "
                f"fps=.{guesses}"
            )
        if len(size) != 2 or min(size) < 1:
            raise ConfigError(f"size={list(size)} should be [height,width] of raw frames.")
        self._dtype, self._size = _known(dtype), size
        check_size(self.path, *size)
        self._frame_bytes = size[0] * size[1] * self._dtype.itemsize
        self.n_frames: int | None = None
        if file is not None:
            self.n_frames, over = divmod(file.stat().st_size, self._frame_bytes)
            if over:
                _log.warning(
                    "%s: %d frames of %d x %d %s, and %d bytes over. Was it cut off, or are size and dtype others?",
                    *(file, self.n_frames, size[1], size[0], dtype, over),
                )

    def read(self, start: int) -> Generator[StoredFrame]:
        """See `Container`; of standard input `start` is the number of the frame that comes next."""
        if self.n_frames is not None:
            for index, values in enumerate(read_stack(self.path, 0, (self.n_frames, *self._size), self._dtype, start)):
                yield StoredFrame(start + index, None, Stored(values))
            return
        stream, index = self._stream or sys.stdin.buffer, start
        while data := stream.read(self._frame_bytes):
            if len(data) < self._frame_bytes:
                raise DataError(
                    f"{self.path}: frame {index} ends after {len(data)} of {self._frame_bytes} bytes. Was the program "
                    "before it stopped, or are size and dtype others?"
                )
            values = np.frombuffer(data, self._dtype).reshape(self._size)
            yield StoredFrame(index, None, Stored(values.astype(self._dtype.newbyteorder("="))))
            index += 1


def _known(dtype: str) -> np.dtype[Any]:
    try:
        known = np.dtype(dtype)
    except TypeError as error:
        raise ConfigError(f"dtype={dtype} is unknown. {_TYPES}") from error
    if known.kind not in "uif":
        raise ConfigError(f"dtype={dtype} is no type of numbers. {_TYPES}")
    return known


def _guessed(count: int) -> str:
    """What so many bytes may be, by the usual sizes of cameras."""
    fit = [
        f"{frames} of [{height},{width}]"
        for height, width in _USUAL_SIZES
        for frames, over in [divmod(count, 2 * height * width)]
        if not over and frames >= _LEAST_FRAMES
    ]
    return f" Its {count:,} bytes may be uint16 frames: {', '.join(fit)}." if fit else ""
