"""Bare frames from standard input, as other programs pipe them: `ffmpeg ... -f rawvideo - | ... source=-`."""

import sys
from collections.abc import Generator
from pathlib import Path
from typing import BinaryIO

import numpy as np

from thermal_landmarks.data.formats.limits import check_size
from thermal_landmarks.data.formats.stored import Stored
from thermal_landmarks.data.video.frame import StoredFrame
from thermal_landmarks.errors import ConfigError, DataError


class Raw:
    """Frames of one size and type without anything between them.

    Args:
        size: (height, width).
        dtype: Of NumPy, such as `uint16` or `>u2`.
        stream: None: standard input.

    Raises:
        ConfigError: If size or type is missing or unknown.
    """

    n_frames: int | None = None
    fps: float | None = None
    live = True

    def __init__(self, size: tuple[int, int] | None, dtype: str | None, stream: BinaryIO | None = None) -> None:
        self.path = self.unit_beside = Path("standard input")
        self.name = "standard input"
        if size is None or dtype is None:
            raise ConfigError("source=- has raw frames: set size=[height,width], dtype=uint8|uint16|float32 and fps=.")
        if len(size) != 2 or min(size) < 1:
            raise ConfigError(f"size={list(size)} should be [height,width] of raw frames.")
        try:
            self._dtype = np.dtype(dtype)
        except TypeError as error:
            raise ConfigError(f"dtype={dtype} is unknown. Choose uint8, uint16 or float32.") from error
        if self._dtype.kind not in "uif":
            raise ConfigError(f"dtype={dtype} is no type of numbers. Choose uint8, uint16 or float32.")
        check_size(self.path, *size)
        self._size = size
        self._stream = stream or sys.stdin.buffer

    def read(self, start: int) -> Generator[StoredFrame]:
        """See `Container`; `start` is the number of the frame that comes next."""
        length = self._size[0] * self._size[1] * self._dtype.itemsize
        index = start
        while data := self._stream.read(length):
            if len(data) < length:
                raise DataError(
                    f"{self.path}: frame {index} ends after {len(data)} of {length} bytes. Was the program before it "
                    "stopped, or are size and dtype others?"
                )
            values = np.frombuffer(data, self._dtype).reshape(self._size)
            yield StoredFrame(index, None, Stored(values.astype(self._dtype.newbyteorder("="))))
            index += 1
