"""Paths among the settings of a data set."""

import inspect
import json
import typing
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from thermal_landmarks.building import BUILDABLE
from thermal_landmarks.data.paths import PATHS, with_absolute_paths


@pytest.mark.parametrize("name", [name for name in BUILDABLE["source"] if not name.startswith("thermal_faces")])
def test_every_path_that_a_reader_takes_is_known_as_one(name):
    module, _, reader = name.rpartition(".")
    signature = inspect.signature(getattr(__import__(module, fromlist=[reader]), reader))
    takes = {p.name for p in signature.parameters.values() if Path in (p.annotation, *typing.get_args(p.annotation))}
    assert takes
    assert takes <= set(PATHS)


def test_paths_are_kept_from_the_root_and_other_settings_as_they_are(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("faces").mkdir()
    Path("split.json").write_text(json.dumps({}))
    data = {"source": {"folder": "faces", "image_dir": None, "rect_dir": "rect", "part": "faces"}}
    data |= {"split": {"file": "split.json"}, "cache_dir": "outputs/cache"}
    kept = with_absolute_paths(OmegaConf.create(data))
    assert kept.source == {**data["source"], "folder": str(tmp_path / "faces")}
    assert (kept.split.file, kept.cache_dir) == (str(tmp_path / "split.json"), str(tmp_path / "outputs" / "cache"))
