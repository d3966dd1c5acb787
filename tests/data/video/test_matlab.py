"""MATLAB's files, whose frames are the last axis."""

from pathlib import Path

import h5py
import numpy as np
import pytest
from data.video.test_open_video import N, frames, values
from scipy.io import savemat

from thermal_landmarks.data.video import open_video
from thermal_landmarks.errors import DataError


@pytest.mark.parametrize("version", ["5", "7.3"])
def test_frames_stand_upright_and_in_order(version: str, tmp_path: Path) -> None:
    path = tmp_path / "film.mat"
    if version == "5":
        savemat(path, {"thermal": np.moveaxis(frames(), 0, -1), "time": np.arange(N) / 4 + 2})
    else:
        with h5py.File(path, "w", userblock_size=512) as file:  # its first axis is MATLAB's last one
            file["thermal"], file["time"] = frames().transpose(0, 2, 1), np.arange(N)[:, None] / 4 + 2
        with path.open("r+b") as start:
            start.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64")
    video = open_video(path, unit="counts")
    np.testing.assert_array_equal(values(video), frames())
    assert [frame.time_s for frame in video.frames(5)] == [1.25, 1.5]


def test_a_variable_is_named_where_there_are_several(tmp_path: Path) -> None:
    savemat(tmp_path / "a.mat", {name: np.moveaxis(frames(), 0, -1) for name in ("hot", "cold")})
    with pytest.raises(DataError, match=r"source=.*a\.mat:/"):
        open_video(tmp_path / "a.mat")
    assert open_video(f"{tmp_path / 'a.mat'}:hot", fps=9, unit="counts").n_frames == N
