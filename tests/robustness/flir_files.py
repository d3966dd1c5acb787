"""FLIR's radiometric pictures, made with any content."""

import io
import struct
from typing import Any

import numpy as np
from PIL import Image

HEIGHT, WIDTH = 48, 64
_SEGMENT = 65_000  # bytes of a JPEG's segment, at most 65,533


def scene(seed: int = 0) -> np.ndarray:
    """Degrees Celsius of a warm blob on a cold ground, float64 (HEIGHT, WIDTH)."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    noise = np.random.default_rng(seed).normal(0, 0.1, (HEIGHT, WIDTH))
    return 22 + 12 * np.exp(-((x - 30) ** 2 + (y - 20) ** 2) / 200) + noise


_CAMERA = {
    "emissivity": (32, 0.95),
    "distance": (36, 1.0),
    "reflected": (40, 295.0),
    "air": (44, 295.0),
    "window": (48, 295.0),
    "transmission": (52, 1.0),
    "humidity": (60, 0.5),
    "planck_r1": (88, 16_556.0),
    "planck_b": (92, 1428.0),
    "planck_f": (96, 1.0),
    "alpha_1": (112, 0.006569),
    "alpha_2": (116, 0.01262),
    "beta_1": (120, -0.002276),
    "beta_2": (124, -0.00667),
    "mixture": (128, 1.9),
    "planck_r2": (780, 0.0125),
}  # place in the record, usual value


def flir_jpeg(**changes: Any) -> bytes:
    """A radiometric JPEG whose data are a `flir_picture`."""
    data = flir_picture(**changes)
    pieces = [data[start : start + _SEGMENT] for start in range(0, len(data), _SEGMENT)]
    jpeg = io.BytesIO()
    Image.fromarray(np.zeros((HEIGHT, WIDTH), np.uint8)).save(jpeg, "JPEG")
    content = jpeg.getvalue()[:2]
    for number, piece in enumerate(pieces):
        segment = b"FLIR\0\x01" + bytes([number, len(pieces) - 1]) + piece
        content += b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment
    return content + jpeg.getvalue()[2:]


def flir_picture(
    *,
    size: tuple[int, int] = (WIDTH, HEIGHT),
    directory: tuple[int, int] | None = None,
    raw: bytes | None = None,
    camera: dict[str, float] | None = None,
    more_records: bytes = b"",
    filling: int = 0,
) -> bytes:
    """Two records, as a JPEG's segments and a `.seq` hold them.

    Args:
        size: (width, height) that the raw image's record says.
        directory: Where the list of records is said to be, and their number.
        raw: In the place of its values.
        camera: Other settings.
        more_records: Behind the list of the two.
        filling: Bytes at the end.
    """
    stated = bytearray(1000)
    struct.pack_into("<H", stated, 0, 2)
    struct.pack_into("<i", stated, 776, -342)
    for name, (place, value) in _CAMERA.items():
        struct.pack_into("<f", stated, place, (camera or {}).get(name, value))
    signal = (12_000 + 100 * (scene() - 20)).astype("<u2").tobytes() if raw is None else raw
    image = struct.pack("<HHH", 2, *size).ljust(32, b"\0") + signal
    first = 64 + 64 + len(more_records)
    second = first + len(image)
    records = struct.pack("<HHIIII", 1, 0, 0, 0, first, len(image)).ljust(32, b"\0")
    records += struct.pack("<HHIIII", 32, 0, 0, 0, second, len(stated)).ljust(32, b"\0")
    head = b"FFF\0".ljust(20, b"\0") + struct.pack("<III", 100, *(directory or (64, 2 + len(more_records) // 32)))
    return head.ljust(64, b"\0") + records + more_records + image + bytes(stated) + bytes(filling)
