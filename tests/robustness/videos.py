"""Good videos of every container, and some made to cost much: they state gigabytes, overlap, or lie elsewhere."""

import io
import struct
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import h5py
import numpy as np
import tifffile
from data.video.test_open_video import encode
from robustness.flir_files import flir_jpeg, flir_picture

from thermal_landmarks.data.video import open_video
from thermal_landmarks.data.video.flir_video import MAGIC

FRAMES = np.random.default_rng(0).integers(0, 255, (8, 32, 48)).astype(np.uint8)


def good_videos(folder: Path) -> Iterator[Path]:
    """One of each container of our own reading and of FFmpeg's, in a folder."""
    for suffix, codec in ((".mkv", "ffv1"), (".mp4", "mpeg4"), (".avi", "mjpeg")):
        yield encode(
            folder / f"film{suffix}", FRAMES, codec, {"ffv1": "gray", "mjpeg": "yuvj420p"}.get(codec, "yuv420p")
        )
    tifffile.imwrite(folder / "pages.tif", FRAMES, photometric="minisblack", compression="zlib")
    np.save(folder / "stack.npy", FRAMES)
    np.savez_compressed(folder / "stack.npz", a=FRAMES, time_s=np.arange(8.0))
    (folder / "pictures.seq").write_bytes(b"".join(flir_picture() for _ in range(4)))
    yield from (folder / name for name in ("pages.tif", "stack.npy", "stack.npz", "pictures.seq"))
    with h5py.File(folder / "stack.h5", "w") as file:
        file.create_dataset("a", data=FRAMES, chunks=(1, 32, 48), compression="gzip")
        file["time_s"] = np.arange(8.0)
    yield folder / "stack.h5"


def read_video(path: Path) -> int:
    """Its number of frames, each of which must be finite."""
    count = 0
    for frame in open_video(path, fps=30).frames():
        assert np.isfinite(frame.image.values).all()
        count += 1
    return count


def _flir(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def _no_length(path: Path) -> Path:
    """A picture whose records end where it begins, so that the next one begins there again."""
    records = b"".join(struct.pack("<HHIIII", kind, 0, 0, 0, 0, 0).ljust(32, b"\0") for kind in (1, 32))
    head = (b"FFF\0".ljust(20, b"\0") + struct.pack("<III", 100, 64, 2)).ljust(64, b"\0")
    return _flir(path, head + records + bytes(100))


def _overlapping(count: int, length: int) -> bytes:
    kinds = (kind for kind in range(2, 2 + count) if kind != 32)
    return b"".join(struct.pack("<HHIIII", kind, 0, 0, 0, 0, length).ljust(32, b"\0") for kind in kinds)


def _jpeg_ls(width: int, height: int) -> bytes:
    return b"\xff\xd8\xff\xf7" + struct.pack(">HBHHB", 11, 16, height, width, 1) + bytes(200) + b"\xff\xd9"


def _long_picture(path: Path) -> Path:
    far = struct.pack("<HHIIII", 5, 0, 0, 0, 0, 2**32 - 1).ljust(32, b"\0")
    _flir(path, flir_picture(more_records=far))
    with path.open("r+b") as file:
        file.truncate(2**32)  # takes no space on the disk
    return path


def _npz(path: Path, **arrays: np.ndarray) -> Path:
    np.savez_compressed(path, allow_pickle=False, **arrays)
    return path


def _long_header(path: Path) -> Path:
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("a.npy", "w") as file,
    ):
        file.write(b"\x93NUMPY\x02\0" + struct.pack("<I", 2**27))
        for _ in range(2**5):
            file.write(b" " * 2**22)
    return path


def _stated(path: Path, shape: tuple[int, ...]) -> Path:
    content = io.BytesIO()
    np.lib.format.write_array_header_1_0(content, {"descr": "<f4", "fortran_order": False, "shape": shape})
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.npy", content.getvalue() + bytes(20_000))
    return path


def _hdf5(path: Path, fill: Callable[[h5py.File], object]) -> Path:
    with h5py.File(path, "w") as file:
        fill(file)
    return path


def _elsewhere(path: Path) -> Path:
    other = path.with_name("other.bin")
    other.write_bytes(bytes(range(256)) * 36)
    return _hdf5(path, lambda f: f.create_dataset("a", (3, 48, 64), "u1", external=[(str(other), 0, 9216)]))


def _virtual(path: Path) -> Path:
    layout = h5py.VirtualLayout((3, 48, 64), "u1")
    layout[:] = h5py.VirtualSource(str(path.with_name("other.h5")), "a", (3, 48, 64))
    return _hdf5(path, lambda f: f.create_virtual_dataset("a", layout))


HOSTILE: dict[str, Callable[[Path], Path]] = {
    "pictures of no length": lambda f: _no_length(f / "a.seq"),
    "beginnings without end": lambda f: _flir(f / "a.seq", flir_picture() + MAGIC * 2**20),
    "a directory at each beginning": lambda f: _flir(
        f / "a.seq", (MAGIC + bytes(12) + struct.pack("<III", 1, 0, 300)) * 10**5
    ),
    "one picture of 4 GB": lambda f: _long_picture(f / "a.seq"),
    "a thousand records over each other": lambda f: _flir(
        f / "a.jpg", flir_jpeg(more_records=_overlapping(900, 2**23), filling=2**23)
    ),
    "JPEG-LS of 4 gigapixels": lambda f: _flir(f / "a.csq", flir_picture(raw=_jpeg_ls(65_535, 65_535))),
    "header of 128 MB": lambda f: _long_header(f / "a.npz"),
    "more times than frames": lambda f: _npz(f / "a.npz", a=np.zeros((3, 4, 4), np.uint8), time_s=np.zeros(10**5)),
    "frames of negative height": lambda f: _stated(f / "a.npz", (3, -48, 64)),
    "a negative number of frames": lambda f: _stated(f / "a.npz", (-3, 48, 64)),
    "frames of gigapixels": lambda f: _stated(f / "a.npz", (3, 10**5, 10**5)),
    "a chunk of gigabytes": lambda f: _hdf5(
        f / "a.h5", lambda file: file.create_dataset("a", (4000, 1000, 1000), "u1", chunks=(4000, 1000, 1000))
    ),
    "times of gigabytes": lambda f: _hdf5(
        f / "a.h5",
        lambda file: (
            file.create_dataset("a", (10**10, 4, 4), "u1", chunks=(1, 4, 4)),
            file.create_dataset("time_s", (10**10,), "f8", chunks=(1000,)),
        ),
    ),
    "values in another file": lambda f: _elsewhere(f / "a.h5"),
    "virtual values": lambda f: _virtual(f / "a.h5"),
}
"""Each writes its file into a folder; none of them may be read."""
