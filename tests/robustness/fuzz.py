"""Our own parsers under damage of ever new seeds, until the time of each is over.

By hand: `PYTHONPATH=tests uv run python tests/robustness/fuzz.py minutes=10 [parsers=flir.jpg,pts,...]`. Prints the
seed and kind of each finding; each parser has a process of its own, so that one that crashes is a finding too.
"""

import json
import logging
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from omegaconf import OmegaConf
from robustness.bounds import held_to_bounds
from robustness.broken_annotations import broken_contents, forms, write_good
from robustness.broken_pictures import good_pictures
from robustness.broken_tables import BOXES, FIVE_POINTS, broken_tables
from robustness.damage import damaged_bytes, damaged_text, odd_settings
from robustness.videos import good_videos, read_video

from thermal_landmarks.data.five_points import read_five_points
from thermal_landmarks.data.formats.fluke import COUNTS_TABLE_NAME
from thermal_landmarks.data.formats.images import read_image
from thermal_landmarks.data.schemes import get_scheme
from thermal_landmarks.inference.calibration.offsets import Calibration
from thermal_landmarks.inference.face_places import read_boxes

_PICTURES = ("flir.jpg", "fluke.is2", "table.csv", "comma.csv", "float.npy")
_VIDEOS = ("pages.tif", "stack.npy", "stack.npz", "pictures.seq", "stack.h5", "film.mkv")
_COUNTS = "% counts celsius\n" + "".join(f"{4000 + 10 * i} {20 + i / 10:.2f}\n" for i in range(100))


class Parser(NamedTuple):
    """What is fuzzed.

    Attributes:
        damage: Broken contents of a seed, with what is broken about them.
        path: The file that they are written to.
        read: Reads it.
    """

    damage: Callable[[int], Iterator[tuple[str, bytes]]]
    path: Path
    read: Callable[[], Any]


def parsers(folder: Path) -> dict[str, Callable[[], Parser]]:
    """Every parser by name; each writes what it needs into the folder."""
    found: dict[str, Callable[[], Parser]] = {name: partial(_picture, name, folder) for name in _PICTURES}
    found |= {name: partial(_annotations, name, folder) for name in forms()}
    found |= {name: partial(_video, name, folder) for name in _VIDEOS}
    found |= {"boxes": partial(_table, BOXES, read_boxes, folder)}
    found |= {"five_points": partial(_table, FIVE_POINTS, read_five_points, folder)}
    found |= {"counts": partial(_counts, folder), "calibration": partial(_calibration, folder)}
    return found


def _picture(name: str, folder: Path) -> Parser:
    content, path = good_pictures()[name], folder / name
    if name.endswith("csv"):
        return Parser(lambda seed: damaged_text(content.decode(), seed=seed), path, lambda: read_image(path))
    return Parser(lambda seed: damaged_bytes(content, seed=seed, flips=20), path, lambda: read_image(path))


def _annotations(name: str, folder: Path) -> Parser:
    form, place = forms()[name], folder / name
    write_good(form, place)
    return Parser(
        lambda seed: broken_contents(form, seed=seed),
        place / form.files[0],
        lambda: list(form.reader(place).annotations()),
    )


def _video(name: str, folder: Path) -> Parser:
    (path,) = (path for path in good_videos(folder) if path.name == name)
    content = path.read_bytes()
    return Parser(lambda seed: damaged_bytes(content, seed=seed, flips=20), path, lambda: read_video(path))


def _table(good: str, read: Callable[[Path], Any], folder: Path) -> Parser:
    path = folder / "table.csv"
    return Parser(lambda seed: broken_tables(good, seed=seed), path, lambda: read(path))


def _counts(folder: Path) -> Parser:
    """The table that turns counts of a Fluke camera into degrees."""
    picture = folder / "counts.is2"
    picture.write_bytes(good_pictures()["fluke.is2"])
    return Parser(
        lambda seed: damaged_text(_COUNTS, seed=seed), folder / COUNTS_TABLE_NAME, lambda: read_image(picture)
    )


def _calibration(folder: Path) -> Parser:
    """The offsets that a checkpoint keeps."""
    path, scheme = folder / "calibration.json", get_scheme("perinasal6")
    numbers = np.random.default_rng(0).normal(size=(4, 6, 2))
    names = ("reference", "offsets", "by_yaw", "by_pitch")
    good = {name: values.tolist() for name, values in zip(names, numbers, strict=True)}
    good |= {"limits": [0.3, 0.3], "faces": 7}

    def read() -> None:
        calibration = Calibration.from_settings(json.loads(path.read_text(encoding="utf-8")), scheme)
        points = np.arange(12.0).reshape(1, 6, 2)
        assert calibration is None or np.isfinite(calibration.apply(points, scheme)).all()

    def damage(seed: int) -> Iterator[tuple[str, bytes]]:
        for what, changed in odd_settings(good, seed=seed):
            yield what, json.dumps(changed).encode()

    return Parser(damage, path, read)


def fuzz(name: str, minutes: float) -> None:
    """Damage what one parser reads; prints what it finds."""
    logging.disable()
    cases, findings, seed, end = 0, 0, 1000, time.monotonic() + 60 * minutes
    with tempfile.TemporaryDirectory() as folder:
        parser = parsers(Path(folder))[name]()
        while time.monotonic() < end:
            seed += 1
            for what, bad in parser.damage(seed):
                parser.path.write_bytes(bad)
                cases += 1
                try:
                    held_to_bounds(parser.read, "")
                except Exception as error:
                    findings += 1
                    if findings <= 20:
                        print(f"{name}, seed {seed}, {what}: {type(error).__name__}: {str(error)[:300]}", flush=True)
    print(f"{name}: {cases:,} cases to seed {seed}, {findings} findings", flush=True)


def main() -> None:
    """Each parser that was asked for, one after another."""
    typed = OmegaConf.from_cli()
    wanted = str(typed.get("parsers", ",".join(parsers(Path())))).split(",")
    for name in wanted:
        process = multiprocessing.get_context("spawn").Process(target=fuzz, args=(name, float(typed.minutes)))
        process.start()
        process.join()
        if process.exitcode:
            print(f"{name}: crashed with exit code {process.exitcode}", flush=True)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    main()
