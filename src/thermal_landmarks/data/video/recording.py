"""A live stream kept without loss while it is read, since it can't be read again."""

import logging
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from thermal_landmarks.data.video.frame import Container, StoredFrame

_log = logging.getLogger(__name__)

RECORDING = "recording.mkv"
"""The name of the file in the folder of a command's results."""

_FORMATS = {"uint8": ("rgb24", "bgr0"), "uint16": ("gray16le", "gray16le")}
"""Of values: as NumPy has them, as FFV1 stores them. Bytes are stored in colour, which may come later than gray."""

_TIME_BASE = Fraction(1, 1000)
_UNTIMED_STEP_S = 1 / 30


class Recorded:
    """A camera, stream or pipe whose frames also go to a Matroska file (FFV1), as they were read.

    A frame that can't be decoded is black there, so that the numbers of the others stay. What was written before a
    crash is readable. Values of other kinds than 8 and 16 bits are not recorded; a warning says so.
    """

    def __init__(self, live: Container, path: Path) -> None:
        self._live, self._file = live, path
        self.path, self.unit_beside, self.name = live.path, live.unit_beside, live.name
        self.n_frames, self.fps, self.live = live.n_frames, live.fps, live.live

    def read(self, start: int) -> Generator[StoredFrame]:
        """See `Container`."""
        writer, waiting = None, []
        try:
            for frame in self._live.read(start):
                waiting.append(frame)
                if writer is None and frame.stored is not None:
                    writer = _Writer(self._file, frame.stored.values, self.fps)
                while writer is not None and waiting:
                    writer.add(waiting.pop(0))
                yield frame
        finally:
            if writer is not None:
                writer.close()


class _Writer:
    """Writes until it can't; what comes then is only seen."""

    def __init__(self, path: Path, first: np.ndarray, fps: float | None) -> None:
        self._path, self._container, self._pts = path, None, -1
        self._given, stored = _FORMATS.get(first.dtype.name, ("", ""))
        if not stored or (first.ndim == 3 and self._given != "rgb24"):
            _log.warning("%s: not written: values of type %s can't be recorded, only 8 and 16 bits.", path, first.dtype)
            return
        self._black = np.zeros(first.shape[:2] + ((3,) if self._given == "rgb24" else ()), first.dtype)
        import av

        with self._ending_at_a_full_disk():
            self._container = av.open(str(path), "w")
            self._stream: Any = self._container.add_stream("ffv1", rate=Fraction(fps or 30).limit_denominator(1001))
            self._stream.height, self._stream.width = first.shape[:2]
            self._stream.pix_fmt = stored
            self._stream.codec_context.time_base = _TIME_BASE

    def add(self, frame: StoredFrame) -> None:
        import av

        if self._container is None:
            return
        values = self._black if frame.stored is None else frame.stored.values
        if values.ndim < self._black.ndim:
            values = np.repeat(values[..., None], 3, axis=2)
        if (values.shape, values.dtype) != (self._black.shape, self._black.dtype):
            return  # reading ends with an error at such a frame
        coded = av.VideoFrame.from_ndarray(np.ascontiguousarray(values), format=self._given)
        time_s = frame.index * _UNTIMED_STEP_S if frame.time_s is None else frame.time_s
        self._pts = max(self._pts + 1, round(time_s / float(_TIME_BASE)))
        coded.pts, coded.time_base = self._pts, _TIME_BASE
        with self._ending_at_a_full_disk():
            self._container.mux(self._stream.encode(coded.reformat(format=self._stream.pix_fmt)))

    def close(self) -> None:
        if self._container is not None:
            with self._ending_at_a_full_disk():
                self._container.mux(self._stream.encode(None))
                self._container.close()

    @contextmanager
    def _ending_at_a_full_disk(self) -> Iterator[None]:
        import av

        try:
            yield
        except (OSError, av.error.FFmpegError) as error:
            self._container = None
            _log.warning("%s: the recording ends here (%s); what comes is tracked all the same.", self._path, error)
