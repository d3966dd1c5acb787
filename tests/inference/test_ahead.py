import os
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from thermal_landmarks.data.annotation import ThermalImage
from thermal_landmarks.errors import ConfigError, DataError
from thermal_landmarks.inference.ahead import READERS, read_ahead


def pictures(folder: Path, count: int, side: int) -> list[Path]:
    files = [folder / f"{i:02d}.png" for i in range(count)]
    for file in files:
        Image.new("L", (side, side)).save(file)
    return files


def test_images_come_in_order_and_batches_are_filled(tmp_path: Path) -> None:
    files = pictures(tmp_path, 7, 8)

    def read(path: Path) -> ThermalImage:
        time.sleep(0.01 if path.stem in ("00", "03") else 0)
        return ThermalImage(np.full((8, 8), float(path.stem)), "gray")

    batches = list(read_ahead(files, read, batch_size=3))
    assert [len(batch) for batch in batches] == [3, 3, 1]
    images = [image for batch in batches for _, image in batch]
    assert [path for batch in batches for path, _ in batch] == files
    assert [image.values[0, 0] for image in images if isinstance(image, ThermalImage)] == list(range(7))


def test_large_images_are_read_one_by_one_and_small_ones_within_the_budget(tmp_path: Path) -> None:
    budget = 16 * 100 * 100 * 3
    held: set[Path] = set()
    counts: list[int] = []
    lock = threading.Lock()

    def read(path: Path) -> ThermalImage:
        with lock:
            held.add(path)
            counts.append(len(held))
        time.sleep(0.002)
        return ThermalImage(np.zeros((2, 2)), "gray")

    def most_at_once(side: int) -> int:
        folder = tmp_path / str(side)
        folder.mkdir()
        held.clear()
        counts.clear()
        for batch in read_ahead(pictures(folder, 12, side), read, batch_size=8, budget_bytes=budget):
            with lock:
                held.difference_update(path for path, _ in batch)
        return max(counts)

    assert most_at_once(100) <= 3
    assert most_at_once(400) == 1


def test_every_error_on_a_file_is_named_and_the_next_one_read(tmp_path: Path) -> None:
    files = pictures(tmp_path, 3, 8)
    errors = {"00": DataError("odd"), "01": AttributeError("no attribute 'shape'")}

    def read(path: Path) -> ThermalImage:
        if path.stem in errors:
            raise errors[path.stem]
        return ThermalImage(np.zeros((2, 2)), "gray")

    (batch,) = read_ahead(files, read, batch_size=3)
    reasons = [image for _, image in batch]
    assert reasons[0] == f"{files[0]}: odd"
    assert str(reasons[1]).startswith(f"{files[1]}: AttributeError: no attribute 'shape' (an error of the program")
    assert isinstance(reasons[2], ThermalImage)
    with pytest.raises(AttributeError):
        list(read_ahead(files, read, batch_size=3, debug=True))


def test_a_wrong_setting_ends_all(tmp_path: Path) -> None:
    def read(path: Path) -> ThermalImage:
        raise ConfigError(f"{path}: unit")

    with pytest.raises(ConfigError):
        list(read_ahead(pictures(tmp_path, 3, 8), read, batch_size=2))


def test_there_are_not_more_readers_than_cores() -> None:
    assert (os.cpu_count() or 1) >= READERS
