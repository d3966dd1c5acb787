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
from typing import Annotated, NamedTuple, get_type_hints

import numpy as np
from jaxtyping import Float, UInt8, UInt16

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
_PALETTE_NAME, _PALETTE_COLOURS = slice(80, 112), 112  # bytes of the palette's record; its first is their number
_FEWEST_COLOURS = 16  # fewer are no palette of a picture


class _Field(NamedTuple):
    """Where a setting stands in the camera's record, and the smallest and largest value that a camera can have."""

    place: int
    low: float = -math.inf
    high: float = math.inf
    kind: str = "f"  # as of `struct`


class _Camera(NamedTuple):
    emissivity: Annotated[float, _Field(32, 0.01, 1.0)]
    distance_m: Annotated[float, _Field(36, 0.0, 10_000.0)]
    reflected_k: Annotated[float, _Field(40, 50.0, 3000.0)]
    atmosphere_k: Annotated[float, _Field(44, 150.0, 400.0)]
    window_k: Annotated[float, _Field(48, 50.0, 3000.0)]
    window_transmission: Annotated[float, _Field(52, 0.01, 1.0)]
    humidity: Annotated[float, _Field(60, 0.0, 1.0)]
    planck_r1: Annotated[float, _Field(88, 1.0, 1e9)]
    planck_b: Annotated[float, _Field(92, 100.0, 10_000.0)]
    planck_f: Annotated[float, _Field(96, 0.0, 1000.0)]
    alpha_1: Annotated[float, _Field(112)]
    alpha_2: Annotated[float, _Field(116)]
    beta_1: Annotated[float, _Field(120)]
    beta_2: Annotated[float, _Field(124)]
    mixture: Annotated[float, _Field(128)]
    planck_o: Annotated[int, _Field(776, kind="i")]
    planck_r2: Annotated[float, _Field(780, 1e-9, 1e3)]


_FIELDS: dict[str, _Field] = {
    name: hint.__metadata__[0] for name, hint in get_type_hints(_Camera, include_extras=True).items()
}


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

    Raises:
        DataError: If the image is too large, or its calibration is outside of what a camera can have.
        ValueError: If the records are damaged or incomplete.
        struct.error: If a record ends too early.
    """
    if RAW_DATA not in records or CAMERA_INFO not in records:
        raise ValueError("its FLIR data have no raw image or no calibration")
    return _celsius_of_signals(_camera(records[CAMERA_INFO], path))[raw_signal(records[RAW_DATA], path)]


def stated_palette(records: Mapping[int, bytes]) -> tuple[str, UInt8[np.ndarray, "step 3"]] | None:
    """Name and colours of the palette that the file says its picture is in, from cold to warm; None without.

    Cameras write the Y, Cr and Cb of these colours into the JPEG as they are, so that they are those of JPEG (0 to
    255), not of television.

    Some cameras leave a name without colours.
    """
    record = records.get(PALETTE, b"\0")
    count = record[0] if record else 0
    stored = record[_PALETTE_COLOURS : _PALETTE_COLOURS + 3 * count]
    if count < _FEWEST_COLOURS or len(stored) < 3 * count:
        return None
    name = record[_PALETTE_NAME].split(b"\0")[0].decode("ascii", "replace").strip().lower()
    luma, red, blue = np.frombuffer(stored, np.uint8).reshape(-1, 3).astype(float).T  # Y, Cr, Cb
    red, blue = red - 128, blue - 128
    rgb = np.stack([luma + 1.402 * red, luma - 0.714 * red - 0.344 * blue, luma + 1.772 * blue], axis=1)
    return name or "stated by the file", np.rint(rgb).clip(0, 255).astype(np.uint8)


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


def _camera(record: bytes, path: Path) -> _Camera:
    """The camera's settings, refused where no camera can have them: what is computed from them is no temperature."""
    order, values = _byte_order(record), []
    for name, field in _FIELDS.items():
        (value,) = struct.unpack_from(order + field.kind, record, field.place)
        if not field.low <= value <= field.high:
            raise DataError(
                f"{path}: its FLIR calibration has {name} {value:g}, expected {field.low:g} to {field.high:g}. Set it "
                "in the camera's program, or read the picture's gray levels by unit=counts."
            )
        values.append(value)
    camera = _Camera._make(values)
    transmission = _air_transmission(camera)
    if not 0 < transmission <= _MOST_TRANSMISSION:
        raise DataError(
            f"{path}: its FLIR calibration gives the air a transmission of {transmission:g} (alpha, beta, humidity, "
            "distance), expected 0 to 1. Read the picture's gray levels by unit=counts."
        )
    return camera


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
