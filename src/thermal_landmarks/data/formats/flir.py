"""FLIR radiometric JPEG: temperatures from the camera's raw signal, which lies in APP1 segments of the file.

Layout of the records after ExifTool's description (https://exiftool.org/TagNames/FLIR.html); signal to temperature
after the radiation balance of Minkina and Dudzik, "Infrared Thermography" (2009). Written from scratch
because flyr 3 reads little-endian records only, and does so pixel by pixel; older cameras (ThermaCAM) write big-endian.
"""

import io
import math
import struct
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, UInt16

from thermal_landmarks.data.formats.jpeg_parts import jpeg_segments
from thermal_landmarks.data.formats.limits import check_size
from thermal_landmarks.errors import DataError

_KELVIN = 273.15
RAW_DATA, CAMERA_INFO, PALETTE = 1, 32, 34
"""Types of records."""

_RAW_HEADER_BYTES = 32
_PNG = b"\x89PNG"
_JPEG_LS = b"\xff\xd8\xff\xf7"
_JPEG_LS_SIZE = 7  # where height, width and number of channels stand (ITU-T T.87, C.2.2)
_JPEG_END = b"\xff\xd9"  # two bytes that can't stand among the pixels


_MOST_TRANSMISSION = 1.01
_PLAUSIBLE = {
    "emissivity": (0.01, 1.0),
    "distance_m": (0.0, 10_000.0),
    "reflected_k": (50.0, 3000.0),
    "atmosphere_k": (150.0, 400.0),
    "window_k": (50.0, 3000.0),
    "window_transmission": (0.01, 1.0),
    "humidity": (0.0, 1.0),
    "planck_r1": (1.0, 1e9),
    "planck_b": (100.0, 10_000.0),
    "planck_f": (0.0, 1000.0),
    "planck_r2": (1e-9, 1e3),
}
"""Smallest and largest values of a camera's settings, by their names in `_Camera`."""


class _Camera(NamedTuple):
    emissivity: float
    distance_m: float
    reflected_k: float
    atmosphere_k: float
    window_k: float
    window_transmission: float
    humidity: float  # 0 to 1
    planck_r1: float
    planck_b: float
    planck_f: float
    alpha_1: float
    alpha_2: float
    beta_1: float
    beta_2: float
    mixture: float
    planck_o: int
    planck_r2: float


def jpeg_records(jpeg: bytes) -> dict[int, bytes]:
    """The records in a JPEG by their type, as of `flir_records`; none in a JPEG without FLIR data.

    Raises:
        ValueError: If there are FLIR data, but damaged or incomplete.
        struct.error: If their directory ends too early.
    """
    data = _flir_segments(jpeg)
    return {} if data is None else flir_records(data)


def records_celsius(records: Mapping[int, bytes], path: Path) -> Float[np.ndarray, "height width"]:
    """Degrees Celsius from the records of one picture.

    Args:
        records: As of `flir_records`.
        path: The file, for messages.

    Raises:
        DataError: If the image is too large, or its calibration is outside of what a camera can have.
        ValueError: If the records are damaged or incomplete.
        struct.error: If a record ends too early.
    """
    if RAW_DATA not in records or CAMERA_INFO not in records:
        raise ValueError("its FLIR data have no raw image or no calibration")
    camera = _camera(records[CAMERA_INFO])
    _check_calibration(path, camera)
    return _celsius_of_signals(camera)[raw_signal(records[RAW_DATA], path)]


def _flir_segments(jpeg: bytes) -> bytes | None:
    parts: dict[int, bytes] = {}
    last = 0
    for marker, segment in jpeg_segments(jpeg):
        if marker == 0xE1 and segment.startswith(b"FLIR\0"):
            parts[segment[6]], last = segment[8:], segment[7]
    if not parts:
        return None
    if sorted(parts) != list(range(last + 1)):
        raise ValueError(f"of its {last + 1} FLIR segments only {len(parts)} are there")
    return b"".join(parts[i] for i in range(last + 1))


def flir_records(data: bytes) -> dict[int, bytes]:
    """Raw image, camera and palette of one picture by the type of their records, the first of each.

    Raises:
        ValueError: If these are no FLIR data.
    """
    if data[:4] not in (b"FFF\0", b"AFF\0"):
        raise ValueError("its FLIR data don't begin with FFF")
    records: dict[int, bytes] = {}
    for kind, start, length in record_places(data):
        if kind in (RAW_DATA, CAMERA_INFO, PALETTE) and kind not in records:
            records[kind] = data[start : start + length]
    return records


def record_places(data: bytes) -> list[tuple[int, int, int]]:
    """Type, first byte and number of bytes of each record, as the directory at the beginning of the data says.

    Raises:
        struct.error: If the directory ends too early.
    """
    (version,) = struct.unpack_from(">I", data, 20)
    order = ">" if version < 1 << 16 else "<"
    offset, count = struct.unpack_from(order + "II", data, 24)
    entries = (struct.unpack_from(order + "HHIIII", data, offset + 32 * i) for i in range(min(count, 1000)))
    return [(kind, start, length) for kind, _, _, _, start, length in entries if kind]


def _byte_order(record: bytes) -> str:
    # every record begins with the number 2 in its own byte order
    return "<" if struct.unpack_from("<H", record)[0] == 2 else ">"


def raw_signal(record: bytes, path: Path) -> UInt16[np.ndarray, "height width"]:
    """The camera's raw values from a record: bare, as PNG, or as JPEG-LS (`.csq`)."""
    order = _byte_order(record)
    width, height = struct.unpack_from(order + "HH", record, 2)
    check_size(path, height, width)
    body = record[_RAW_HEADER_BYTES:]
    if body.startswith(_PNG):
        from PIL import Image

        with Image.open(io.BytesIO(body)) as picture:
            check_size(path, picture.height, picture.width)
            signal = np.array(picture).astype(np.uint16)
        # some cameras put little-endian values into the PNG, which asks for big-endian; neighbours tell which is right
        signal = min(signal, signal.byteswap(), key=_roughness)
    elif body.startswith(_JPEG_LS):
        if _JPEG_END not in body:  # the decoder takes seconds to find that out
            raise ValueError("its FLIR raw image is cut off")
        stated = struct.unpack_from(">HHB", body, _JPEG_LS_SIZE)
        if stated != (height, width, 1):  # the decoder makes room for what is stated
            raise ValueError(f"its FLIR raw image says (height, width, channels) {stated}, not {height}, {width}, 1")
        import imagecodecs

        signal = np.asarray(imagecodecs.jpegls_decode(body)).astype(np.uint16)
    else:
        signal = np.frombuffer(body[: 2 * width * height], order + "u2").astype(np.uint16)
    if signal.size != width * height:
        raise ValueError(f"its FLIR raw image has {signal.size} values instead of {width} x {height}")
    return signal.reshape(height, width)


def _roughness(signal: UInt16[np.ndarray, "height width"]) -> float:
    return float(np.abs(np.diff(signal.astype(np.int32))).mean())


def _camera(record: bytes) -> _Camera:
    order = _byte_order(record)

    def floats(offset: int, count: int) -> tuple[float, ...]:
        return struct.unpack_from(f"{order}{count}f", record, offset)

    (planck_o, planck_r2) = struct.unpack_from(order + "if", record, 776)
    values = (*floats(32, 6), *floats(60, 1), *floats(88, 3), *floats(112, 5), planck_o, planck_r2)
    return _Camera._make(values)


def _check_calibration(path: Path, camera: _Camera) -> None:
    """Refuse settings of the camera that no camera can have: what is computed from them is no temperature."""
    for name, (low, high) in _PLAUSIBLE.items():
        value = getattr(camera, name)
        if not low <= value <= high:
            raise DataError(
                f"{path}: its FLIR calibration has {name} {value:g}, expected {low:g} to {high:g}. Set it in the "
                "camera's program, or read the picture's gray levels by unit=counts."
            )
    transmission = _air_transmission(camera)
    if not 0 < transmission <= _MOST_TRANSMISSION:
        raise DataError(
            f"{path}: its FLIR calibration gives the air a transmission of {transmission:g} (alpha, beta, humidity, "
            "distance), expected 0 to 1. Read the picture's gray levels by unit=counts."
        )


@lru_cache(maxsize=4)
def _celsius_of_signals(camera: _Camera) -> Float[np.ndarray, "65536"]:
    """Degrees Celsius of every signal: the frames of a video have one calibration."""
    return _celsius(np.arange(2**16).astype(np.uint16), camera)


def _celsius(signal: UInt16[np.ndarray, "..."], camera: _Camera) -> Float[np.ndarray, "..."]:
    # signal = transmitted object + reflections + air before and behind the window + the window itself
    transmission = _air_transmission(camera)
    emitted = camera.emissivity * transmission
    through_window = emitted * camera.window_transmission
    reflected = (1 - camera.emissivity) / camera.emissivity * _planck_signal(camera.reflected_k, camera)
    air = _planck_signal(camera.atmosphere_k, camera)
    air_before = (1 - transmission) / emitted * air
    air_behind = (1 - transmission) / (through_window * transmission) * air
    window = (1 - camera.window_transmission) / through_window * _planck_signal(camera.window_k, camera)
    from_object = signal / (through_window * transmission) - (reflected + air_before + air_behind + window)
    argument = camera.planck_r1 / (camera.planck_r2 * (from_object + camera.planck_o)) + camera.planck_f
    with np.errstate(invalid="ignore", divide="ignore"):
        kelvin: np.ndarray = camera.planck_b / np.log(argument)
    return kelvin - _KELVIN


def _planck_signal(temperature_k: float, camera: _Camera) -> float:
    radiance = camera.planck_r2 * (math.exp(camera.planck_b / temperature_k) - camera.planck_f)
    return camera.planck_r1 / radiance - camera.planck_o


def _air_transmission(camera: _Camera) -> float:
    air_c = camera.atmosphere_k - _KELVIN
    water = camera.humidity * math.exp(1.5587 + 6.939e-2 * air_c - 2.7816e-4 * air_c**2 + 6.8455e-7 * air_c**3)

    def damping(alpha: float, beta: float) -> float:
        return math.exp(-math.sqrt(camera.distance_m / 2) * (alpha + beta * math.sqrt(water)))

    first = damping(camera.alpha_1, camera.beta_1)
    second = damping(camera.alpha_2, camera.beta_2)
    return camera.mixture * first + (1 - camera.mixture) * second
