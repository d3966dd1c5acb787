"""FLIR's radiometric video: `.seq` (bare or PNG frames) and `.csq` (JPEG-LS): the records of one picture after another.

Each picture begins with `FFF` and a directory of its records, as inside of a radiometric JPEG (see `formats.flir`).
"""

import struct
from collections.abc import Generator
from pathlib import Path
from typing import BinaryIO

from thermal_landmarks.data.formats.flir import (
    CAMERA_INFO,
    RAW_DATA,
    flir_records,
    record_places,
    records_celsius,
)
from thermal_landmarks.data.formats.limits import check_bytes
from thermal_landmarks.data.formats.stored import Stored
from thermal_landmarks.data.video.frame import StoredFrame
from thermal_landmarks.data.video.timing import Clock
from thermal_landmarks.errors import DataError

MAGIC = b"FFF\0"
_HEADER_BYTES = 64
_TIME, _RATE = 900, 1124  # bytes in the camera's record (https://exiftool.org/TagNames/FLIR.html)
_MOST_RECORDS = 200
_MOST_FALSE = 1000  # places that look like a picture's beginning; by chance there is one in 4 GB
_BYTES_PER_PIXEL = 6  # of a picture with all of its records, at most
_PIECE_BYTES = 2**16


class FlirVideo:
    """Pictures of a `.seq` or `.csq` file in degrees Celsius, with the camera's own time."""

    live = False

    def __init__(self, path: Path) -> None:
        self.path = self.unit_beside = path
        self.name = path.stem
        with path.open("rb") as file:
            self._places, self._torn = _pictures(file, path)
            first = flir_records(_bytes(file, *self._places[0])) if self._places else {}
        if not self._places:
            raise DataError(f"{path}: not one picture of this FLIR video is whole. Copy it again from the camera.")
        self._camera = first.get(CAMERA_INFO)
        self.fps = None if self._camera is None else _rate(self._camera)
        self.n_frames: int | None = len(self._places)

    def read(self, start: int) -> Generator[StoredFrame]:
        """See `Container`."""
        clock = Clock(self.path, self.fps)
        with self.path.open("rb") as file:
            for index, (first, end) in enumerate(self._places):
                records = flir_records(_bytes(file, first, end))
                camera = records.setdefault(CAMERA_INFO, self._camera or b"")  # some write it once
                time_s = clock(_time_s(camera))
                if index < start:
                    continue
                try:
                    stored = Stored(records_celsius(records, self.path), "celsius")
                except Exception as error:  # the decoder of JPEG-LS raises its own kinds
                    if self._torn and index == len(self._places) - 1:
                        raise DataError(
                            f"{self.path}: ends within frame {index}. The {index} before are whole; copy it again from "
                            "the camera for the rest."
                        ) from error
                    yield StoredFrame(index, time_s, None, f"{type(error).__name__}: {error}")
                    continue
                yield StoredFrame(index, time_s, stored)


def _pictures(file: BinaryIO, path: Path) -> tuple[list[tuple[int, int]], bool]:
    """First byte and end of each picture, and whether the last one lacks bytes (often its filling alone)."""
    places: list[tuple[int, int]] = []
    size, false_starts = path.stat().st_size, 0
    position = _find(file, 0)
    while position is not None:
        length = _length(_bytes(file, position, position + _HEADER_BYTES + 32 * _MOST_RECORDS))
        if length is None:  # these letters stood among the pixels
            false_starts += 1
            if false_starts > _MOST_FALSE:
                raise DataError(f"{path}: byte {position} and {_MOST_FALSE} before begin no picture. It is damaged.")
            position = _find(file, position + 1)
            continue
        check_bytes(path, min(length, size - position), per_pixel=_BYTES_PER_PIXEL, what=f"picture {len(places)}")
        if position + length > size:
            return [*places, (position, size)], True
        places.append((position, position + length))
        position = _find(file, position + length)
    return places, False


def _find(file: BinaryIO, position: int) -> int | None:
    """Where the next picture may begin; pieces are read, since memory that is mapped counts as used."""
    while len(piece := _bytes(file, position, position + _PIECE_BYTES)) >= len(MAGIC):
        found = piece.find(MAGIC)
        if found >= 0:
            return position + found
        position += len(piece) - len(MAGIC) + 1
    return None


def _bytes(file: BinaryIO, first: int, end: int) -> bytes:
    file.seek(first)
    return file.read(end - first)


def _length(header: bytes) -> int | None:
    try:
        places = record_places(header)
    except struct.error:
        return None
    if not places or len(places) > _MOST_RECORDS or RAW_DATA not in {kind for kind, _, _ in places}:
        return None
    end = max(first + length for _, first, length in places)
    return end if end > _HEADER_BYTES else None


def _time_s(camera: bytes) -> float | None:
    if len(camera) < _TIME + 8:
        return None
    seconds, milliseconds = struct.unpack_from(_order(camera) + "II", camera, _TIME)
    return float(seconds) + (milliseconds & 0xFFFF) / 1000 if seconds else None


def _rate(camera: bytes) -> float | None:
    if len(camera) < _RATE + 2:
        return None
    (rate,) = struct.unpack_from(_order(camera) + "H", camera, _RATE)
    return float(rate) if 0 < rate <= 1000 else None


def _order(camera: bytes) -> str:
    return "<" if camera[:2] == b"\x02\0" else ">"  # every record begins with the number 2
