"""The command `info`, on files whose content is known."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from thermal_landmarks.commands.info import read
from thermal_landmarks.errors import DataError


@pytest.fixture
def day(tmp_path: Path) -> Path:
    room = np.linspace(20, 36, 60 * 80, dtype=np.float32).reshape(60, 80)
    np.save(tmp_path / "room.npy", room)
    counts = np.round((room + 273.15) * 100).astype(np.uint16)
    tifffile.imwrite(tmp_path / "film.tif", np.stack([counts] * 5), photometric="minisblack")
    Image.fromarray(np.round((room - 20) * 15).astype(np.uint8)).save(tmp_path / "gray.png")
    (tmp_path / "notes.txt").write_text("no picture")
    return tmp_path


def test_pictures_and_films_are_told_with_their_units_and_values(day: Path) -> None:
    picture = read(day / "room.npy", unit="celsius")
    assert (picture.kind, picture.width, picture.height, picture.unit) == ("picture", 80, 60, "celsius")
    assert (picture.lowest, picture.median, picture.highest) == pytest.approx((20, 28, 36))
    film = read(day / "film.tif", unit="centi_kelvin", fps=10)
    assert (film.kind, film.frames, film.fps, film.unit) == ("video", 5, 10, "celsius")
    assert film.highest == pytest.approx(36, abs=0.01)
    assert str(film).endswith("5 frames at 10 a second (0.5 s); degrees Celsius: 20.0 to 36.0, median 28.0")
    assert "gray levels, no temperatures" in str(read(day / "gray.png"))
    with pytest.raises(DataError, match=r"notes\.txt"):
        read(day / "notes.txt")


def test_programs_get_json_and_unreadable_files_an_exit_code(day: Path, run_script: Callable[..., Any]) -> None:
    done = run_script(["src/info.py", "source='*.[np][np][yg]'", "format=json", "unit=celsius"], cwd=day)
    assert done.returncode == 0, done.stderr
    assert [entry["file"] for entry in json.loads(done.stdout)] == ["gray.png", "room.npy"]
    failed = run_script(["src/info.py", "source='*'", "unit=celsius", "fps=10"], cwd=day)
    assert failed.returncode == 1
    assert failed.stdout.count("\n") == 2  # 16-bit kelvins are no degrees Celsius
    assert "2 of 4 files can't be read" in failed.stderr
    assert "source= is missing" in run_script(["src/info.py"], cwd=day).stderr
