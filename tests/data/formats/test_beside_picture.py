"""Temperatures beside the picture in JPEG files of InfiRay, HIKMICRO and Seek.

The files are written here after the published layouts that `beside_picture` names: none of a camera was at hand.
"""

import io
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from overlaid import coloured
from PIL import Image
from robustness.bounds import held_to_bounds

from thermal_landmarks.data.formats.images import list_images, read_image, read_image_size
from thermal_landmarks.data.formats.jpeg_parts import behind_picture, jpeg_segments

HEIGHT, WIDTH = 48, 64


def scene(height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    """Degrees Celsius of something warm, up and to the left in a room."""
    y, x = np.mgrid[:height, :width]
    warm = np.exp(-(((y - 0.35 * height) / (0.2 * height)) ** 2) - ((x - 0.3 * width) / (0.15 * width)) ** 2)
    return 22 + 0.02 * x + 13 * warm


def shown(celsius: np.ndarray, *, turns: int = 0) -> bytes:
    """The JPEG that a camera shows of it, four times as large, in iron."""
    levels = (celsius - celsius.min()) / np.ptp(celsius) * 255
    rgb = coloured(np.rot90(levels, turns).repeat(4, axis=0).repeat(4, axis=1), "iron")
    file = io.BytesIO()
    Image.fromarray(rgb).save(file, "jpeg", quality=92)
    return file.getvalue()


def segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def infiray(celsius: np.ndarray, picture: bytes, **changes: int) -> bytes:
    height, width = celsius.shape
    header = bytearray(80)
    header[:10] = b"\0\2\2\0IJPEG\0"
    size = 2 * width * height
    fields = {"size": size, "width": width, "height": height} | changes
    struct.pack_into("<QHHHB", header, 0x20, size, 2, width, height, 16)
    struct.pack_into("<QHHHB", header, 0x30, fields["size"], 2, fields["width"], fields["height"], 16)
    stored = np.rint((celsius + 273.15) * 64).astype("<u2").tobytes()
    data = b"\x10\x80" * (width * height) + stored + bytes(3 * size)  # a gray picture before them, nothing behind
    pieces = [data[i : i + 5000] for i in range(0, len(data), 5000)]
    beside = segment(0xE2, bytes(header)) + b"".join(segment(0xE3, piece) for piece in pieces)
    return picture[:2] + beside + picture[2:]


def hikmicro(celsius: np.ndarray, picture: bytes, *, ends: tuple[float, float] | None = None) -> bytes:
    height, width = celsius.shape
    lowest, highest = (celsius.min(), celsius.max()) if ends is None else ends
    counts = np.rint((celsius - celsius.min()) * 150 + 5200).astype("<u2")
    header = struct.pack("<4sHHIIII", b"HDRI", 0x1028, 0, 0, width, height, counts.nbytes + 1024).ljust(44, b"\0")
    trailer = bytes(1016) + struct.pack("<ff", highest, lowest)
    return picture + shown(celsius) + header + counts.tobytes() + trailer + b"PK\x03\x04"


def seek_shot(celsius: np.ndarray, picture: bytes) -> bytes:
    start = (len(picture) & 0xFFFFF000) + 0x2000
    return picture.ljust(start, b"\0") + np.rint((celsius + 40) * 64).astype("<u2").tobytes() + bytes(5000)


def test_infiray_temperatures_are_read(tmp_path: Path) -> None:
    celsius = scene()
    (tmp_path / "a.jpg").write_bytes(infiray(celsius, shown(celsius)))
    image = read_image(tmp_path / "a.jpg")
    assert image.unit == "celsius"
    np.testing.assert_allclose(image.values, celsius, atol=0.01)
    assert read_image_size(tmp_path / "a.jpg") == (HEIGHT, WIDTH)
    as_shown = read_image(tmp_path / "a.jpg", unit="counts")
    assert (as_shown.unit, as_shown.values.shape) == ("gray", (4 * HEIGHT, 4 * WIDTH))


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_temperatures_are_turned_as_the_picture_is(tmp_path: Path, turns: int) -> None:
    celsius = scene()
    (tmp_path / "a.jpg").write_bytes(infiray(celsius, shown(celsius, turns=turns)))
    np.testing.assert_allclose(read_image(tmp_path / "a.jpg").values, np.rot90(celsius, turns), atol=0.01)


def test_hikmicro_temperatures_lie_between_the_two_that_the_file_states(tmp_path: Path) -> None:
    celsius = scene()
    (tmp_path / "a.jpeg").write_bytes(hikmicro(celsius, shown(celsius)))
    image = read_image(tmp_path / "a.jpeg")
    assert image.unit == "celsius"
    np.testing.assert_allclose(image.values, celsius, atol=0.02)
    (tmp_path / "b.jpeg").write_bytes(hikmicro(celsius, shown(celsius), ends=(0.0, 0.0)))
    without = read_image(tmp_path / "b.jpeg")
    assert (without.unit, without.values.shape) == ("gray", (HEIGHT, WIDTH))
    assert np.corrcoef(without.values.ravel(), celsius.ravel())[0, 1] > 0.999


def test_a_seek_shot_file_is_read(tmp_path: Path) -> None:
    celsius = scene(156, 206)
    (tmp_path / "A.HIR").write_bytes(seek_shot(celsius, shown(celsius)))
    np.testing.assert_allclose(read_image(tmp_path / "A.HIR").values, celsius, atol=0.01)
    assert list_images(tmp_path) == [tmp_path / "A.HIR"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"width": WIDTH - 1}, "6144 bytes for 63 x 48 values"),
        ({"size": 0}, "there are 0 bytes"),
        ({"width": WIDTH // 2 + 16, "height": 64}, "they are no picture"),
        ({"width": 65535, "height": 65535}, "megapixels"),
    ],
)
def test_what_is_no_picture_of_temperatures_is_said_and_the_picture_is_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, changes: dict[str, int], reason: str
) -> None:
    celsius = scene() + np.random.default_rng(0).normal(0, 0.05, (HEIGHT, WIDTH))
    (tmp_path / "a.jpg").write_bytes(infiray(celsius, shown(celsius), **changes))
    image = read_image(tmp_path / "a.jpg")
    assert (image.unit, image.values.shape) == ("gray", (4 * HEIGHT, 4 * WIDTH))
    assert reason in caplog.text


@pytest.mark.parametrize("write", [infiray, hikmicro])
def test_a_file_cut_anywhere_is_an_error_or_a_picture(tmp_path: Path, write: Callable[..., bytes]) -> None:
    content, path = write(scene(), shown(scene())), tmp_path / "a.jpg"
    for length in range(60, len(content), len(content) // 12):
        path.write_bytes(content[:length])
        image, message = held_to_bounds(lambda: read_image(path), str(path))
        assert message or image.values.size >= HEIGHT * WIDTH


def test_data_of_other_makers_are_named_as_unread(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    picture = shown(scene())
    (tmp_path / "plain.jpg").write_bytes(picture)
    (tmp_path / "small.jpg").write_bytes(picture + bytes(100))
    read_image(tmp_path / "plain.jpg")
    read_image(tmp_path / "small.jpg")
    assert not caplog.text
    (tmp_path / "behind.jpg").write_bytes(picture + bytes(20_000))
    assert read_image(tmp_path / "behind.jpg").values.shape == (4 * HEIGHT, 4 * WIDTH)
    assert "behind.jpg: holds more than its picture" in caplog.text
    (tmp_path / "larger.jpg").write_bytes(picture + bytes(30_000))
    read_image(tmp_path / "larger.jpg")
    assert "larger.jpg" not in caplog.text  # said once for a folder
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "before.jpg").write_bytes(picture[:2] + segment(0xE7, bytes(30_000)) + picture[2:])
    read_image(tmp_path / "other" / "before.jpg")
    assert "before.jpg: holds more than its picture" in caplog.text


def test_the_end_of_a_picture_is_found_behind_all_of_its_scans() -> None:
    levels = Image.fromarray(coloured(scene() * 5, "iron"))
    for settings in ({}, {"progressive": True}, {"restart_marker_rows": 1}):
        file = io.BytesIO()
        levels.save(file, "jpeg", **settings)
        jpeg = file.getvalue()
        assert behind_picture(jpeg) == b""
        assert behind_picture(jpeg + b"more") == b"more"
        assert behind_picture(jpeg[:-2]) == b""
        assert jpeg_segments(jpeg)[0][0] == 0xE0


def test_a_testo_file_is_read_as_its_picture(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    rgb = coloured(scene() * 5, "iron")
    Image.fromarray(rgb).save(tmp_path / "a.bmp")
    (tmp_path / "a.BMT").write_bytes((tmp_path / "a.bmp").read_bytes() + bytes(5000))
    image = read_image(tmp_path / "a.BMT")
    assert image.rgb is not None
    np.testing.assert_array_equal(image.rgb, rgb)
    assert "export CSV files by Testo's program" in caplog.text
