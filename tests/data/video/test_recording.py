"""What a live stream shows is in its recording, frame by frame and without loss."""

from collections.abc import Generator
from pathlib import Path

import numpy as np
import pytest

from thermal_landmarks.data.formats.stored import Stored
from thermal_landmarks.data.video import open_video
from thermal_landmarks.data.video.frame import StoredFrame
from thermal_landmarks.data.video.recording import Recorded


class Camera:
    """Gives these frames; None is one that can't be decoded."""

    path = Path("camera")
    unit_beside = path
    name, live = "camera", True
    n_frames: int | None = None

    def __init__(self, frames: list[np.ndarray | None], fps: float | None = 9.0) -> None:
        self.frames, self.fps = frames, fps

    def read(self, start: int) -> Generator[StoredFrame]:
        for i, values in enumerate(self.frames):
            yield StoredFrame(i, 0.11 * i, None if values is None else Stored(values), "damaged")


def _recorded(frames: list[np.ndarray | None], path: Path) -> list[StoredFrame]:
    return list(Recorded(Camera(frames), path).read(0))


def _random(*shape: int, dtype: str) -> np.ndarray:
    return np.random.default_rng(0).integers(0, np.iinfo(dtype).max, shape, dtype=dtype, endpoint=True)


def test_sixteen_bits_stay_as_they_are_and_keep_their_times(tmp_path: Path) -> None:
    frames = list(_random(4, 24, 32, dtype="uint16"))
    _recorded([*frames], tmp_path / "a.mkv")
    again = list(open_video(tmp_path / "a.mkv", unit="counts"))
    np.testing.assert_array_equal([frame.image.values for frame in again], np.stack(frames).astype(np.float32))
    assert [frame.time_s for frame in again] == pytest.approx([0, 0.11, 0.22, 0.33])


def test_colours_may_begin_later_and_gray_stays_gray(tmp_path: Path) -> None:
    gray, colours = _random(24, 32, dtype="uint8"), _random(24, 32, 3, dtype="uint8")
    _recorded([gray, gray, colours], tmp_path / "a.mkv")
    again = list(open_video(tmp_path / "a.mkv", palette="none"))
    np.testing.assert_array_equal(again[1].image.values, gray)
    assert again[2].image.rgb is not None
    np.testing.assert_array_equal(again[2].image.rgb, colours)


@pytest.mark.parametrize("lost", [0, 1])
def test_a_frame_that_cannot_be_decoded_keeps_its_number(lost: int, tmp_path: Path) -> None:
    frames: list[np.ndarray | None] = list(_random(3, 24, 32, dtype="uint8"))
    kept = frames[2]
    frames[lost] = None
    given = _recorded(frames, tmp_path / "a.mkv")
    assert [frame.stored is None for frame in given] == [i == lost for i in range(3)]
    again = {frame.index: frame.image.values for frame in open_video(tmp_path / "a.mkv")}
    assert sorted(again) == [0, 1, 2]
    np.testing.assert_array_equal(again[2], kept)
    assert not again[lost].any()


def test_what_was_read_before_a_stop_is_whole(tmp_path: Path) -> None:
    stream = Recorded(Camera(list(_random(5, 24, 32, dtype="uint8"))), tmp_path / "a.mkv").read(0)
    assert [next(stream).index, next(stream).index] == [0, 1]
    stream.close()
    assert len(list(open_video(tmp_path / "a.mkv"))) == 2


def test_other_values_are_given_but_not_recorded(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    frames = [np.full((24, 32), 30.5, np.float32)] * 2
    assert len(_recorded([*frames], tmp_path / "a.mkv")) == 2
    assert not (tmp_path / "a.mkv").exists()
    assert "float32 can't be recorded" in caplog.text


def test_a_full_disk_ends_the_recording_and_not_the_stream(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "a.mkv").symlink_to("/dev/full")
    frames = list(_random(40, 96, 128, dtype="uint16"))
    assert len(_recorded([*frames], tmp_path / "a.mkv")) == len(frames)
    (said,) = [record.message for record in caplog.records]
    assert "a.mkv: the recording ends here ([Errno 28] No space left on device" in said
