"""Sequences as files: what is read back is what was rendered, by one process or several, all of it or nothing."""

import csv
import json
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from thermal_faces import SyntheticSequence
from thermal_faces.video import files as module
from thermal_faces.video.files import write_sequence
from thermal_landmarks.data.formats.images import list_images, read_image
from thermal_landmarks.errors import DataError

SETTINGS: dict[str, Any] = {"seed": 2, "seconds": 0.7, "size": (60, 80)}


def rows(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


def test_files_hold_frames_points_and_signals(tmp_path: Path) -> None:
    sequence, seen = SyntheticSequence(**SETTINGS), []
    assert write_sequence(sequence, tmp_path, advance=lambda: seen.append(1))
    assert len(seen) == len(sequence) == 21
    names = {"frames.tif", "points.csv", "signals.csv", "sequence.json", "preview.gif"}
    assert {path.name for path in tmp_path.iterdir()} == names
    description = json.loads((tmp_path / "sequence.json").read_text())
    assert (description["frames"], description["unit"]) == (21, "centi_kelvin")
    assert description["events"] == json.loads(json.dumps(sequence.events()))
    assert description["settings"]["faces"]["pose"]["face_height"] == [0.45, 0.65]
    points, signals = rows(tmp_path / "points.csv"), rows(tmp_path / "signals.csv")
    with tifffile.TiffFile(tmp_path / "frames.tif") as file:
        assert len(file.pages) == len(points) == len(signals) == 21
        assert file.shaped_metadata is not None
        assert file.shaped_metadata[0]["unit"] == "centi_kelvin"
        for index in (0, 13):
            frame = sequence[index]
            page = file.pages[index].asarray()
            assert page.dtype == np.uint16
            np.testing.assert_allclose(page / 100 - 273.15, frame.temperature_c, atol=0.0051)
            read = [[float(points[index][f"{axis}{i}"]) for axis in "xy"] for i in range(16)]
            np.testing.assert_allclose(read, frame.points_px, atol=1e-4)
            assert [points[index][f"visible{i}"] for i in range(16)] == [str(int(v)) for v in frame.visible]
            for name, value in frame.signals.items():
                assert float(signals[index][name]) == pytest.approx(value, rel=1e-5, abs=1e-9)
            assert float(signals[index]["time_s"]) == pytest.approx(index / 30, abs=1e-6)
    with Image.open(tmp_path / "preview.gif") as preview:
        assert getattr(preview, "n_frames", 1) == 7
    # its tables are no pictures, and its video is none either
    assert list_images(tmp_path) == [tmp_path / "frames.tif"]
    with pytest.raises(DataError, match=r"frames\.tif: holds 21 pages, expected one image\. A video's frames"):
        read_image(tmp_path / "frames.tif")


def test_processes_write_the_same_bytes_as_one(tmp_path: Path) -> None:
    write_sequence(SyntheticSequence(**SETTINGS), tmp_path / "one")
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        write_sequence(SyntheticSequence(**SETTINGS), tmp_path / "two", pool=pool, ahead=1)
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


def test_a_finished_sequence_is_kept_and_another_one_replaces_it(tmp_path: Path) -> None:
    assert write_sequence(SyntheticSequence(**SETTINGS), tmp_path)
    before = (tmp_path / "frames.tif").stat().st_mtime_ns
    assert not write_sequence(SyntheticSequence(**SETTINGS), tmp_path)
    assert (tmp_path / "frames.tif").stat().st_mtime_ns == before
    assert write_sequence(SyntheticSequence(**{**SETTINGS, "seed": 3}), tmp_path, preview_s=0)
    assert (tmp_path / "frames.tif").stat().st_mtime_ns != before


def test_an_interruption_leaves_no_file_that_looks_complete(tmp_path: Path) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_sequence(SyntheticSequence(**SETTINGS), tmp_path, advance=interrupt)
    assert list(tmp_path.iterdir()) == []
    assert write_sequence(SyntheticSequence(**SETTINGS), tmp_path)


def test_frames_are_written_while_later_ones_are_not_yet_rendered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = []
    render = module._render

    def watched(sequence: SyntheticSequence, start: int, stop: int) -> list[module._Stored]:
        sizes.append((tmp_path / "frames.tif.partial").stat().st_size)
        return render(sequence, start, stop)

    monkeypatch.setattr(module, "_render", watched)
    write_sequence(SyntheticSequence(**{**SETTINGS, "seconds": 2}), tmp_path)
    assert len(sizes) == 8
    assert sizes[-1] > 0.7 * (tmp_path / "frames.tif").stat().st_size


def test_very_long_sequences_become_big_tiff(tmp_path: Path) -> None:
    path = tmp_path / "frames.tif"
    page = np.zeros((480, 640), np.uint16)

    class EnoughError(Exception):
        pass

    def pages():
        yield page
        raise EnoughError

    for frames, version in ((6000, 42), (8000, 43)):
        with pytest.raises(EnoughError):
            module._write_pages(path, pages(), (frames, 480, 640))
        assert int.from_bytes(path.read_bytes()[2:4], "little") == version
