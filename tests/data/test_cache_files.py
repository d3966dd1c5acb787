import errno
import json
import multiprocessing
import os
import pickle
import shutil
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock

from thermal_landmarks.data import cache, cache_files
from thermal_landmarks.data.cache import load_or_build
from thermal_landmarks.data.preprocessing import Preprocessing
from thermal_landmarks.data.rows_on_disk import RowsOnDisk
from thermal_landmarks.errors import DataError, OutputError

SMALL = Preprocessing((24, 32))


def the_cache(folder: Path) -> Path:
    (found,) = folder.glob("[!.]*")
    return found


def flip(path: Path, position: int) -> None:
    content = bytearray(path.read_bytes())
    content[position] ^= 0x40
    path.write_bytes(content)


@pytest.mark.parametrize("name", ["images.npy", "table.npz", "samples.json", "checksums.json"])
@pytest.mark.parametrize("damage", ["empty", "truncated", "flipped", "deleted"])
def test_a_damaged_cache_is_told_and_made_again(blob_faces, tmp_path, caplog, name, damage):
    blob_faces.subjects = blob_faces.images_per_subject = 1
    first = load_or_build(blob_faces, SMALL, tmp_path)
    expected = np.array(first.images)
    path = the_cache(tmp_path) / name
    if damage == "deleted":
        path.unlink()
    elif damage == "flipped":
        flip(path, path.stat().st_size * 3 // 4)
    else:
        os.truncate(path, 0 if damage == "empty" else path.stat().st_size // 2)
    again = load_or_build(blob_faces, SMALL, tmp_path)
    np.testing.assert_array_equal(again.images, expected)
    assert again.names == first.names
    assert "is damaged" in caplog.text
    caplog.clear()
    load_or_build(blob_faces, SMALL, tmp_path)
    assert caplog.text == ""


def test_every_byte_is_compared_and_no_page_can_take_the_place_of_another(tmp_path, monkeypatch):
    monkeypatch.setattr(cache_files, "_BLOCK", 2 * 4096)
    content = np.random.default_rng(0).integers(0, 256, 5 * 4096 + 100, dtype=np.uint8).tobytes()
    with cache_files.filling(tmp_path / "c") as partial:
        (partial / "file").write_bytes(content)
    path = tmp_path / "c/file"
    assert cache_files.is_usable(tmp_path / "c")
    for position in (0, 4095, 4096, 8192, len(content) - 1):
        flip(path, position)
        assert not cache_files.is_usable(tmp_path / "c")
        flip(path, position)
    for other in (content[4096:8192] + content[:4096] + content[8192:], bytes(4096) + content[4096:], content + b"\0"):
        path.write_bytes(other)
        assert not cache_files.is_usable(tmp_path / "c")
    path.write_bytes(content)
    assert cache_files.is_usable(tmp_path / "c")
    assert len(json.loads((tmp_path / "c/checksums.json").read_text(encoding="utf-8"))["file"]) == 1 + 3


def test_samples_stay_readable_when_images_and_cache_are_deleted_meanwhile(blob_faces, tmp_path):
    samples = load_or_build(blob_faces, SMALL, tmp_path)
    before = [samples.values(row) for row in range(len(samples))]
    shutil.rmtree(tmp_path)
    for row, values in enumerate(before):
        np.testing.assert_array_equal(samples.values(row), values)


@pytest.mark.skipif(sys.platform == "win32", reason="fork")
def test_a_cache_that_another_program_shortens_meanwhile_is_an_error_with_a_name(blob_faces, tmp_path):
    """In a process of its own: memory-mapped, it would be ended by SIGBUS."""
    samples = load_or_build(blob_faces, SMALL, tmp_path)
    path = the_cache(tmp_path) / "images.npy"
    expected = samples.values(0)

    def read() -> None:
        os.truncate(path, path.stat().st_size // 2)
        np.testing.assert_array_equal(samples.values(0), expected)
        with pytest.raises(DataError, match=r"images\.npy: ends within row \d+: another program"):
            samples.images[np.arange(len(samples))]

    process = multiprocessing.get_context("fork").Process(target=read)
    process.start()
    process.join()
    assert process.exitcode == 0
    load_or_build(blob_faces, SMALL, tmp_path)
    np.testing.assert_array_equal(samples.values(0), expected)


def test_rows_on_disk_are_those_of_the_array(tmp_path):
    array = np.random.default_rng(0).integers(0, 9, (7, 3, 4)).astype(np.uint16)
    np.save(tmp_path / "a.npy", array)
    rows = RowsOnDisk(tmp_path / "a.npy")
    for index in (0, -1, [5, 2, 2], np.array([6, 0]), slice(1, 4), np.arange(7) > 4):
        np.testing.assert_array_equal(rows[index], array[index])
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(rows)), array)
    np.testing.assert_array_equal(RowsOnDisk(tmp_path / "a.npy", [5, 1]), array[[5, 1]])
    with pytest.raises(IndexError):
        rows[7]


def test_the_space_is_reserved_before_the_file_is_filled(tmp_path):
    cache_files.reserve(tmp_path / "images.npy", (50, 64, 64))
    assert (tmp_path / "images.npy").stat().st_blocks * 512 >= 50 * 64 * 64 * 2
    assert np.load(tmp_path / "images.npy").shape == (50, 64, 64)


def test_too_little_space_is_one_line_that_says_how_much_is_missing(blob_faces, tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)._replace(free=4000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    message = rf"data.cache_dir={tmp_path}: the decoded images need 0 MB, .* are missing. Free space"
    with pytest.raises(OutputError, match=message):
        load_or_build(blob_faces, SMALL, tmp_path)
    assert list(tmp_path.glob("[!.]*")) == []


def test_a_disk_that_turns_out_full_is_the_same_line(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(OutputError, match="are missing"):
        cache_files.reserve(tmp_path / "images.npy", (5, 4, 4))


def test_a_folder_that_takes_no_files_is_one_line_and_a_ready_cache_in_it_serves(blob_faces, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(OutputError, match=r"data.cache_dir=.*file: can't be written \(Not a directory|File exists"):
        load_or_build(blob_faces, SMALL, tmp_path / "file")
    load_or_build(blob_faces, SMALL, tmp_path / "c")

    def refuse(*_, **__):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(Path, "mkdir", refuse)
    monkeypatch.setattr(FileLock, "_acquire", refuse)
    assert len(load_or_build(blob_faces, SMALL, tmp_path / "c")) == 12
    with pytest.raises(OutputError, match=r"can't be written \(Read-only file system"):
        load_or_build(blob_faces, Preprocessing((12, 16)), tmp_path / "c")


def test_what_killed_processes_left_is_removed_and_what_living_ones_fill_is_kept(blob_faces, tmp_path):
    for name in ("own", "dead", "living"):
        (tmp_path / f"{name}.partial-1").mkdir()
    with FileLock(tmp_path / ".living.lock"), cache_files.only_one(tmp_path / "own"):
        assert {path.name for path in tmp_path.glob("*.partial-*")} == {"living.partial-1"}


def test_the_second_of_two_processes_waits_and_uses_what_the_first_has_filled(
    blob_faces, tmp_path, monkeypatch, caplog
):
    monkeypatch.setattr(cache_files, "_PATIENCE_S", 0.01)
    started, filled, fill = threading.Event(), [], cache._fill

    def slow(*arguments):
        started.set()
        filled.append(None)
        threading.Event().wait(0.3)
        fill(*arguments)

    monkeypatch.setattr(cache, "_fill", slow)
    results = []
    first = threading.Thread(target=lambda: results.append(load_or_build(blob_faces, SMALL, tmp_path, workers=1)))
    first.start()
    started.wait()
    results.append(load_or_build(blob_faces, SMALL, tmp_path, workers=1))
    first.join()
    assert len(filled) == 1
    np.testing.assert_array_equal(results[0].images, results[1].images)
    assert "Another process fills the cache" in caplog.text


def test_data_that_change_while_they_are_read_are_refused(blob_faces, tmp_path, monkeypatch):
    prints = iter(["before", "after"])
    monkeypatch.setattr(type(blob_faces), "fingerprint", lambda _: next(prints))
    with pytest.raises(DataError, match="its files have changed while they were read"):
        load_or_build(blob_faces, SMALL, tmp_path)
    assert list(tmp_path.glob("[!.]*")) == []
