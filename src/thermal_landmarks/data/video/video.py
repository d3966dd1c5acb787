"""A video as images: one size, one unit and one colour palette from its first frame to its last."""

import logging
from collections.abc import Generator, Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import chain, islice

import numpy as np

from thermal_landmarks.data.annotation import ThermalImage, Unit
from thermal_landmarks.data.formats.displayed import as_heat, check_marks, recognised_palette
from thermal_landmarks.data.formats.images import check_unit, to_image
from thermal_landmarks.data.formats.palettes import Palette, named_palette
from thermal_landmarks.data.formats.stored import Stored
from thermal_landmarks.data.formats.units import infer_unit
from thermal_landmarks.data.video.drawn_marks import DrawnMarks
from thermal_landmarks.data.video.frame import Container, StoredFrame, VideoFrame
from thermal_landmarks.errors import DataError, UserError, said_by

_log = logging.getLogger(__name__)

_ASSUMED_FPS = 30.0
_DARK = 40  # gray levels between darkest and brightest pixel, at most, of a frame that shows nothing yet
_TIMED_FRAMES = 12  # of a stream that tells its rate by coming alone
_FIRST_FRAMES = 30  # one of them must be readable; they tell unit, palette and marks (films fade in from black)
_APART = 3  # those that are compared for marks


class Video:
    """A video that is read from its beginning, or from any frame on; memory doesn't grow with its length.

    What a video doesn't say about itself is decided by its first frame that can be read and holds for all: an 8-bit
    picture that turns brighter doesn't become another palette, and 16-bit values don't change their unit.

    Args:
        container: Where the frames come from.
        fps: Frames a second, where the container has no time stamps.
        unit: Of values that don't name theirs; see `read_image`.
        palette: Of 8-bit colour pictures; see `as_heat`.
        marks: Of cameras in 8-bit pictures; see `as_heat`. Where they are is learned from the first frames.

    Attributes:
        marked_pixels: Near the camera's marks, which are filled in every frame; 0 without.

    Raises:
        DataError: If it has no frame that can be read.
        ConfigError: If unit, palette or way with marks is unknown.
    """

    def __init__(
        self,
        container: Container,
        *,
        fps: float | None = None,
        unit: str | None = None,
        palette: str = "auto",
        marks: str = "masked",
    ) -> None:
        check_unit(unit)
        check_marks(marks)
        given = None if palette in ("auto", "none") else named_palette(palette)
        self.path, self.n_frames = container.path, container.n_frames
        self._said = container.name if container.live else str(container.path)
        self._container = container
        self._stated_fps, self._stored_unit = fps, unit
        self._ahead: list[StoredFrame] = []
        self._stream: Generator[StoredFrame] = container.read(0)
        first = self._first()
        if self._stored_unit is None and first.unit is None:
            self._stored_unit = infer_unit(container.unit_beside, first.values)
        image = self._image(first)
        height, width = image.values.shape
        self.size: tuple[int, int] = (height, width)
        self.unit: Unit = image.unit
        self._palette = self._recognised() if palette == "auto" else given
        self.palette = None if self._palette is None else self._palette.name
        self._marks: DrawnMarks | None = None
        if marks == "masked" and image.unit == "gray" and first.values.dtype == np.uint8:
            self._marks = DrawnMarks(self._first_images(), self.size, self._palette)
        self.marked_pixels = 0 if self._marks is None else self._marks.pixels
        timed = any(frame.time_s is not None for frame in self._ahead)
        self.fps: float = fps or container.fps or (self._arriving() if container.live and timed else _ASSUMED_FPS)
        if not container.live:
            self._stream.close()
            self._ahead = self._ahead[:1]
        if not (timed or fps or container.fps):
            _log.warning(
                "%s: says nothing of its time; %g frames a second are assumed. Set fps=.", self._said, self.fps
            )

    @property
    def name(self) -> str:
        """For people: the file's name without its suffix, the folder's, or the stream's."""
        return self._container.name

    @property
    def live(self) -> bool:
        """Whether it can be read only once, as a camera."""
        return self._container.live

    def close(self) -> None:
        """Let a camera or stream go; what was recorded of it is whole then."""
        self._stream.close()

    def __iter__(self) -> Iterator[VideoFrame]:
        return self.frames()

    def frames(self, start: int = 0, end: int | None = None) -> Iterator[VideoFrame]:
        """The frames from a number on, up to another one; a live stream goes on where it is.

        A frame that can't be decoded is left out with a warning, if others follow. What comes after `end` isn't read.

        Raises:
            DataError: Where it is damaged to its end or changes its size; the frames before have been given.
        """
        filled = 0
        damaged: list[str] = []  # what is wrong with each of the last frames in a row
        for stored in islice(self._until_damage(start), None if end is None else max(0, end - start)):
            where = f"{self._said}: frame {stored.index}" + (f" ({stored.place})" if stored.place else "")
            try:
                image = self._decoded(stored, where)
            except UserError as error:
                damaged.append(f"{where} can't be decoded ({str(error).removeprefix(f'{self._said}: ').rstrip('.')})")
                continue
            if damaged:
                _log.warning("%s; left out%s.", damaged[0], f", as are {n} after it" if (n := len(damaged) - 1) else "")
                damaged.clear()
            if image.values.shape != self.size:
                (height, width), found = self.size, image.values.shape
                raise DataError(
                    f"{where} has {found[1]} x {found[0]} pixels, those before {width} x {height}. Cut the video where "
                    "its size changes."
                )
            filled += image.missing > 0
            time_s = stored.time_s
            if time_s is None or self._stated_fps is not None:
                time_s = stored.index / self.fps
            yield VideoFrame(stored.index, time_s, image)
        if filled:
            _log.warning("%s: %d frames lack values; they are filled by the median of the others.", self._said, filled)
        if damaged:
            after = f", nor can the {len(damaged) - 1} after it, to the end" if len(damaged) > 1 else ""
            raise DataError(f"{damaged[0]}{after}. Those before are whole; copy it again from its source for the rest.")

    def _until_damage(self, start: int) -> Iterator[StoredFrame]:
        index = start
        try:
            for stored in self._stored_frames(start):
                index = stored.index + 1
                yield stored
        except (UserError, MemoryError):
            raise
        except Exception as error:  # decoders raise almost anything on damaged files
            raise DataError(
                f"{self._said}: frame {index} can't be read ({said_by(error)}). "
                "Those before are whole; copy it again from its source for the rest."
            ) from error

    def _stored_frames(self, start: int) -> Iterator[StoredFrame]:
        if not self._container.live:
            yield from self._container.read(start)
            return
        while self._ahead:
            yield self._ahead.pop(0)
        yield from self._stream

    def _first(self) -> Stored:
        reason = ""
        for frame in self._kept():
            if frame.stored is not None and not _empty(frame.stored.values):
                return frame.stored
            reason = reason or frame.reason
            if len(self._ahead) == _FIRST_FRAMES:
                break
        if not self._ahead:
            raise DataError(f"{self._said}: has no frame. Copy the video again from its source.")
        raise DataError(
            f"{self._said}: none of its first {len(self._ahead)} frames can be read"
            f"{f' ({reason})' if reason else ': all of their values are missing'}. Copy it again from its source."
        )

    def _recognised(self) -> Palette | None:
        """The palette of the first frame that shows one."""
        frames = chain(list(self._ahead), islice(self._kept(), _FIRST_FRAMES - len(self._ahead)))
        try:
            for values in (frame.stored.values for frame in frames if frame.stored is not None):
                shows_gray = values.ndim == 2 and np.ptp(values) > _DARK
                if values.dtype != np.uint8 or shows_gray:
                    break
                if found := recognised_palette(self._image(Stored(values))):
                    return found
        except DataError:
            pass  # of a later frame: reading on will come to it again
        return None

    def _first_images(self) -> Iterator[ThermalImage]:
        """Some of the first frames; of a camera fewer, since somebody waits."""
        frames: Iterator[StoredFrame] = self._container.read(0) if not self.live else self._timed_frames()
        with suppress(DataError):  # reading on will come to it again
            for frame in islice(frames, 0, _FIRST_FRAMES, 1 if self.live else _APART):
                if frame.stored is not None and not _empty(frame.stored.values):
                    yield self._shown(frame.stored)

    def _timed_frames(self) -> Iterator[StoredFrame]:
        return chain(list(self._ahead), islice(self._kept(), max(0, _TIMED_FRAMES - len(self._ahead))))

    def _arriving(self) -> float:
        """Frames a second of a stream that only shows it; the first ones come all at once."""
        with suppress(DataError):  # reading on will come to it again
            list(self._timed_frames())
        times = [frame.time_s for frame in self._ahead if frame.time_s is not None]
        step_s = float(np.median(np.diff(times))) if len(times) > 1 else 0.0
        return 1 / step_s if step_s > 0 else _ASSUMED_FPS

    def _kept(self) -> Iterator[StoredFrame]:
        """Frames that are read ahead. What ends a stream meanwhile, which can't be read again, is met again."""
        try:
            for frame in self._stream:
                self._ahead.append(frame)
                yield frame
        except DataError as error:
            self._stream = _ending(error)
            raise

    def _image(self, stored: Stored) -> ThermalImage:
        unit = stored.unit if stored.unit is not None else self._stored_unit
        return to_image(self._container.path, stored._replace(unit=unit), quiet=True)

    def _shown(self, stored: Stored) -> ThermalImage:
        image = self._image(stored)
        return image if self._palette is None else as_heat(image, self._palette, "kept")

    def _decoded(self, frame: StoredFrame, where: str) -> ThermalImage:
        if frame.stored is None:
            raise DataError(frame.reason)
        if _empty(frame.stored.values):
            raise DataError(f"{where} has no value")
        image = self._shown(frame.stored)
        if self._marks is not None:
            image = self._marks.filled(image)
        return image if self._palette is None else replace(image, rgb=None)


def _ending(error: DataError) -> Generator[StoredFrame]:
    """A stream that has ended by this error."""
    raise error
    yield  # which makes it a generator


def _empty(values: np.ndarray) -> bool:
    return values.size == 0 or (values.dtype.kind == "f" and not np.isfinite(values).any())
