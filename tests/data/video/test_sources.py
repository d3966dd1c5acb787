"""What a source can be besides one whole file, and what its frames say about time and colour."""

import contextlib
from pathlib import Path
from typing import Any

import av
import h5py
import numpy as np
import pytest
import tifffile
from data.video.test_open_video import SIZE, N, encode, frames, values
from PIL import Image

from thermal_landmarks.data.formats.palettes import named_palette
from thermal_landmarks.data.video import open_video
from thermal_landmarks.data.video.coded import Coded
from thermal_landmarks.data.video.timing import Clock
from thermal_landmarks.errors import DataError


def _pictures(folder: Path, suffix: str = "png") -> Path:
    folder.mkdir(exist_ok=True)
    for i, one in enumerate(frames("uint8")):
        Image.fromarray(one).save(folder / f"frame{i + 5}.{suffix}")  # frame5 ... frame11
    return folder


def test_the_folder_of_a_rendered_sequence_is_a_video(tmp_path: Path) -> None:
    stored = np.linspace(29500, 30900, 3 * SIZE[0] * SIZE[1]).reshape(3, *SIZE).astype(np.uint16)
    with tifffile.TiffWriter(tmp_path / "frames.tif") as file:  # as thermal_faces.video.files writes them
        file.write(
            iter(stored), shape=stored.shape, dtype=np.uint16, photometric="minisblack", compression="zlib",
            predictor=True, maxworkers=1, metadata={"axes": "TYX", "unit": "centi_kelvin"},
        )  # fmt: skip
    (tmp_path / "points.csv").write_text("frame,time_s,x0\n0,0,1.5\n")
    (tmp_path / "signals.csv").write_text("frame,time_s\n0,0\n")
    (tmp_path / "sequence.json").write_text('{"unit": "centi_kelvin", "settings": {"rate_hz": 15.0}}')
    video = open_video(tmp_path)
    assert video.name == tmp_path.name
    assert (video.unit, video.fps, video.n_frames) == ("celsius", 15.0, 3)
    np.testing.assert_allclose(values(video), stored / 100 - 273.15, atol=1e-4)


def test_a_pattern_takes_some_files_of_a_folder(tmp_path: Path) -> None:
    _pictures(tmp_path)
    found = values(open_video(f"{tmp_path}/frame1*.png", fps=10))
    np.testing.assert_array_equal(found, frames("uint8")[5:])
    with pytest.raises(DataError, match="no file has such a name"):
        open_video(f"{tmp_path}/picture*.png")


def test_frames_in_two_formats_are_not_read_twice(tmp_path: Path) -> None:
    _pictures(tmp_path)
    _pictures(tmp_path, "bmp")
    with pytest.raises(DataError, match=r"several formats \(.bmp, .png\)"):
        open_video(tmp_path)


def test_images_of_subfolders_are_not_mixed_into_a_video(tmp_path: Path) -> None:
    _pictures(tmp_path)
    _pictures(tmp_path / "masks")
    assert open_video(tmp_path, fps=10).n_frames == N
    _pictures(tmp_path / "masks" / "left")
    for file in tmp_path.glob("*.png"):
        file.unlink()
    with pytest.raises(DataError, match="folders of images: masks, masks"):
        open_video(tmp_path)


def test_a_folder_of_videos_names_them(tmp_path: Path) -> None:
    encode(tmp_path / "a.mkv", frames("uint8"), "ffv1", "gray")
    with pytest.raises(DataError, match=r"It holds: a\.mkv\. Name a video by its own path"):
        open_video(tmp_path)


def test_one_picture_is_a_video_of_one_frame(tmp_path: Path) -> None:
    _pictures(tmp_path)
    (frame,) = open_video(tmp_path / "frame5.png", fps=10)
    np.testing.assert_array_equal(frame.image.values, frames("uint8")[0])


def test_a_dataset_of_hdf5_is_named_where_there_are_several(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["run/thermal"] = np.linspace(20, 36, N * SIZE[0] * SIZE[1], dtype=np.float32).reshape(N, *SIZE)
        file["run/thermal"].attrs["unit"] = "celsius"
        file["visual"] = frames("uint8")
    with pytest.raises(DataError, match=r"source=.*a\.h5:/"):
        open_video(path)
    with pytest.raises(DataError, match="has no dataset '/other'"):
        open_video(f"{path}:/other")
    video = open_video(f"{path}:/run/thermal", fps=10)
    assert (video.unit, float(values(video).max())) == ("celsius", 36)


@pytest.mark.parametrize("order", ["<u2", ">u2", "fortran"])
def test_arrays_of_any_order_are_read(tmp_path: Path, order: str) -> None:
    stack = np.asfortranarray(frames()) if order == "fortran" else frames().astype(order)
    np.save(tmp_path / "a.npy", stack)
    video = open_video(tmp_path / "a.npy", fps=10, unit="counts")
    np.testing.assert_array_equal(values(video), frames())
    np.testing.assert_array_equal(values(video, 5), frames()[5:])


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_pages_of_any_type_are_frames_and_previews_are_not(tmp_path: Path, dtype: str) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        for one in frames(dtype):
            file.write(one, contiguous=False, metadata=None)
            file.write(one[::2, ::2], subfiletype=1, metadata=None)
    np.testing.assert_array_equal(values(open_video(tmp_path / "a.tif", fps=10)), frames(dtype))


def test_an_announced_end_that_is_missing_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    with contextlib.suppress(RuntimeError), tifffile.TiffWriter(path) as file:
        some = iter(frames()[:4])
        file.write(some, shape=(N, *SIZE), dtype=np.uint16, compression="zlib", photometric="minisblack", maxworkers=1)
    given: list[int] = []
    with pytest.raises(DataError, match=r"a\.tif"):
        given.extend(frame.index for frame in open_video(path, fps=10, unit="counts"))
    assert given in ([], [0, 1, 2, 3])


@pytest.mark.parametrize(("name", "codec"), [("a.mov", "libx264"), ("a.webm", "libvpx"), ("a.mjpeg", "mjpeg")])
def test_other_containers_of_films(name: str, codec: str, tmp_path: Path) -> None:
    path = encode(tmp_path / name, frames("uint8"), codec, "yuvj420p" if codec == "mjpeg" else "yuv420p")
    assert np.abs(values(open_video(path)) - frames("uint8")).mean() < 6


def test_a_film_without_time_stamps_gets_a_rate_that_is_said_aloud(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = encode(tmp_path / "a.mjpeg", frames("uint8"), "mjpeg", "yuvj420p")
    assert [frame.time_s for frame in open_video(path, fps=9)] == pytest.approx(np.arange(N) / 9)
    assert "assumed" not in caplog.text
    assert [frame.time_s for frame in open_video(path)] == pytest.approx(np.arange(N) / 30)
    assert "30 frames a second are assumed" in caplog.text


def test_uneven_time_stamps_are_kept(tmp_path: Path) -> None:
    ticks = [3, 5, 6, 10, 11, 12, 23]
    with av.open(str(tmp_path / "a.mkv"), "w") as out:
        stream: Any = out.add_stream("ffv1", rate=10)
        (stream.height, stream.width), stream.pix_fmt = SIZE, "gray"
        for tick, one in zip(ticks, frames("uint8"), strict=True):
            frame = av.VideoFrame.from_ndarray(one, format="gray")
            frame.pts = tick
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    video = open_video(tmp_path / "a.mkv")
    assert [frame.time_s for frame in video] == pytest.approx((np.array(ticks) - 3) / 10)
    assert [frame.time_s for frame in video.frames(4)] == pytest.approx([0.8, 0.9, 2.0])


@pytest.mark.parametrize(
    ("stamps", "times"),
    [
        ([5.0, 5.1, 5.2], [0, 0.1, 0.2]),
        ([5.0, None, 5.2], [0, 0.1, 0.2]),
        ([None, None], [None, None]),
        ([None, 5.0, 5.1], [None, 0.1, 0.2]),
        ([5.0, 5.0, 5.1], [0, 0.05, 0.1]),  # a coarse clock
        ([50.0, 50.1, 2.0, 2.1], [0, 0.1, 0.2, 0.3]),  # a clock that was set again
        ([5.0, float("nan"), 5.2], [0, 0.1, 0.2]),
    ],
)
def test_times_rise_whatever_the_stamps(stamps: list[float | None], times: list[float | None], tmp_path: Path) -> None:
    clock = Clock(tmp_path / "a.mkv", 10)
    assert [clock(stamp) for stamp in stamps] == [time if time is None else pytest.approx(time) for time in times]


def test_a_film_that_fades_in_from_black_has_its_palette(tmp_path: Path) -> None:
    levels = np.tile(np.linspace(0, 255, SIZE[1]).astype(np.uint8), (N, SIZE[0], 1))
    coloured = named_palette("iron").colours[levels].round().astype(np.uint8)
    coloured[:2] = 0
    video = open_video(encode(tmp_path / "a.mkv", coloured, "ffv1", "bgr0"))
    assert video.palette == "iron"
    assert np.abs(values(video, 2) - levels[2:]).mean() < 6


def test_colours_of_sixteen_bits_keep_them(tmp_path: Path) -> None:
    deep = np.repeat(frames()[:, :, :, None], 3, axis=3)
    with av.open(str(tmp_path / "a.mkv"), "w") as out:
        stream: Any = out.add_stream("ffv1", rate=10)
        (stream.height, stream.width), stream.pix_fmt = SIZE, "gbrp16le"
        for one in deep:
            out.mux(stream.encode(av.VideoFrame.from_ndarray(one, format="rgb48le")))
        out.mux(stream.encode(None))
    np.testing.assert_allclose(values(open_video(tmp_path / "a.mkv", unit="counts")), frames(), atol=0.01)


def test_eight_bits_in_a_unit_of_sixteen_are_refused(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.mkv", frames("uint8"), "ffv1", "gray")
    with pytest.raises(DataError, match=r"a\.mkv.*centi_kelvin"):
        open_video(path, unit="centi_kelvin")


def test_a_camera_that_has_no_sixteen_bits_is_opened_as_it_is(tmp_path: Path, monkeypatch: Any) -> None:
    film, opened, asked = encode(tmp_path / "a.mkv", frames("uint8"), "ffv1", "gray"), av.open, []

    def device(address: str, *, format: str | None, options: dict[str, str], timeout: float) -> Any:
        asked.append((address, format, options))
        if options:
            raise av.error.InvalidDataError(1, "no such pixel format")
        return opened(str(film))

    monkeypatch.setattr(av, "open", device)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr(Path, "exists", lambda path: True)
    camera = Coded.camera(3)
    monkeypatch.undo()
    assert asked == [("/dev/video3", "v4l2", {"pixel_format": "gray16le"}), ("/dev/video3", "v4l2", {})]
    assert len(list(camera.read(0))) == N


def test_a_password_in_an_address_is_not_shown() -> None:
    with pytest.raises(DataError, match=r"camera\.invalid") as refused:
        open_video("rtsp://someone:secret@camera.invalid/stream")
    assert "secret" not in str(refused.value)


def test_an_optris_film_gives_its_sixteen_bits(tmp_path: Path) -> None:
    """Written after the descriptions that `coded` names: 16 bits in an AVI as YUV 4:2:2, a row of other data first."""
    counts = np.random.default_rng(0).integers(-200, 9000, (4, 25, 32), dtype=np.int16)
    with av.open(str(tmp_path / "a.ravi"), "w", format="avi") as container:
        stream = container.add_stream("rawvideo", rate=27)
        stream.width, stream.height, stream.pix_fmt = 32, 25, "yuyv422"
        for each in counts:
            frame = av.VideoFrame(32, 25, "yuyv422")
            plane = frame.planes[0]
            rows = np.zeros((25, plane.line_size // 2), np.int16)
            rows[:, :32] = each
            plane.update(rows.tobytes())
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    video = open_video(tmp_path / "a.ravi")
    assert (video.size, video.unit, video.fps) == ((24, 32), "gray", 27.0)
    np.testing.assert_array_equal(values(video), counts[:, 1:])
