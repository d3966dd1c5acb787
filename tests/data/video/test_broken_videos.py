"""Thirty kinds of broken videos: each ends in a line that names the file, and what came before is kept."""

import contextlib
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import h5py
import numpy as np
import pytest
import tifffile
from data.video.test_open_video import SIZE, N, encode, frames

from thermal_landmarks.data.video import VideoFrame, open_video
from thermal_landmarks.errors import DataError

SEQ = "flir-seq/SampleSEQ.seq"


def _film(path: Path, **options: str) -> Path:
    noise = np.random.default_rng(1).integers(0, 255, (42, 96, 128)).astype(np.uint8)
    return encode(path, noise, "mpeg4", "yuv420p", **options)


def _bytes(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def _array(path: Path, array: np.ndarray) -> Path:
    np.save(path, array)
    return path


def _cut(path: Path, share: float) -> Path:
    return _bytes(path, path.read_bytes()[: int(share * path.stat().st_size)])


def _holed(path: Path) -> Path:
    content = bytearray(path.read_bytes())
    third = len(content) // 3
    content[third : 2 * third] = np.random.default_rng(0).bytes(third)
    return _bytes(path, bytes(content))


def _tiff(path: Path, *stacks: np.ndarray) -> Path:
    with tifffile.TiffWriter(path) as out:
        for stack in stacks:
            for page in stack:
                out.write(page, photometric="minisblack", compression="zlib", metadata=None)
    return path


def _h5(path: Path, **arrays: np.ndarray) -> Path:
    with h5py.File(path, "w") as file:
        for name, array in arrays.items():
            file[name] = array
    return path


def _npz(path: Path, **arrays: np.ndarray) -> Path:
    np.savez(path, **arrays)  # type: ignore[arg-type]
    return path


def _archive(path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "no array")
    return path


def _folder(path: Path, sizes: list[tuple[int, int]]) -> Path:
    path.mkdir()
    for i, size in enumerate(sizes):
        np.save(path / f"{i}.npy", np.random.default_rng(i).uniform(20, 36, size).astype(np.float32))
    return path


def _empty_folder(path: Path) -> Path:
    path.mkdir()
    return path


def _nan(path: Path) -> Path:
    return _array(path, np.full((N, *SIZE), np.nan, np.float32))


NOTHING: dict[str, Callable[[Path], Path]] = {
    "missing": lambda f: f / "none.mp4",
    "empty file": lambda f: _bytes(f / "a.mp4", b""),
    "one byte": lambda f: _bytes(f / "a.mp4", b"x"),
    "text": lambda f: _bytes(f / "a.mp4", b"this is no film\n" * 100),
    "noise": lambda f: _bytes(f / "a.avi", np.random.default_rng(0).bytes(20_000)),
    "mp4 without index": lambda f: _cut(_film(f / "a.mp4"), 0.7),
    "avi header alone": lambda f: _cut(_film(f / "a.avi"), 0.02),
    "mkv header alone": lambda f: _cut(_film(f / "a.mkv"), 0.02),
    "tiff header alone": lambda f: _bytes(f / "a.tif", b"II*\0\x08\0\0\0"),
    "tiff that points beyond its end": lambda f: _bytes(f / "a.tif", b"II*\0\xff\xff\0\0" + bytes(100)),
    "flir header alone": lambda f: _bytes(f / "a.seq", b"FFF\0" + bytes(60)),
    "flir of nothing": lambda f: _bytes(f / "a.csq", b"FFF\0"),
    "numpy header alone": lambda f: _cut(_array(f / "a.npy", frames()), 0.01),
    "numpy cut off": lambda f: _cut(_array(f / "a.npy", frames()), 0.5),
    "numpy of objects": lambda f: _array(f / "a.npy", np.array([{}, {}], dtype=object)),
    "numpy of letters": lambda f: _array(f / "a.npy", np.full((2, 3, 4), "a")),
    "no frame in the array": lambda f: _array(f / "a.npy", np.zeros((0, *SIZE), np.uint8)),
    "five axes": lambda f: _array(f / "a.npy", np.zeros((1, 1, 1, 4, 4))),
    "a table": lambda f: _array(f / "a.npy", np.zeros((4, 4))),
    "nothing but NaN": lambda f: _nan(f / "a.npy"),
    "archive without arrays": lambda f: _archive(f / "a.npz"),
    "two stacks": lambda f: _npz(f / "a.npz", a=frames(), b=frames()),
    "archive cut off": lambda f: _cut(_npz(f / "a.npz", a=frames()), 0.6),
    "hdf5 without a stack": lambda f: _h5(f / "a.h5", table=np.zeros((4, 4))),
    "hdf5 cut off": lambda f: _cut(_h5(f / "a.h5", a=frames()), 0.5),
    "time stamps that go back": lambda f: _h5(f / "a.h5", a=frames(), time_s=np.arange(N)[::-1].copy()),
    "empty folder": lambda f: _empty_folder(f / "frames"),
}


@pytest.mark.parametrize("kind", NOTHING)
def test_a_file_without_a_frame_is_refused_by_name(kind: str, tmp_path: Path) -> None:
    path = NOTHING[kind](tmp_path)
    with pytest.raises(DataError) as refused:
        list(open_video(path, fps=10, unit="counts"))
    message = str(refused.value)
    assert path.name in message
    assert len(message) < 700
    assert "\n" not in message


SOME: dict[str, Callable[[Path], Path]] = {
    "size changes in a tiff": lambda f: _tiff(f / "a.tif", frames()[:4], frames()[4:, :20, :20]),
    "size changes in a folder": lambda f: _folder(f / "frames", [SIZE] * 4 + [(20, 20)] * 2),
    "avi cut off": lambda f: _cut(_film(f / "a.avi"), 0.6),
    "mkv cut off": lambda f: _cut(_film(f / "a.mkv"), 0.6),
}


@pytest.mark.parametrize("kind", SOME)
def test_what_came_before_the_damage_is_given_and_then_the_damage_named(kind: str, tmp_path: Path) -> None:
    path = SOME[kind](tmp_path)
    given: list[int] = []
    with pytest.raises(DataError, match=path.name):
        given.extend(frame.index for frame in open_video(path, fps=10, unit="counts" if path.is_file() else None))
    assert len(given) >= 4
    assert given == list(range(len(given)))


def test_a_flir_film_that_was_cut_off_keeps_its_whole_frames(shared_data: Path, tmp_path: Path) -> None:
    path = _bytes(tmp_path / "cut.seq", (shared_data / SEQ).read_bytes()[:900_000])
    given: list[VideoFrame] = []
    with pytest.raises(DataError, match="ends within frame 1"):
        given.extend(open_video(path))
    assert len(given) == 1


def test_a_flir_picture_that_is_cut_off_is_known_before_it_is_decoded(shared_data: Path, tmp_path: Path) -> None:
    content = (shared_data / "flir-seq" / "SampleCSQ.csq").read_bytes()[:396_000]  # CharLS would take seconds for it
    began = time.process_time()
    given: list[int] = []
    with pytest.raises(DataError, match="ends within frame 1"):
        given.extend(frame.index for frame in open_video(_bytes(tmp_path / "cut.csq", content)))
    assert given == [0]
    assert time.process_time() - began < 1.5


def test_a_hole_in_a_film_shows_in_its_time_stamps(tmp_path: Path) -> None:
    times = [frame.time_s for frame in open_video(_holed(_film(tmp_path / "a.mkv")))]
    assert len(times) < 42
    assert times[-1] == pytest.approx(4.1, abs=0.05)
    assert np.diff(times).max() > 0.5


def test_one_frame_is_a_video(tmp_path: Path) -> None:
    assert len(list(open_video(_array(tmp_path / "a.npy", frames()[:1]), fps=10, unit="counts"))) == 1


def test_damaged_frames_are_left_out_and_those_after_them_keep_their_numbers(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = _folder(tmp_path / "frames", [SIZE] * 4)
    np.save(folder / "1.npy", np.full(SIZE, np.nan, np.float32))
    _bytes(folder / "2.npy", b"broken")
    video = list(open_video(folder, fps=10))
    assert [(frame.index, frame.time_s) for frame in video] == [(0, 0), (3, pytest.approx(0.3))]
    assert "frame 1 (1.npy) can't be decoded" in caplog.text


def test_an_end_that_is_damaged_is_named_after_the_frames_before_it(tmp_path: Path) -> None:
    folder = _folder(tmp_path / "frames", [SIZE] * 4)
    _bytes(folder / "3.npy", b"broken")
    given: list[VideoFrame] = []
    with pytest.raises(DataError, match=r"frame 3 \(3.npy\)"):
        given.extend(open_video(folder, fps=10))
    assert len(given) == 3


def test_damage_behind_the_wanted_frames_is_not_met(tmp_path: Path) -> None:
    folder = _folder(tmp_path / "frames", [SIZE] * 3 + [(20, 20)])
    assert [frame.index for frame in open_video(folder, fps=10).frames(1, 3)] == [1, 2]


def _recut(path: Path, *, left_out: int = 0, earlier: int = 0) -> Path:
    """A film without its first packets, or one that an edit list begins some frames later, as telephones trim it."""
    whole, cut = _film(path, g="10", bf="0"), path.with_name("cut.mp4")
    with av.open(str(whole)) as source, av.open(str(cut), "w") as out:
        stream = out.add_stream_from_template(source.streams.video[0])
        for number, packet in enumerate(source.demux(source.streams.video[0])):
            if packet.dts is not None and packet.pts is not None and number >= left_out:
                shift = round(earlier / 10 / packet.time_base)
                packet.pts, packet.dts, packet.stream = packet.pts - shift, packet.dts - shift, stream
                out.mux(packet)
    return cut


def test_frames_before_the_first_key_frame_are_no_damage(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    film = _recut(tmp_path / "a.mp4", left_out=3)
    times = [frame.time_s for frame in open_video(film)]
    assert len(times) in (32, 39)  # some decoders begin with them, though they look odd
    assert times[0] == 0
    assert ("its first 7 frames" in caplog.text) == (len(times) == 32)


def test_a_trimmed_film_is_whole(tmp_path: Path) -> None:
    times = [frame.time_s for frame in open_video(_recut(tmp_path / "a.mp4", earlier=13))]
    np.testing.assert_allclose(times, np.arange(42 - 13) / 10, atol=1e-3)


def test_a_frame_of_another_size_is_named_with_its_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"frame 2 \(2.npy\) has 20 x 20 pixels"):
        list(open_video(_folder(tmp_path / "frames", [SIZE, SIZE, (20, 20)]), fps=10))


def test_a_damaged_page_does_not_end_a_tiff(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = _tiff(tmp_path / "a.tif", frames())
    with tifffile.TiffFile(path) as tiff:
        page: Any = tiff.pages[2]
        place = page.aspage().dataoffsets[0] if not hasattr(page, "tags") else page.dataoffsets[0]
    content = bytearray(path.read_bytes())
    content[place : place + 20] = bytes(20)
    _bytes(path, bytes(content))
    assert [frame.index for frame in open_video(path, fps=10, unit="counts")] == [0, 1, 3, 4, 5, 6]
    assert "frame 2 can't be decoded" in caplog.text


def test_an_avi_with_a_hole_goes_on_after_it_and_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    given: list[int] = []
    with contextlib.suppress(DataError):  # a hole can reach to the end
        given.extend(frame.index for frame in open_video(_holed(_film(tmp_path / "a.avi"))))
    assert 4 <= len(given) < 42
    assert given == sorted(set(given))
    assert "can't be decoded" in caplog.text
