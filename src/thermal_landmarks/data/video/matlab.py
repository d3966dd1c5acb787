"""Stacks of frames in MATLAB's files, whose axes are (height, width, frame)."""

from collections.abc import Generator
from pathlib import Path

import numpy as np

from thermal_landmarks.data.formats.limits import check_bytes
from thermal_landmarks.data.formats.stored import Stored
from thermal_landmarks.data.video.arrays import check_stack, choose_stack, stack_times
from thermal_landmarks.data.video.frame import StoredFrame

MAGIC = b"MATLAB "
HDF5_MAGIC = b"MATLAB 7.3"
"""Files of version 7.3 are HDF5; see `arrays.Hdf5`."""

_BYTES_PER_PIXEL = 64  # of an image within the limit: 4 GB, the most that MATLAB itself writes into such a file


class Matlab:
    """The array of three or four axes in a file of version 5 to 7; all of it is in memory."""

    fps: float | None = None
    live = False

    def __init__(self, path: Path, name: str = "") -> None:
        from scipy.io import loadmat, whosmat

        self.path = self.unit_beside = path
        self.name = path.stem
        shapes = {variable: shape for variable, shape, _ in whosmat(path)}
        name = name.strip("/") or choose_stack(path, shapes, f"Name it: source={path}:/...")
        check_bytes(path, 8 * int(np.prod(shapes[name])), per_pixel=_BYTES_PER_PIXEL, what=f"the variable {name}")
        self._stack = np.moveaxis(loadmat(path, variable_names=[name])[name], -1, 0)
        check_stack(path, self._stack.shape, self._stack.dtype)
        self.n_frames: int | None = len(self._stack)
        self._times = stack_times(
            path, shapes, len(self._stack), lambda each: loadmat(path, variable_names=[each])[each]
        )

    def read(self, start: int) -> Generator[StoredFrame]:
        """See `Container`."""
        for index, values in enumerate(self._stack[start:], start):
            time_s = None if self._times is None else float(self._times[index])
            yield StoredFrame(index, time_s, Stored(np.ascontiguousarray(np.squeeze(values))))
