"""Stacks of frames as arrays: `.npy`, `.npz` and HDF5; one frame is in memory at a time.

Axes are (frame, height, width), or (frame, height, width, 3) of bytes in colour. Beside the stack an archive may hold
the time of each frame in seconds, as one of `_TIMES`, and HDF5 an attribute `fps`.
"""

import io
import math
import zipfile
from collections.abc import Callable, Generator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np

from thermal_landmarks.data.formats.limits import check_bytes, check_size
from thermal_landmarks.data.formats.stored import Stored
from thermal_landmarks.data.formats.units import UNITS
from thermal_landmarks.data.video.frame import StoredFrame
from thermal_landmarks.errors import DataError

_MOST_ARRAYS = 1000  # of an archive that are looked at
_HEADER_BYTES = 2**14  # NumPy reads no longer one than 10,000
_BYTES_PER_PIXEL = 8
_TIMES = ("time_s", "times", "timestamps", "time", "t")


class Npy:
    """One array; its frames are read one by one, since memory that is mapped counts as used."""

    fps: float | None = None
    live = False

    def __init__(self, path: Path) -> None:
        self.path = self.unit_beside = path
        self.name = path.stem
        mapped = np.load(path, mmap_mode="r", allow_pickle=False)
        self._shape, self._dtype, self._offset = mapped.shape, mapped.dtype, int(mapped.offset)
        check_stack(path, self._shape, self._dtype)
        self._mapped = None if mapped.flags.c_contiguous else mapped  # of Fortran's order: frames lie scattered
        self.n_frames: int | None = self._shape[0]

    def read(self, start: int) -> Generator[StoredFrame]:
        """See `Container`."""
        scattered = self._mapped
        frames = (
            read_stack(self.path, self._offset, self._shape, self._dtype, start)
            if scattered is None
            else (np.array(scattered[index]) for index in range(start, self._shape[0]))
        )
        for index, values in enumerate(frames, start):
            yield StoredFrame(index, None, Stored(np.squeeze(values)))


class Npz:
    """The array of three or four axes in an archive, unpacked frame by frame."""

    fps: float | None = None
    live = False

    def __init__(self, path: Path) -> None:
        self.path = self.unit_beside = path
        self.name = path.stem
        shapes = {}
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist()[:_MOST_ARRAYS]:
                if name.endswith(".npy"):
                    with archive.open(name) as member:
                        shapes[name] = _header(member)
        of_arrays = {name: header[0] for name, header in shapes.items()}
        self._name = choose_stack(path, of_arrays, "Write the video into a file of its own.")
        self._shape, fortran, self._dtype, self._offset = shapes[self._name]
        check_stack(path, self._shape, self._dtype)
        if fortran:
            raise DataError(f"{path}: {self._name} is in Fortran's order. Save numpy.ascontiguousarray(...) instead.")
        self.n_frames: int | None = self._shape[0]
        with np.load(path, allow_pickle=False) as arrays:
            self._times = stack_times(path, of_arrays, self._shape[0], lambda name: arrays[name.removesuffix(".npy")])

    def read(self, start: int) -> Generator[StoredFrame]:
        """See `Container`."""
        length = int(np.prod(self._shape[1:])) * self._dtype.itemsize
        with zipfile.ZipFile(self.path) as archive, archive.open(self._name) as member:
            member.read(self._offset)
            for index in range(self._shape[0]):
                try:
                    data = member.read(length)
                except (zipfile.BadZipFile, OSError, ValueError) as error:
                    raise DataError(f"{self.path}: frame {index} is damaged ({error}).") from error
                if len(data) < length:
                    raise DataError(f"{self.path}: ends within frame {index} of {self._shape[0]}.")
                if index >= start:
                    values = np.frombuffer(data, self._dtype).reshape(self._shape[1:])
                    time_s = None if self._times is None else float(self._times[index])
                    yield StoredFrame(index, time_s, Stored(np.squeeze(values)))


class Hdf5:
    """The dataset of three or four axes in an HDF5 file; `turned`: frames lie on their side, as in MATLAB's files."""

    live = False

    def __init__(self, path: Path, dataset: str = "", *, turned: bool = False) -> None:
        import h5py

        self._turned = turned
        self.path = self.unit_beside = path
        self.name = path.stem
        with h5py.File(path, "r") as file:
            shapes: dict[str, tuple[int, ...]] = {}
            file.visititems(lambda name, item: shapes.update({name: item.shape}) if hasattr(item, "shape") else None)
            if dataset and dataset.strip("/") not in shapes:
                raise DataError(f"{path}: has no dataset '{dataset}'. It has: {', '.join(shapes) or 'nothing'}.")
            self._name = dataset.strip("/") or choose_stack(path, shapes, f"Name it: source={path}:/...")
            stack = file[self._name]
            check_stack(path, (stack.shape[0], *stack.shape[:0:-1]) if turned else stack.shape, stack.dtype)
            if stack.external or stack.is_virtual:
                raise DataError(f"{path}: {self._name} lies in other files. Copy its values into one file.")
            if stack.chunks:  # one is unpacked as a whole
                size = math.prod(stack.chunks) * stack.dtype.itemsize
                check_bytes(path, size, per_pixel=_BYTES_PER_PIXEL, what=f"a chunk of {self._name}")
            self.n_frames: int | None = int(stack.shape[0])
            rates = (holder.attrs.get(name) for holder in (stack, file) for name in ("fps", "frame_rate", "rate_hz"))
            self.fps = next((float(rate) for rate in rates if rate is not None and float(rate) > 0), None)
            unit = stack.attrs.get("unit")
            self._unit = unit if unit in UNITS else None
            self._times = stack_times(path, shapes, self.n_frames, lambda name: file[name][()])

    def read(self, start: int) -> Generator[StoredFrame]:
        """See `Container`."""
        import h5py

        with h5py.File(self.path, "r") as file:
            stack = file[self._name]
            for index in range(start, self.n_frames or 0):
                time_s = None if self._times is None else float(self._times[index])
                try:
                    values = np.squeeze(stack[index].T if self._turned else stack[index])
                    frame = StoredFrame(index, time_s, Stored(values, self._unit))
                except OSError as error:  # of a compressed piece
                    frame = StoredFrame(index, time_s, None, str(error))
                yield frame


def read_stack(
    path: Path, offset: int, shape: tuple[int, ...], dtype: np.dtype[Any], start: int
) -> Generator[np.ndarray]:
    """The frames from a number on of an array (frame, ...) that begins at a byte of a file."""
    count = int(np.prod(shape[1:]))
    with path.open("rb") as file:
        file.seek(offset + start * count * dtype.itemsize)
        for index in range(start, shape[0]):
            values = np.fromfile(file, dtype, count)
            if len(values) < count:
                raise DataError(f"{path}: ends within frame {index} of {shape[0]}. Copy it again from its source.")
            yield values.reshape(shape[1:]).astype(dtype.newbyteorder("="), copy=False)


def choose_stack(path: Path, shapes: dict[str, tuple[int, ...]], advice: str) -> str:
    """The one array that is a video.

    Raises:
        DataError: If there is none, or several.
    """
    stacks = [name for name, shape in shapes.items() if len(shape) in (3, 4)]
    if len(stacks) != 1:
        listed = ", ".join(f"{name} {shape}" for name, shape in list(shapes.items())[:8]) or "nothing"
        raise DataError(
            f"{path}: expected one array (frame, height, width), found {len(stacks)} among: {listed}. {advice}"
        )
    return stacks[0]


def check_stack(path: Path, shape: Sequence[int], dtype: np.dtype[Any]) -> None:
    """Refuse what is no stack of frames.

    Raises:
        DataError: Naming shape and type.
    """
    colour = len(shape) == 4 and shape[3] in (3, 4) and dtype == np.uint8
    single = len(shape) == 4 and 1 in (shape[1], shape[3])
    if not (len(shape) == 3 or colour or single) or dtype.kind not in "uif":
        raise DataError(
            f"{path}: holds an array of shape {tuple(shape)} ({dtype}), expected numbers (frame, height, width), or "
            "bytes (frame, height, width, 3) in colour."
        )
    height, width = shape[2:] if single and shape[1] == 1 else shape[1:3]
    if min(shape) < 0:
        raise DataError(f"{path}: holds an array of shape {tuple(shape)}. It is damaged.")
    check_size(path, height, width)


def stack_times(
    path: Path, shapes: Mapping[str, tuple[int, ...]], count: int, read: Callable[[str], np.ndarray]
) -> np.ndarray | None:
    """Seconds from the first frame, of the array beside the stack that holds them; None: there is none.

    Raises:
        DataError: If they are not one a frame, finite and growing.
    """
    name = next((each for each in shapes if each.rpartition("/")[2].removesuffix(".npy").lower() in _TIMES), None)
    if name is None:
        return None
    shape = shapes[name]
    if max(shape, default=0) != count or math.prod(shape) != count:  # a column or row of MATLAB's counts as a list
        raise DataError(f"{path}: has time stamps of shape {tuple(shape)} for {count} frames. Write one a frame.")
    check_bytes(path, 8 * count, per_pixel=8, what="the array of its time stamps")
    times = np.asarray(read(name), dtype=float).ravel()
    if not np.isfinite(times).all() or (np.diff(times) < 0).any():
        raise DataError(f"{path}: its time stamps {shape} are not {count} numbers that grow. Fix them.")
    return times - (times[0] if count else 0.0)


def _header(member: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any], int]:
    """Shape, whether in Fortran's order, type, and the place of the first value."""
    start = io.BytesIO(member.read(_HEADER_BYTES))  # no more, whatever length it states
    version = np.lib.format.read_magic(start)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = read(start)
    return shape, fortran, dtype, start.tell()
