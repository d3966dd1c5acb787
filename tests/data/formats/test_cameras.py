"""Radiometric files of cameras: FLIR and Fluke."""

import struct
from collections.abc import Callable
from pathlib import Path

import flyr
import numpy as np
import pytest
from robustness.flir_files import flir_jpeg, flir_picture, scene

from thermal_landmarks.data.formats.images import read_image
from thermal_landmarks.errors import DataError

WriteIs2 = Callable[[Path, np.ndarray], Path]
COUNTS = np.arange(3000, 3000 + 12 * 16, dtype=np.uint16).reshape(12, 16)


@pytest.mark.parametrize("size", [(12, 16), (120, 160), (288, 384)])
def test_fluke_counts_of_any_detector_are_read(write_is2: WriteIs2, tmp_path: Path, size: tuple[int, int]) -> None:
    counts = np.random.default_rng(0).integers(3800, 6000, size).astype(np.uint16)
    image = read_image(write_is2(tmp_path / "a.IS2", counts))
    assert image.unit == "gray"
    np.testing.assert_array_equal(image.values, counts)


def test_a_table_beside_a_fluke_file_gives_degrees_also_beyond_its_ends(write_is2: WriteIs2, tmp_path: Path) -> None:
    counts = np.full((12, 16), 4000, dtype=np.uint16)
    counts[0, :3] = 3900, 4150, 4500
    path = write_is2(tmp_path / "a.is2", counts)
    (tmp_path / "counts_to_celsius.dat").write_text("% counts, degrees\n4000 20.0\n4100 22.0\n4200 26.0\n")
    image = read_image(path)
    assert image.unit == "celsius"
    assert image.values[0, :4] == pytest.approx([18.0, 24.0, 38.0, 20.0])
    assert read_image(path, unit="counts").unit == "gray"


def test_a_bad_table_of_counts_is_refused(write_is2: WriteIs2, tmp_path: Path) -> None:
    path = write_is2(tmp_path / "a.is2", COUNTS)
    (tmp_path / "counts_to_celsius.dat").write_text("4000 20.0\n3000 22.0\n")
    with pytest.raises(DataError, match=r"counts_to_celsius.dat: found 2 rows of 2 numbers; expected .*rising"):
        read_image(path)


def test_real_fluke_files_equal_the_published_temperatures(shared_data: Path) -> None:
    folder = shared_data / "thermal-real"
    for camera_file, picture in (("IR_00001.IS2", "face_01.png"), ("IR_00002.IS2", "face_02.png")):
        from_camera = read_image(folder / "is2" / camera_file)
        from_picture = read_image(folder / "images" / picture, unit="centi_celsius")
        assert from_camera.unit == from_picture.unit == "celsius"
        np.testing.assert_allclose(from_camera.values, from_picture.values, atol=0.0051)


@pytest.mark.parametrize(("name", "size"), [("07.jpg", (240, 320)), ("25.jpg", (120, 160))])
def test_real_flir_files_of_both_byte_orders_give_room_and_skin_temperatures(
    shared_data: Path, name: str, size: tuple[int, int]
) -> None:
    image = read_image(shared_data / "flir-radiometric" / name)
    assert image.unit == "celsius"
    assert image.values.shape == size
    assert 15 < image.values.min() < np.median(image.values) < 32
    assert 33 < image.values.max() < 40
    # a picture, not noise: neighbours are alike
    assert np.abs(np.diff(image.values)).mean() < 1


def test_flir_temperatures_equal_those_of_an_independent_reader(shared_data: Path) -> None:
    path = shared_data / "flir-radiometric" / "25.jpg"
    np.testing.assert_allclose(read_image(path).values, flyr.unpack(str(path)).celsius, atol=1e-3)


def test_a_flir_picture_without_a_jpeg_around_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "frame_000000.fff"
    path.write_bytes(flir_picture())
    (tmp_path / "a.jpg").write_bytes(flir_jpeg())
    assert read_image(path).unit == "celsius"
    np.testing.assert_array_equal(read_image(path).values, read_image(tmp_path / "a.jpg").values)
    counts = 12_000 + 100 * (scene() - 20)
    np.testing.assert_array_equal(read_image(path, unit="counts").values, counts.astype("<u2"))
    path.write_bytes(flir_picture()[:-1500])
    with pytest.raises(DataError, match=r"frame_000000\.fff: can't be read as \.fff"):
        read_image(path)


def test_a_flir_file_cut_short_is_an_error(shared_data: Path, tmp_path: Path) -> None:
    data = (shared_data / "flir-radiometric" / "07.jpg").read_bytes()
    (tmp_path / "a.jpg").write_bytes(data[:70_000])
    with pytest.raises(DataError, match=r"a\.jpg: can't be read as \.jpg"):
        read_image(tmp_path / "a.jpg")


def test_a_jpeg_segment_longer_than_the_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"\xff\xd8\xff\xe1" + struct.pack(">H", 60000) + b"FLIR\0\x01\x00\x03rest")
    with pytest.raises(DataError, match="of its 4 FLIR segments only 1"):
        read_image(tmp_path / "a.jpg")


def _with_calibration(data: bytes, offset: int, value: float) -> bytes:
    """A FLIR JPEG whose camera record (40.jpg: little-endian) has another float at an offset."""
    emissivity = struct.pack("<f", 0.95)
    start = next(
        i for i in range(len(data) - 4) if data[i : i + 4] == emissivity and data[i - 32 : i - 30] == b"\x02\x00"
    )
    place = start + offset - 32
    return data[:place] + struct.pack("<f", value) + data[place + 4 :]


@pytest.mark.parametrize(
    ("offset", "value", "message"),
    [
        (32, -0.9, "emissivity -0.9, expected 0.01 to 1"),
        (32, np.nan, "emissivity nan, expected"),
        (36, 1e9, r"distance_m 1e\+09, expected 0 to 10000"),
        (40, 0.0, "reflected_k 0, expected"),
        (44, 0.0, "atmosphere_k 0, expected"),
        (60, 50.0, "humidity 50, expected 0 to 1"),
        (88, 0.0, "planck_r1 0, expected"),
    ],
)
def test_a_calibration_that_no_camera_has_is_named(
    shared_data: Path, tmp_path: Path, offset: int, value: float, message: str
) -> None:
    data = (shared_data / "flir-radiometric" / "25.jpg").read_bytes()
    (tmp_path / "a.jpg").write_bytes(_with_calibration(data, offset, value))
    with pytest.raises(DataError, match=f"its FLIR calibration has {message}"):
        read_image(tmp_path / "a.jpg")
