"""What is written into each container comes out again: values, order, times; from any frame on."""

import struct
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import h5py
import numpy as np
import pytest
import tifffile
from PIL import Image

from thermal_landmarks.data.formats.palettes import named_palette
from thermal_landmarks.data.video import open_video
from thermal_landmarks.data.video.folder import natural
from thermal_landmarks.data.video.video import Video
from thermal_landmarks.errors import DataError

SIZE = (48, 64)
N = 7


def frames(dtype: str = "uint16") -> np.ndarray:
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    stack = np.stack([100 + 2 * x + y + 5 * i for i in range(N)])
    return (stack * (100 if dtype == "uint16" else 0.5)).astype(dtype)


def encode(path: Path, stack: np.ndarray, codec: str, pixels: str, *, rate: int = 10, **options: str) -> Path:
    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream(codec, rate=rate, options=options)  # the type doesn't know that it is a film
        stream.height, stream.width, stream.pix_fmt = stack.shape[1], stack.shape[2], pixels
        given = {"uint16": "gray16le", "uint8": "rgb24" if stack.ndim == 4 else "gray"}[str(stack.dtype)]
        for i, values in enumerate(stack):
            frame = av.VideoFrame.from_ndarray(values, format=given)
            frame.pts, frame.time_base = i, Fraction(1, rate)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def values(video: Video, start: int = 0) -> np.ndarray:
    return np.stack([frame.image.values for frame in video.frames(start)])


def write(kind: str, folder: Path) -> Path:
    stack, path = frames(), folder / f"video.{kind}"
    if kind == "tif":
        tifffile.imwrite(path, stack, photometric="minisblack", compression="zlib")
    elif kind == "big.tif":
        tifffile.imwrite(path, stack, photometric="minisblack", bigtiff=True)
    elif kind == "imagej.tif":
        tifffile.imwrite(path, stack, imagej=True, metadata={"axes": "TYX", "finterval": 0.1})
    elif kind == "npy":
        np.save(path, stack)
    elif kind == "npz":
        np.savez_compressed(path, frames=stack, time_s=np.arange(N) / 10 + 3)
    elif kind == "h5":
        with h5py.File(path, "w") as file:
            file.create_dataset("movie/frames", data=stack, chunks=(1, *SIZE), compression="gzip")
            file["movie/frames"].attrs["fps"] = 10.0
    elif kind == "mkv":
        encode(path, stack, "ffv1", "gray16le")
    elif kind == "folder":
        path.mkdir()
        for i, one in enumerate(stack):
            Image.fromarray(one).save(path / f"frame{i + 5}.png")  # frame5 ... frame11
    return path


@pytest.mark.parametrize("kind", ["tif", "big.tif", "imagej.tif", "npy", "npz", "h5", "mkv", "folder"])
def test_sixteen_bit_values_come_out_as_they_went_in(kind: str, tmp_path: Path) -> None:
    video = open_video(write(kind, tmp_path), unit="counts", fps=None if kind in ("npz", "mkv", "h5") else 10)
    assert (video.size, video.unit) == (SIZE, "gray")
    assert video.n_frames == N  # Matroska doesn't count its frames, but has a duration
    np.testing.assert_array_equal(values(video), frames())
    np.testing.assert_array_equal(values(video, 4), frames()[4:])  # and again, from the middle
    read = list(video.frames(2))
    assert [frame.index for frame in read] == list(range(2, N))
    np.testing.assert_allclose([frame.time_s for frame in read], np.arange(2, N) / 10, atol=1e-3)


def test_the_unit_of_the_first_frame_holds_for_all(tmp_path: Path) -> None:
    room = np.linspace(29500, 30900, SIZE[0] * SIZE[1]).reshape(SIZE).astype(np.uint16)  # centi-kelvin, 22 to 36 C
    hot = room.copy()
    hot[:20] = 60000
    np.save(tmp_path / "cup.npy", np.stack([room, hot]))
    video = open_video(tmp_path / "cup.npy", fps=9)
    assert video.unit == "celsius"
    first, second = values(video)
    assert first.max() == pytest.approx(35.85, abs=0.01)
    assert second[-1, -1] == pytest.approx(35.85, abs=0.01)


def test_a_rendered_sequence_has_the_rate_and_unit_that_lie_beside_it(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "frames.tif", np.full((3, *SIZE), 30000, np.uint16), photometric="minisblack")
    (tmp_path / "sequence.json").write_text('{"unit": "centi_kelvin", "settings": {"rate_hz": 15.0}}')
    video = open_video(tmp_path / "frames.tif")
    assert (video.unit, video.fps) == ("celsius", 15.0)
    assert [frame.time_s for frame in video] == pytest.approx([0, 1 / 15, 2 / 15])
    assert values(video).mean() == pytest.approx(26.85, abs=1e-3)


@pytest.mark.parametrize(("suffix", "codec"), [("mp4", "libx264"), ("avi", "mjpeg"), ("mkv", "mpeg4")])
def test_eight_bit_films_come_out_nearly_as_they_went_in(suffix: str, codec: str, tmp_path: Path) -> None:
    pixels = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    video = open_video(encode(tmp_path / f"film.{suffix}", frames("uint8"), codec, pixels))
    found = values(video)
    assert found.shape == (N, *SIZE)
    assert np.abs(found - frames("uint8")).mean() < 3
    assert [frame.time_s for frame in video] == pytest.approx(np.arange(N) / 10, abs=0.02)


def test_an_animated_gif_is_a_film(tmp_path: Path) -> None:
    first, *others = (
        Image.fromarray(np.roll(np.arange(48 * 64, dtype=np.uint8).reshape(48, 64), shift, axis=1))
        for shift in (0, 5, 10)
    )
    first.save(tmp_path / "a.gif", save_all=True, append_images=others, duration=200)
    film = open_video(tmp_path / "a.gif")
    assert [frame.time_s for frame in film] == pytest.approx([0, 0.2, 0.4])


def test_a_palette_is_recognised_once_and_turned_back_in_every_frame(tmp_path: Path) -> None:
    levels = np.tile(np.linspace(0, 255, SIZE[1]).astype(np.uint8), (N, SIZE[0], 1))
    coloured = named_palette("iron").colours[levels].round().astype(np.uint8)
    video = open_video(encode(tmp_path / "phone.mp4", coloured, "libx264", "yuv444p", crf="10"))
    assert video.palette == "iron"
    assert np.abs(values(video) - levels).mean() < 8
    assert open_video(tmp_path / "phone.mp4", palette="none").palette is None


def test_a_film_that_begins_in_black_shows_its_palette_later(tmp_path: Path) -> None:
    levels = np.tile(np.linspace(0, 255, SIZE[1]).astype(np.uint8), (N, SIZE[0], 1))
    coloured = named_palette("iron").colours[levels].round().astype(np.uint8)
    coloured[:3] = 0
    video = open_video(encode(tmp_path / "fade.mkv", coloured, "ffv1", "bgr0"))
    assert video.palette == "iron"
    assert [round(float(one.std())) for one in values(video)][:2] == [0, 0]
    assert np.abs(values(video)[3:] - levels[3:]).mean() < 8


def test_a_camera_that_is_not_there_is_named() -> None:
    with pytest.raises(DataError, match="rtsp://127"):
        open_video("rtsp://127.0.0.1:1/film")


def test_flir_films_give_degrees_and_the_cameras_time(shared_data: Path) -> None:
    seq = open_video(shared_data / "flir-seq" / "SampleSEQ.seq")
    assert (seq.n_frames, seq.unit, seq.fps) == (2, "celsius", 30)
    assert [frame.time_s for frame in seq] == pytest.approx([0, 3.967], abs=1e-3)
    assert 15 < values(seq).min() < values(seq).max() < 45
    csq = open_video(shared_data / "flir-seq" / "SampleCSQ.csq")
    times = [frame.time_s for frame in csq]
    assert len(times) == csq.n_frames == 8
    np.testing.assert_allclose(np.diff(times), 1 / 30, atol=2e-3)
    assert 0 < np.median(values(csq, 6)[-1]) < 60


def test_numbers_in_names_count_as_numbers() -> None:
    assert sorted(["b2", "b10", "b1", "a"], key=natural) == ["a", "b1", "b2", "b10"]


def test_an_animated_png_is_a_film_and_an_animated_webp_is_refused(tmp_path: Path) -> None:
    first, *others = (Image.fromarray(np.full((24, 32), level, np.uint8)) for level in (40, 90, 140))
    for name, kind in (("a.png", "PNG"), ("a.webp", "WEBP")):
        first.save(tmp_path / name, format=kind, save_all=True, append_images=others, duration=200)
    frames = list(open_video(tmp_path / "a.png"))
    assert [frame.image.values.mean() for frame in frames] == pytest.approx([40, 90, 140], abs=1)
    with pytest.raises(DataError, match="is an animated WebP"):
        open_video(tmp_path / "a.webp")


def test_a_film_that_was_held_upright_is_turned(tmp_path: Path) -> None:
    film = bytearray(encode(tmp_path / "a.mp4", frames("uint8"), "mpeg4", "yuv420p").read_bytes())
    matrix = film.find(b"tkhd") + 44
    film[matrix : matrix + 36] = struct.pack(">9i", 0, 65536, 0, -65536, 0, 0, SIZE[0] << 16, 0, 1 << 30)
    (tmp_path / "turned.mp4").write_bytes(film)
    found = values(open_video(tmp_path / "turned.mp4"))
    assert np.abs(found - np.rot90(frames("uint8"), -1, axes=(1, 2))).mean() < 3


def test_a_film_that_begins_before_zero_keeps_its_times(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "a.mkv"), "w") as out:
        stream: Any = out.add_stream("ffv1", rate=10)
        stream.height, stream.width, stream.pix_fmt = *SIZE, "gray"
        for i, levels in enumerate(frames("uint8")):
            frame = av.VideoFrame.from_ndarray(levels, format="gray")
            frame.pts, frame.time_base = 100 * i - 500, Fraction(1, 1000)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    assert np.diff([frame.time_s for frame in open_video(tmp_path / "a.mkv")]) == pytest.approx(
        [0.1] * (N - 1), abs=0.002
    )
