"""Videos that FFmpeg decodes (through PyAV): mp4, avi, mkv, mjpeg, 16-bit FFV1; cameras and network streams."""

import logging
import re
import sys
import time
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from thermal_landmarks.data.formats.limits import check_size, max_pixels
from thermal_landmarks.data.formats.stored import Stored
from thermal_landmarks.data.video.frame import StoredFrame
from thermal_landmarks.data.video.timing import Clock
from thermal_landmarks.errors import DataError

_log = logging.getLogger(__name__)

_NO_FILM = {"tty", "bin", "xbin", "adf", "idf", "concat", "hls"}
"""FFmpeg's formats that draw any text as a picture, or open other files."""

_UNTIMED = {"mjpeg", "mpjpeg", "h264", "hevc", "m4v", "mpegvideo", "rawvideo"}
"""Formats without time stamps, for which FFmpeg assumes 25 frames a second."""

_SILENT_S = 10.0  # a camera that sends nothing for so long has gone
_COLOUR = 6  # levels of 255 between a coloured pixel's chroma and gray
_COLOURED = 0.01  # share of the pixels
_FIRST_FRAMES = 30  # one of them shows whether the film has colours: some begin in black
_CUT_SHARE, _CUT_S = 0.05, 1.0  # what may be missing at the end of a whole film


class Coded:
    """A file, camera or stream.

    Args:
        path: Names it.
        address: What FFmpeg opens; None: the path.
        form: FFmpeg's name of the kind of device.
        options: Of FFmpeg, tried one after another. By default a file opens nothing but itself.
    """

    def __init__(
        self,
        path: Path,
        *,
        address: str | None = None,
        form: str | None = None,
        options: tuple[dict[str, str], ...] = ({"protocol_whitelist": "file"},),
    ) -> None:
        self.path, self._address, self._form = path, address or f"file:{path}", form  # whatever the file's name
        self.unit_beside = path
        self._said = str(path) if address is None else without_credentials(address)
        self.name = path.stem if address is None else self._said
        self.live = address is not None
        self._options = options
        self._container = self._open()
        stream = self._container.streams.video[0]
        rate = stream.average_rate or stream.guessed_rate
        timed = self._container.format.name not in _UNTIMED
        self.fps = float(rate) if timed and rate and 0.1 <= float(rate) <= 1000 else None
        # Of a film that was trimmed, a file still counts the frames before; Matroska doesn't count any.
        self.n_frames: int | None = min(filter(None, (stream.frames, self._reckoned(stream))), default=None)
        self._announced = self.n_frames if stream.frames and self.n_frames else 0
        if not self.live:
            self._container.close()

    def _reckoned(self, stream: Any) -> int | None:
        """Frames by the duration."""
        ends_s = None if self.live or self.fps is None else _ends_s(self._container, stream)
        return round(ends_s * self.fps) or None if ends_s and self.fps else None

    @classmethod
    def camera(cls, number: int) -> "Coded":
        """A camera of this machine; one that offers 16-bit values (Lepton, Boson, Tau by PureThermal) gives these."""
        if sys.platform == "darwin":
            return cls(Path(f"camera {number}"), address=str(number), form="avfoundation")
        if sys.platform == "win32":
            return cls(Path(f"camera {number}"), address=f"video={number}", form="dshow")
        device = f"/dev/video{number}"
        if not Path(device).exists():
            raise DataError(f"source={number}: there is no camera {device}. Is it plugged in?")
        return cls(Path(device), address=device, form="v4l2", options=({"pixel_format": "gray16le"}, {}))

    @classmethod
    def address(cls, url: str) -> "Coded":
        """A stream of the network; user and password in its address are not shown."""
        options = {"fpsprobesize": "0"}  # no frames are held back for their rate: `Video` finds it
        if url.startswith("rtsp"):
            options["rtsp_transport"] = "tcp"
        return cls(Path(without_credentials(url)), address=url, options=(options,))

    def _open(self) -> Any:
        import av

        timeout = _SILENT_S if self.live else None
        for options in self._options:
            try:
                container = av.open(self._address, format=self._form, options=options, timeout=timeout)
                break
            except av.error.FFmpegError as error:
                failed = error
        else:
            timed_out = isinstance(failed, av.error.ExitError)
            reason = f"no answer within {_SILENT_S:g} s" if timed_out else failed.strerror
            why = (
                "Is the camera on, the address right, and no other program using it?"
                if self.live
                else "It is damaged, unfinished (an mp4 whose recording was cut off has no index), or not a video."
            )
            raise DataError(f"{self._said}: can't be opened as a video ({reason}). {why}") from failed
        refused = not self.live and container.format.name in _NO_FILM
        if refused or not container.streams.video or container.streams.video[0].codec_context is None:
            container.close()
            raise DataError(f"{self._said}: has no video stream that FFmpeg can decode. Check that it is a video.")
        codec = container.streams.video[0].codec_context
        check_size(self.path, codec.height, codec.width)
        codec.options = {"max_pixels": str(max_pixels())}  # of later frames, which may be larger
        return container

    def read(self, start: int) -> Generator[StoredFrame]:
        """See `Container`."""
        container = self._container if self.live else self._open()
        with container:
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            clock, colour = Clock(self.path, self.fps), False
            for index, (frame, pts, reason) in enumerate(self._decoded(container, stream)):
                time_s = None
                if container.format.name not in _UNTIMED:
                    time_s = clock(None if pts is None or not stream.time_base else float(pts * stream.time_base))
                elif self.live:
                    time_s = clock(time.monotonic())  # a frame's arrival
                if frame is not None and not colour and index < _FIRST_FRAMES:
                    check_size(self.path, frame.height, frame.width)
                    colour = _has_colour(frame)
                if index < start:
                    continue
                if frame is None:
                    yield StoredFrame(index, time_s, None, reason)
                    continue
                check_size(self.path, frame.height, frame.width)
                if self.path.suffix.lower() == ".ravi" and frame.format.name == "yuyv422":
                    yield StoredFrame(index, time_s, Stored(_optris(frame)))
                    continue
                turned = np.rot90(_values(frame, colour=colour), round(getattr(frame, "rotation", 0) / 90))
                yield StoredFrame(index, time_s, Stored(np.ascontiguousarray(turned)))

    def _decoded(self, container: Any, stream: Any) -> Iterator[tuple[Any, int | None, str]]:
        """Each frame and its time stamp; None and the reason in place of what can't be decoded."""
        import av

        count, last_s = 0, None
        begun, early = False, 0  # packets before the first key frame
        try:
            for packet in container.demux(stream):
                begun = begun or packet.is_keyframe
                early += not begun
                try:
                    frames = packet.decode()
                except av.error.InvalidDataError as error:
                    count += 1
                    yield None, packet.pts, error.strerror or "damaged"
                    continue
                begun = begun or bool(frames)
                for frame in frames:
                    count += 1
                    last_s = frame.time
                    yield (None, frame.pts, "a piece of it is missing") if frame.is_corrupt else (frame, frame.pts, "")
        except av.error.FFmpegError as error:
            if self.live:
                silent = f"nothing came for {_SILENT_S:g} s"
                why = silent if isinstance(error, av.error.ExitError) else error.strerror
                raise DataError(
                    f"{self._said}: the stream ended after {count} frames ({why}). Those before are whole; start "
                    "again when the camera is back."
                ) from error
            raise DataError(
                f"{self.path}: can't be decoded after {count} frames ({error.strerror}). Those before are whole; copy "
                "it again from its source for the rest."
            ) from error
        if self.live or not count:
            return
        if early:
            _log.warning("%s: its first %d frames need one before them that is missing; left out.", self.path, early)
        announced, ends_s = self._announced - early, _ends_s(container, stream)
        short_s = 0.0 if last_s is None or ends_s is None else ends_s - last_s
        if count < (1 - _CUT_SHARE) * announced - 1 or short_s > max(_CUT_S, _CUT_SHARE * (ends_s or 0.0)):
            promised = f"{announced} frames" if self._announced else f"{ends_s:.1f} seconds"
            raise DataError(
                f"{self.path}: ends after {count} frames, but should have {promised}. It was cut off or has a hole; "
                "copy it again from its source for the rest."
            )


def without_credentials(source: str) -> str:
    """An address without its user and password; other sources as they are."""
    return re.sub("://.*@", "://", source)


def _ends_s(container: Any, stream: Any) -> float | None:
    """When the last frame ends, as the container says; sound that goes on longer doesn't count."""
    began = float(stream.start_time * stream.time_base) if stream.start_time else 0.0
    if stream.duration:
        return began + float(stream.duration * stream.time_base)
    return began + container.duration / 1e6 if container.duration and len(container.streams) == 1 else None


def _has_colour(frame: Any) -> bool:
    if frame.format.name.startswith("gray"):
        return False
    rgb = frame.to_ndarray(format="rgb24")[::4, ::4].astype(np.int16)
    spread = rgb.max(axis=2) - rgb.min(axis=2)
    return bool((spread > 2 * _COLOUR).mean() > _COLOURED)


def _values(frame: Any, *, colour: bool) -> np.ndarray:
    """(height, width) of gray levels, all bits that there are; or (height, width, 3) in colour, of 8 or 16 bits."""
    name = frame.format.name
    if name.startswith("gray") and name != "gray":
        plane = frame.planes[0]
        kind = "f4" if "f32" in name else "u2"
        order = ">" if name.endswith("be") else "<"
        rows = np.frombuffer(plane, dtype=np.dtype(f"{order}{kind}")).reshape(frame.height, -1)
        return rows[:, : frame.width].astype(kind)
    deep = any(component.bits > 8 for component in frame.format.components)
    if deep:  # FFmpeg would make gray of them by way of 8 bits
        channels: np.ndarray = frame.to_ndarray(format="rgb48le")
        return channels if colour else channels[:, :, 1]
    values: np.ndarray = frame.to_ndarray(format="rgb24" if colour else "gray")
    return values


def _optris(frame: Any) -> np.ndarray:
    """Camera counts (height, width) of an Optris film, which calls its 16 bits YUV; the first row is no picture.

    As found out in https://stackoverflow.com/questions/67340899 and 58899981; what the counts mean is not known there.
    """
    plane = frame.planes[0]
    rows = np.frombuffer(plane, "<i2").reshape(frame.height, plane.line_size // 2)
    return rows[1:, : frame.width].astype(np.int16)
