"""Pictures as cameras and phones write them: turned, several in one file, 16 bits a channel."""

from collections.abc import Callable
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from PIL import Image

from thermal_landmarks.data.formats.images import list_images, read_image, read_image_size

LEVELS = np.add.outer(np.arange(6) * 30, np.arange(9) * 5).astype(np.uint8)
TURNS: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: np.rot90(a, 2),
    4: lambda a: a[::-1],
    5: lambda a: a.T,
    6: lambda a: np.rot90(a, -1),
    7: lambda a: np.rot90(a, 2).T,
    8: np.rot90,
}


@pytest.mark.parametrize("orientation", TURNS)
@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif"])
def test_images_are_upright_and_so_is_their_size(tmp_path: Path, orientation: int, suffix: str) -> None:
    exif = Image.Exif()
    exif[274] = orientation
    path = tmp_path / f"a{suffix}"
    Image.fromarray(LEVELS).save(path, exif=exif, quality=100)
    expected = TURNS[orientation](LEVELS)
    image = read_image(path)
    np.testing.assert_allclose(image.values, expected, atol=6 if suffix == ".jpg" else 0)
    assert read_image_size(path) == expected.shape


def test_the_orientation_of_a_png_may_follow_its_pixels(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[274] = 6
    path = tmp_path / "a.png"
    Image.fromarray(LEVELS).save(path, exif=exif)
    data = path.read_bytes()
    start = data.index(b"eXIf") - 4
    stop = start + 12 + int.from_bytes(data[start : start + 4], "big")
    path.write_bytes(data[:start] + data[stop:-12] + data[start:stop] + data[-12:])
    np.testing.assert_array_equal(read_image(path).values, np.rot90(LEVELS, -1))
    assert read_image_size(path) == (9, 6)


@pytest.mark.parametrize("mode", ["L", "RGB", "P", "1", "LA", "RGBA"])
@pytest.mark.parametrize("hidden", [None, 5])
def test_a_png_has_the_pixels_that_pillow_gives(tmp_path: Path, mode: str, hidden: int | None) -> None:
    colours = np.random.default_rng(1).integers(0, 256, (9, 7, 3), dtype=np.uint8)
    picture = Image.fromarray(colours).convert("L" if mode in ("L", "1", "LA") else "RGB")
    picture = picture.quantize(11) if mode == "P" else picture.convert(mode)
    if hidden is not None:
        picture.info["transparency"] = (hidden,) * 3 if mode == "RGB" else hidden
    path = tmp_path / "a.png"
    picture.save(path)
    with Image.open(path) as file:
        expected = np.array(file.convert("L" if mode in ("L", "1", "LA") else "RGB"))
    image = read_image(path)
    np.testing.assert_array_equal(image.values if expected.ndim == 2 else image.rgb, expected)


def test_a_dark_colour_picture_is_not_taken_for_temperatures(tmp_path: Path) -> None:
    levels = np.linspace(10, 38, 40 * 40).reshape(40, 40, 1).repeat(3, axis=2).astype(np.uint8)
    Image.fromarray(levels).save(tmp_path / "night.png")
    assert read_image(tmp_path / "night.png").unit == "gray"


@pytest.mark.parametrize("channels", [2, 3, 4])
def test_all_sixteen_bits_of_colour_pictures_count(tmp_path: Path, channels: int) -> None:
    levels = np.random.default_rng(0).integers(0, 65536, (7, 8, channels)).astype(np.uint16)
    (tmp_path / "a.png").write_bytes(imagecodecs.png_encode(levels))
    image = read_image(tmp_path / "a.png")
    if channels == 2:
        np.testing.assert_array_equal(image.values, levels[:, :, 0])
    else:
        np.testing.assert_array_equal(image.rgb, levels[:, :, :3])
        expected = levels[:, :, :3].astype(np.float64) @ [0.299, 0.587, 0.114]
        np.testing.assert_allclose(image.values, expected, atol=0.02)


def test_of_several_pictures_in_a_jpeg_the_first_is_read(tmp_path: Path) -> None:
    first, preview = Image.new("L", (40, 30), 200), Image.new("L", (20, 15), 10)
    first.save(tmp_path / "a.jpg", format="MPO", save_all=True, append_images=[preview])
    image = read_image(tmp_path / "a.jpg")
    assert image.values.shape == (30, 40)
    assert abs(image.values.mean() - 200) < 2


@pytest.mark.parametrize("name", ["H20N_DJI_0002_R.JPG", "M3T_DJI_0002_R.JPG"])
def test_pictures_of_dji_are_read_and_their_temperatures_explained(
    shared_data: Path, name: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("thermal_landmarks.data.formats.notices._is_new", lambda *_: True)
    image = read_image(shared_data / "dji" / name)
    assert image.unit == "gray"
    assert image.values.shape == read_image_size(shared_data / "dji" / name) == (512, 640)
    assert np.ptp(image.values) > 50
    assert "only DJI's Thermal SDK reads" in caplog.text


def test_files_that_macos_puts_beside_images_are_no_images(tmp_path: Path) -> None:
    Image.fromarray(LEVELS).save(tmp_path / "a.png")
    (tmp_path / "._a.png").write_bytes(b"\0\5\26\7\0\2")
    assert list_images(tmp_path) == [tmp_path / "a.png"]
