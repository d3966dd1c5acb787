"""Bare frames: of standard input and of files."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from data.video.test_open_video import SIZE, N, frames, values

from thermal_landmarks.data.video import open_video
from thermal_landmarks.data.video.raw import Raw
from thermal_landmarks.data.video.video import Video
from thermal_landmarks.errors import ConfigError, DataError


def test_raw_frames_of_standard_input() -> None:
    video = Video(Raw(SIZE, "uint16", stream=io.BytesIO(frames().tobytes())), fps=9, unit="counts")
    np.testing.assert_array_equal(values(video), frames())


@pytest.mark.parametrize("settings", [{}, {"size": [48, 64]}, {"size": [48, 64], "dtype": "letters"}])
def test_raw_frames_need_size_and_type(settings: dict) -> None:
    with pytest.raises(ConfigError, match=r"size=|dtype="):
        open_video("-", **settings)


def test_raw_frames_that_end_within_one_are_named(monkeypatch: Any) -> None:
    monkeypatch.setattr("sys.stdin", type("In", (), {"buffer": io.BytesIO(frames().tobytes()[:-10])}))
    video = open_video("-", size=SIZE, dtype="uint16", fps=9, unit="counts")
    given: list[int] = []
    with pytest.raises(DataError, match="frame 6 ends after"):
        given.extend(frame.index for frame in video)
    assert len(given) == N - 1


@pytest.mark.parametrize("dtype", ["uint16", ">u2"])
def test_a_file_of_bare_frames_is_read_from_any_on(dtype: str, tmp_path: Path) -> None:
    path = tmp_path / "film.raw"
    frames().astype(dtype).tofile(path)
    video = open_video(path, size=SIZE, dtype=dtype, fps=9, unit="counts")
    assert (video.n_frames, video.live) == (N, False)
    np.testing.assert_array_equal(values(video), frames())
    np.testing.assert_array_equal(values(video, 5), frames()[5:])


def test_a_file_of_bare_frames_without_a_size_is_told_what_it_may_be(tmp_path: Path) -> None:
    np.zeros((9, 120, 160), np.uint16).tofile(tmp_path / "film.raw")
    with pytest.raises(ConfigError, match=r"film\.raw has bare frames: set size=.* 9 of \[120,160\]"):
        open_video(tmp_path / "film.raw")


def test_bytes_over_are_named_and_whole_frames_read(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "film.raw").write_bytes(frames().tobytes()[:-10])
    assert len(values(open_video(tmp_path / "film.raw", size=SIZE, dtype="uint16", fps=9, unit="counts"))) == N - 1
    assert "6134 bytes over" in caplog.text
