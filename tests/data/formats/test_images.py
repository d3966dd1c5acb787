from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from thermal_landmarks.data.formats.images import list_images, read_image, read_image_size
from thermal_landmarks.errors import ConfigError, DataError

WriteIs2 = Callable[[Path, np.ndarray], Path]
COUNTS = np.arange(3000, 3000 + 12 * 16, dtype=np.uint16).reshape(12, 16)


def test_gray_pictures_keep_their_levels(tmp_path: Path) -> None:
    levels = np.arange(48, dtype=np.uint8).reshape(6, 8)
    for suffix in (".png", ".bmp", ".tif", ".gif", ".pgm", ".webp", ".jpg"):
        Image.fromarray(levels).save(tmp_path / f"a{suffix}", lossless=True, quality=100)  # others ignore it
        image = read_image(tmp_path / f"a{suffix}")
        assert image.unit == "gray"
        assert image.values.dtype == np.float32
        atol = 1 if suffix == ".jpg" else 1e-5  # luminance of three equal channels
        np.testing.assert_allclose(image.values, levels, atol=atol)
        np.testing.assert_allclose(image.in_colour().values, [levels] * 3, atol=atol)


def test_videos_are_left_to_track(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    film = tmp_path / "night.MP4"
    film.touch()
    with pytest.raises(DataError, match=rf"is a video, expected an image.*track source={film}"):
        read_image(film)
    with pytest.raises(DataError, match=rf"night\.MP4 is a video.*track source={film}"):
        list_images(tmp_path)
    Image.fromarray(COUNTS).save(tmp_path / "a.png")
    assert list_images(tmp_path) == [tmp_path / "a.png"]
    assert f"1 video(s) left out. Follow its faces by: thermal-landmarks track source={film}" in caplog.text


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_colour_becomes_luminance(tmp_path: Path, mode: str) -> None:
    rgb = np.zeros((4, 4, 3), dtype=np.uint8)
    rgb[0, 0], rgb[0, 1], rgb[1, 0], rgb[1, 1] = (200, 0, 0), (0, 200, 0), (0, 0, 200), (50, 50, 50)
    picture = Image.fromarray(rgb)
    picture = picture.quantize(5) if mode == "P" else picture.convert(mode)
    picture.save(tmp_path / "a.png")
    image = read_image(tmp_path / "a.png")
    np.testing.assert_array_equal(image.rgb, rgb)
    np.testing.assert_array_equal(image.in_colour().values, np.moveaxis(rgb, 2, 0))
    assert image.values[:2, :2] == pytest.approx(np.array([[59.8, 117.4], [22.8, 50.0]]), abs=0.01)


@pytest.mark.parametrize(("largest", "comment"), [(3191, b""), (16383, b"# 14 bits, of a Boson\n"), (65535, b"")])
def test_counts_of_a_pgm_are_not_stretched(largest: int, comment: bytes, tmp_path: Path) -> None:
    head = b"P5\n%b16 12\n%d\n" % (comment, largest)
    (tmp_path / "a.pgm").write_bytes(head + COUNTS.astype(">u2").tobytes())
    np.testing.assert_array_equal(read_image(tmp_path / "a.pgm").values, COUNTS)


def test_sixteen_bits_survive(tmp_path: Path) -> None:
    Image.fromarray(COUNTS).save(tmp_path / "a.png")
    tifffile.imwrite(tmp_path / "a.tiff", COUNTS)
    tifffile.imwrite(tmp_path / "b.tiff", COUNTS, compression="lzw")
    for name in ("a.png", "a.tiff", "b.tiff"):
        image = read_image(tmp_path / name)
        assert image.unit == "gray"
        np.testing.assert_array_equal(image.values, COUNTS)


@pytest.mark.parametrize(
    ("unit", "stored"),
    [
        ("celsius", 36.5),
        ("centi_celsius", 3650),
        ("kelvin", 309.65),
        ("deci_kelvin", 3096.5),
        ("centi_kelvin", 30965),
        ("fahrenheit", 97.7),
    ],
)
def test_units_become_degrees_celsius_and_counts_stay_gray(tmp_path: Path, unit: str, stored: float) -> None:
    np.save(tmp_path / "a.npy", np.full((5, 7), stored))
    image = read_image(tmp_path / "a.npy", unit=unit)
    assert image.unit == "celsius"
    assert image.values == pytest.approx(36.5, abs=1e-4)
    counts = read_image(tmp_path / "a.npy", unit="counts")
    assert counts.unit == "gray"
    np.testing.assert_array_equal(counts.values, np.full((5, 7), stored, np.float32))


def test_an_unknown_unit_lists_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"'degrees'.*centi_kelvin.*counts"):
        read_image(tmp_path / "a.npy", unit="degrees")


def test_a_unit_that_gives_no_temperature_of_this_world_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.full((5, 7), 3650))
    with pytest.raises(DataError, match=r"read as centi_kelvin, its median would be -236\.[67] degrees"):
        read_image(tmp_path / "a.npy", unit="centi_kelvin")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.zeros((4, 5, 6, 7)), r"shape \(4, 5, 6, 7\), expected one image"),
        (np.zeros((9, 9, 5)), "expected one image"),
        (np.zeros(9), "expected one image"),
        (np.zeros((0, 5)), "expected one image"),
        (np.zeros((1, 5)), "at least 2 x 2"),
        (np.full((4, 5), np.nan), "none of its 20 values is a finite number"),
        (np.zeros((4, 5), dtype=complex), "type complex128, expected numbers"),
        (np.array([["a", "b"], ["c", "d"]]), "expected numbers"),
    ],
)
def test_arrays_that_are_no_image_are_refused(tmp_path: Path, values: np.ndarray, message: str) -> None:
    np.save(tmp_path / "a.npy", values)
    with pytest.raises(DataError, match=message):
        read_image(tmp_path / "a.npy")


def test_dead_pixels_are_replaced_with_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    values = np.full((4, 5), 30.0)
    values[0, 0], values[1, 1] = np.nan, np.inf
    np.save(tmp_path / "a.npy", values)
    assert (read_image(tmp_path / "a.npy", unit="celsius").values == 30).all()
    assert "2 values (10 %) are not finite" in caplog.text


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.png", None, "no such file"),
        ("a.png", b"", "the file is empty"),
        ("a.heic", b"1", "suffix '.heic' is not"),
        ("a", b"1", "suffix"),
        ("a.is3", b"1", "exported as AVI or CSV"),
        ("a.irb", b"1", "exported as CSV or TIFF"),
        ("a.jp2", b"no image", r"a\.jp2: can't be read as \.jp2"),
    ],
)
def test_missing_files_and_unknown_formats_are_named(
    tmp_path: Path, name: str, content: bytes | None, message: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_image(tmp_path / name)


def test_folders_list_readable_images_and_leave_other_tables_out(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    np.save(tmp_path / "b" / "2.npy", COUNTS)
    Image.fromarray(COUNTS).save(tmp_path / "1.PNG")
    (tmp_path / "temperatures.csv").write_text("1.5,2.5\n3.5,4.5\n")
    (tmp_path / "labels.csv").write_text("image,subject,x0,y0\n1.PNG,anna,3,4\n")
    (tmp_path / "notes.txt").write_text("x")
    assert [p.name for p in list_images(tmp_path)] == ["1.PNG", "2.npy", "temperatures.csv"]
    assert list_images(tmp_path / "1.PNG") == [tmp_path / "1.PNG"]


def test_folders_without_images_are_errors(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no image in this folder"):
        list_images(tmp_path)
    with pytest.raises(DataError, match="no such file or folder"):
        list_images(tmp_path / "gone")


def test_the_header_tells_the_size_of_the_image(write_is2: WriteIs2, tmp_path: Path, shared_data: Path) -> None:
    np.save(tmp_path / "a.npy", COUNTS)
    Image.fromarray(COUNTS).save(tmp_path / "a.png")
    write_is2(tmp_path / "a.is2", COUNTS)
    for path in (*tmp_path.iterdir(), shared_data / "flir-radiometric" / "25.jpg"):
        assert read_image_size(path) == read_image(path).values.shape
