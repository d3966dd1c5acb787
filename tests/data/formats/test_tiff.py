"""TIFF files with previews, inverted levels, marks of missing values and frames."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from thermal_landmarks.data.formats.images import read_image, read_image_size
from thermal_landmarks.errors import DataError

LEVELS = np.random.default_rng(0).integers(0, 5000, (24, 32)).astype(np.uint16)


@pytest.mark.parametrize("flagged", [True, False])
@pytest.mark.parametrize("first", [True, False])
def test_previews_are_left_out(tmp_path: Path, flagged: bool, first: bool) -> None:
    preview: dict[str, Any] = {"data": LEVELS[::4, ::4].astype(np.uint8), "subfiletype": int(flagged)}
    image: dict[str, Any] = {"data": LEVELS}
    with tifffile.TiffWriter(tmp_path / "a.tif") as tiff:
        for page in [preview, image] if first else [image, preview]:
            tiff.write(**page, metadata=None)
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif").values, LEVELS)
    assert read_image_size(tmp_path / "a.tif") == (24, 32)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_where_zero_is_white_levels_are_turned_round(tmp_path: Path, dtype: type) -> None:
    levels: np.ndarray = (LEVELS % 256).astype(dtype)
    tifffile.imwrite(tmp_path / "a.tif", levels, photometric="miniswhite")
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif").values, float(np.iinfo(dtype).max) - levels)


@pytest.mark.parametrize("imagej", [True, False])
def test_frames_of_a_video_are_refused_with_advice(tmp_path: Path, imagej: bool) -> None:
    photometric = None if imagej else "minisblack"
    tifffile.imwrite(tmp_path / "a.tif", np.stack([LEVELS] * 20), imagej=imagej, photometric=photometric)
    with pytest.raises(DataError, match=r"holds 20 pages, expected one image\. A video's frames"):
        read_image(tmp_path / "a.tif")


def test_colours_in_planes_and_palettes_are_colours(tmp_path: Path) -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (24, 32, 3), dtype=np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", np.moveaxis(rgb, -1, 0), photometric="rgb", planarconfig="separate")
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif").rgb, rgb)
    palette = np.random.default_rng(1).integers(0, 65536, (3, 256)).astype(np.uint16)
    tifffile.imwrite(tmp_path / "b.tif", rgb[..., 0], photometric="palette", colormap=palette)
    np.testing.assert_array_equal(read_image(tmp_path / "b.tif").rgb, (palette[:, rgb[..., 0]] >> 8).transpose(1, 2, 0))


def test_the_mark_of_missing_values_that_the_file_names_is_masked(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cases: list[tuple[np.ndarray, float]] = [(LEVELS.astype(np.float32) / 100, 77.25), (LEVELS.copy(), 0)]
    for number, (values, mark) in enumerate(cases):
        values[:3, :3] = mark
        file = tmp_path / f"{number}.tif"
        tifffile.imwrite(file, values, extratags=[(42113, "s", 0, str(mark), True)])
        image = read_image(file)
        assert image.values[:3, :3] == pytest.approx(np.median(values[values != mark]), abs=1)
        assert image.missing == (values == mark).sum() >= 9
        others = values != mark
        np.testing.assert_array_equal(image.values[others], values[others].astype(np.float32))
    assert "marked as missing" in caplog.text


@pytest.mark.parametrize("mark", [-3.4028234663852886e38, -9999, 1e30, np.nan, -np.inf, -32768])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16])
def test_usual_marks_of_missing_values_are_masked(tmp_path: Path, mark: float, dtype: type) -> None:
    if dtype is np.int16 and not -32768 <= mark <= 32767:
        mark = -9999
    values: np.ndarray = LEVELS.astype(dtype)
    values[:5, :8] = mark
    np.save(tmp_path / "a.npy", values)
    image = read_image(tmp_path / "a.npy")
    assert image.missing == 40
    assert 0 <= image.values.min() <= image.values.max() <= 5000
    np.testing.assert_array_equal(image.values[5:], LEVELS[5:])


def test_ordinary_negative_values_are_no_marks(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.linspace(-9999, 9999, 24 * 32).reshape(24, 32))
    assert read_image(tmp_path / "a.npy").missing == 0
