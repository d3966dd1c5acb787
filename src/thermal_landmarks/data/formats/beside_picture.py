"""Temperatures that cameras put beside the picture in a JPEG file, in layouts that others have found out and published.

* InfiRay and its brands (P2 Pro, Xinfrared, Thermal Master): segments after ExifTool's description
  (https://exiftool.org/TagNames/InfiRay.html); APP3 holds an infrared picture, then temperatures in 1/64 kelvin
  (https://github.com/greg-randall/Thermal-Master-P2-Extractor, https://github.com/ks00x/p2proviewer).
* HIKMICRO: behind the picture a block `HDRI` of values that rise with temperature, and the temperatures of the highest
  and the lowest (https://github.com/Higomon/hikmicropy; between them a straight line is an approximation).
* Seek Shot (`.hir`): behind the picture, in 1/64 kelvin above -40 degrees Celsius
  (https://git.tkolb.de/Public/decode_hir).

None of these files was at hand. Values are therefore used only if they are a picture of plausible temperatures.
"""

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
from jaxtyping import Float, Shaped

from thermal_landmarks.data.formats.jpeg_parts import behind_picture, jpeg_segments
from thermal_landmarks.data.formats.limits import check_size
from thermal_landmarks.data.formats.notices import say_once

Values = Float[np.ndarray, "height width"]
Stored = tuple[Values, str]  # and their unit: celsius or counts

_KELVIN, _STEPS = 273.15, 64.0
_PLAUSIBLE_C = (-60.0, 700.0)  # of all pixels
_ROUGHEST = 0.7  # mean difference of neighbours over mean distance from the median; 1.4 of noise and of a wrong width
_LEAST_UNREAD = 8192  # bytes, that are worth a notice
_KNOWN = (b"ICC_PROFILE", b"MPF", b"Adobe", b"Photoshop", b"http://")  # beginnings of segments of pictures
_SEEK_SHOT = (156, 206)  # height, width
_TURNED_FOR_SURE = 0.1  # of correlation with the picture


def values_beside(jpeg: bytes, path: Path) -> Stored | None:
    """What a radiometric JPEG that is not FLIR's holds, as it is stored, and its unit; None: nothing that can be read.

    What is there but can't be read is said once for its folder.
    """
    segments, behind = jpeg_segments(jpeg), behind_picture(jpeg)
    for maker, read in _MAKERS.items():
        try:
            found = read(path, segments, behind, len(jpeg) - len(behind))
        except (ValueError, struct.error) as error:
            say_once(path, f"its temperatures by {maker} can't be read ({error}); the picture is read as it is shown")
            return None
        if found is not None:
            return found
    own = [c for marker, c in segments if 0xE2 <= marker <= 0xEF and not c.startswith(_KNOWN)]
    unread = sum(map(len, own)) + len(behind)
    announced = any(c.startswith(b"MPF") or b"DJI" in c[:4096] for _, c in segments)  # previews; DJI has its own notice
    if unread >= _LEAST_UNREAD and not announced:
        say_once(
            path,
            "holds more than its picture, probably temperatures in its maker's own form, which aren't read; the "
            "picture is read as it is shown. Its maker's program may export them as CSV or TIFF",
        )
    return None


def turned_as(values: Values, shown: Shaped[np.ndarray, "rows columns"]) -> Values:
    """Values upright as the picture that is shown of them: phones turn the picture, but not what lies beside it.

    The picture may be of any size, and black-hot.
    """
    portrait = shown.shape[0] > shown.shape[1]
    turns = [np.rot90(each, k) for each in (values, values[:, ::-1]) for k in range(4)]
    fitting = [each for each in turns if each.shape[0] == each.shape[1] or (each.shape[0] > each.shape[1]) == portrait]
    alike = [abs(_correlation(each, shown)) for each in fitting]
    best = int(np.argmax(alike))
    return np.ascontiguousarray(fitting[best if alike[best] > alike[0] + _TURNED_FOR_SURE else 0])


def _correlation(values: np.ndarray, shown: np.ndarray) -> float:
    """Of the ranks, at the places of a grid."""
    rank = []
    for each in (values, shown):
        rows, columns = (np.linspace(0.1, 0.9, 24) * (side - 1) for side in each.shape)
        rank.append(np.argsort(np.argsort(each[np.ix_(rows.astype(int), columns.astype(int))].ravel())))
    return float(np.corrcoef(rank[0], rank[1])[0, 1])


def _infiray(path: Path, segments: list[tuple[int, bytes]], _: bytes, __: int) -> Stored | None:
    header = next((content for marker, content in segments if marker == 0xE2 and content[4:10] == b"IJPEG\0"), None)
    if header is None:
        return None
    (before,) = struct.unpack_from("<Q", header, 0x20)  # bytes of the infrared picture
    (size,) = struct.unpack_from("<Q", header, 0x30)
    width, height = struct.unpack_from("<HH", header, 0x3A)
    data = b"".join(content for marker, content in segments if marker == 0xE3)[before : before + size]
    return _celsius(_picture(path, data, (height, width)) / _STEPS - _KELVIN), "celsius"


def _hikmicro(path: Path, _: list[tuple[int, bytes]], behind: bytes, __: int) -> Stored | None:
    start = behind.rfind(b"HDRI")
    if start < 0:
        return None
    width, height = struct.unpack_from("<II", behind, start + 12)
    pixels = start + 44
    end = pixels + 2 * width * height
    counts = _picture(path, behind[pixels:end], (height, width))
    highest, lowest = struct.unpack_from("<ff", behind, end + 1016) if len(behind) >= end + 1024 else (0.0, 0.0)
    if not _PLAUSIBLE_C[0] <= lowest < highest <= _PLAUSIBLE_C[1]:
        return counts, "counts"
    return lowest + (counts - counts.min()) * ((highest - lowest) / np.ptp(counts)), "celsius"


def _seek_shot(path: Path, _: list[tuple[int, bytes]], behind: bytes, picture: int) -> Stored | None:
    if path.suffix.lower() != ".hir":
        return None
    start = (picture & ~0xFFF) + 0x2000 - picture
    data = behind[start : start + 2 * _SEEK_SHOT[0] * _SEEK_SHOT[1]]
    return _celsius(_picture(path, data, _SEEK_SHOT) / _STEPS - 40.0), "celsius"


def _picture(path: Path, data: bytes, size: tuple[int, int]) -> Values:
    height, width = size
    check_size(path, height, width)
    if len(data) != 2 * width * height or min(size) < 2:
        raise ValueError(f"there are {len(data)} bytes for {width} x {height} values of two")
    values = np.frombuffer(data, "<u2").reshape(size).astype(np.float64)
    spread = np.abs(values - np.median(values)).mean()
    if not spread or max(np.abs(np.diff(values, axis=axis)).mean() for axis in (0, 1)) > _ROUGHEST * spread:
        raise ValueError("they are no picture: neighbours differ as much as any others")
    return values


def _celsius(values: Values) -> Values:
    if not _PLAUSIBLE_C[0] <= values.min() <= values.max() <= _PLAUSIBLE_C[1]:
        raise ValueError(f"they would be {values.min():.0f} to {values.max():.0f} degrees Celsius")
    return values


_MAKERS: dict[str, Callable[[Path, list[tuple[int, bytes]], bytes, int], Stored | None]] = {
    "InfiRay": _infiray,
    "HIKMICRO": _hikmicro,
    "Seek": _seek_shot,
}
