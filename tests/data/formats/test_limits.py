"""What is too large is refused before it is decoded."""

import struct
import tracemalloc
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from thermal_landmarks.data.formats.images import read_image
from thermal_landmarks.data.formats.limits import MAX_MEGAPIXELS, estimated_bytes, max_pixels
from thermal_landmarks.errors import ConfigError, DataError


def png_of(width: int, height: int) -> bytes:
    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


def write_huge(folder: Path, name: str) -> Path:
    path = folder / name
    if name.endswith(".png"):
        path.write_bytes(png_of(9000, 9000))
    elif name.endswith(".tif"):
        tifffile.imwrite(path, np.zeros((20, 20), dtype=np.uint8), compression="zlib")
        with tifffile.TiffFile(path, mode="r+") as tiff:
            for tag in ("ImageWidth", "ImageLength"):
                tiff.pages.first.tags[tag].overwrite(30000)
    elif name.endswith(".npy"):
        with path.open("wb") as file:
            header = {"descr": "<f4", "fortran_order": False, "shape": (30000, 30000)}
            np.lib.format.write_array_header_1_0(file, header)
            file.truncate(30000 * 30000 * 4 + 128)
    elif name.endswith(".is2"):
        with (
            zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
            archive.open("Images/Main/IR.data", "w") as f,
        ):
            for _ in range(160):
                f.write(bytes(2**20))
    elif name.endswith(".csv"):
        with path.open("wb") as file:
            file.write(b"1;2;3\n")
            file.truncate(65_000_000)
    return path


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.npy", "a.is2", "a.csv"])
def test_what_unpacks_to_too_much_is_refused_before_it_is_decoded(tmp_path: Path, name: str) -> None:
    path = write_huge(tmp_path, name)
    tracemalloc.start()
    with pytest.raises(DataError, match=rf"{name}: .* 64 megapixels.* {MAX_MEGAPIXELS}=\d+"):
        read_image(path)
    assert tracemalloc.get_traced_memory()[1] < 20e6
    tracemalloc.stop()


def test_the_limit_is_a_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8)).save(tmp_path / "a.png")
    monkeypatch.setenv(MAX_MEGAPIXELS, "0.00006")
    with pytest.raises(DataError, match="8 x 8 pixels are more than 6e-05 megapixels"):
        read_image(tmp_path / "a.png")
    monkeypatch.setenv(MAX_MEGAPIXELS, "1")
    assert max_pixels() == 1_000_000
    read_image(tmp_path / "a.png")
    for wrong in ("much", "-1", "nan", "inf"):
        monkeypatch.setenv(MAX_MEGAPIXELS, wrong)
        with pytest.raises(ConfigError, match=MAX_MEGAPIXELS):
            read_image(tmp_path / "a.png")


def test_headers_tell_the_memory_of_reading(tmp_path: Path) -> None:
    assert estimated_bytes(write_huge(tmp_path, "a.png")) > 1e9
    Image.fromarray(np.zeros((100, 100), dtype=np.uint16)).save(tmp_path / "small.png")
    assert 4e4 < estimated_bytes(tmp_path / "small.png") < 4e5
    (tmp_path / "broken.png").write_bytes(b"no picture")
    assert estimated_bytes(tmp_path / "broken.png") == 0
    assert estimated_bytes(tmp_path / "gone.npy") == 0
