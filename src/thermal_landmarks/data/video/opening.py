"""From what a person calls a video to the container that reads it."""

import importlib.util
from collections.abc import Callable
from pathlib import Path

from thermal_landmarks.data.formats.images import readable_suffixes
from thermal_landmarks.data.video.arrays import Hdf5, Npy, Npz
from thermal_landmarks.data.video.coded import Coded
from thermal_landmarks.data.video.flir_video import MAGIC as FLIR_MAGIC
from thermal_landmarks.data.video.flir_video import FlirVideo
from thermal_landmarks.data.video.folder import Folder
from thermal_landmarks.data.video.frame import Container
from thermal_landmarks.data.video.matlab import HDF5_MAGIC, Matlab
from thermal_landmarks.data.video.matlab import MAGIC as MATLAB_MAGIC
from thermal_landmarks.data.video.raw import Raw
from thermal_landmarks.data.video.recording import Recorded
from thermal_landmarks.data.video.tiff_pages import TiffPages
from thermal_landmarks.data.video.video import Video
from thermal_landmarks.errors import ConfigError, DataError, UserError, said_by

_BY_MAGIC: dict[Callable[[Path], Container], tuple[bytes, ...]] = {
    TiffPages: (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
    FlirVideo: (FLIR_MAGIC,),
    Npy: (b"\x93NUMPY",),
    Npz: (b"PK\x03\x04",),
}
_HDF5 = b"\x89HDF\r\n\x1a\n"
_GIF = b"GIF8"  # one picture or many
_ANIMATED_PNG = b"acTL"  # the second block of such a file
_WEBP, _ANIMATED = b"WEBPVP8X", 0x02
_BARE = {".raw", ".bin", ".dat"}  # frames without a header
_RENDERED = "frames.tif", "sequence.json"  # of render_sequence


def open_video(
    source: str | int | Path,
    *,
    fps: float | None = None,
    unit: str | None = None,
    palette: str = "auto",
    marks: str = "masked",
    size: tuple[int, int] | None = None,
    dtype: str | None = None,
    record: Path | None = None,
) -> Video:
    """Open a video for reading; the content tells the container, whatever the suffix says.

    Args:
        source: A file (mp4, avi, mkv, ..., TIFF of several pages, .npy, .npz, HDF5, MATLAB's .mat, FLIR .seq and
            .csq, bare frames as .raw, .bin or .dat), an array of an HDF5 or MATLAB file (`file.h5:/path`), a folder of
            image files in natural order or a pattern of their names (`frames/*.png`), the number of a camera, an
            address (`rtsp://...`), or `-` for raw frames of standard input.
        fps: Frames a second. None: the video's own time stamps.
        unit: Of values that don't name theirs; see `read_image`.
        palette: Of 8-bit colour pictures; see `as_heat`.
        marks: Of cameras in 8-bit pictures: `masked` fills them, `kept` leaves them.
        size: (height, width) of raw frames.
        dtype: Of raw frames: `uint8`, `uint16`, `float32`, ...
        record: A Matroska file that gets the frames of a camera, stream or pipe without loss, while they are read.

    Raises:
        DataError: If there is no such file, it is damaged, or no frame of it can be read.
        ConfigError: If a setting is unknown, missing or out of range.
    """
    if fps is not None and not 0 < fps < float("inf"):
        raise ConfigError(f"fps={fps} should be a positive number of frames a second.")
    try:
        container: Container = _container(str(source), unit, size, dtype)
        if record is not None and container.live:
            container = Recorded(container, record)
        return Video(container, fps=fps, unit=unit, palette=palette, marks=marks)
    except (UserError, MemoryError):
        raise
    except Exception as error:  # decoders raise almost anything on damaged files
        raise DataError(
            f"{source}: can't be read as a video ({said_by(error)}). It is damaged, or of a kind that isn't known; "
            "copy it again from its source."
        ) from error


def is_camera(source: str) -> bool:
    """Whether a source is a camera's number or an address: it can't be read twice, and ends when it is stopped."""
    return source.isdigit() or "://" in source


def _container(source: str, unit: str | None, size: tuple[int, int] | None, dtype: str | None) -> Container:
    if source == "-":
        return Raw(size, dtype)
    if is_camera(source):
        _require("av", source)
        return Coded.camera(int(source)) if source.isdigit() else Coded.address(source)
    path = Path(source).expanduser()
    if path.is_dir():
        rendered = all((path / name).is_file() for name in _RENDERED)
        return TiffPages(path / _RENDERED[0]) if rendered else Folder.of_folder(path, unit)
    if not path.exists() and any(sign in path.name for sign in "*?["):
        return Folder.matching(path, unit)
    file_name, colon, name = source.rpartition(":")
    if colon and not path.exists() and Path(file_name).expanduser().is_file():
        path = Path(file_name).expanduser()
    else:
        name = ""
    if not path.is_file():
        raise DataError(f"{path}: no such file or folder.")
    with path.open("rb") as file:
        start = file.read(48)
    if not start:
        raise DataError(f"{path}: the file is empty. Copy it again from its source.")
    if start.startswith((_HDF5, HDF5_MAGIC)):
        _require("h5py", source)
        return Hdf5(path, name, turned=not start.startswith(_HDF5))
    if start.startswith(MATLAB_MAGIC):
        return Matlab(path, name)
    if name:
        raise DataError(f"{path}: ':{name}' names an array in an HDF5 or MATLAB file, and this is neither.")
    for kind, magics in _BY_MAGIC.items():
        if start.startswith(magics):
            return kind(path)
    if path.suffix.lower() in _BARE:
        return Raw(size, dtype, path)
    if start[8:16] == _WEBP and start[20] & _ANIMATED:
        raise DataError(f"{path}: is an animated WebP, which is not read as a video. Save it as mp4, GIF or PNG files.")
    several = start.startswith(_GIF) or start[37:41] == _ANIMATED_PNG
    if path.suffix.lower() in readable_suffixes() and not several:
        return Folder(path, [path], unit)
    _require("av", source)
    return Coded(path)


def _require(module: str, source: str) -> None:
    if importlib.util.find_spec(module) is None:
        raise ConfigError(f"source={source} needs the package {module}: pip install 'thermal-landmarks[full]'.")
