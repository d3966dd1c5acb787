import json
import os

import pytest

from thermal_landmarks.errors import ConfigError
from thermal_landmarks.runs import RunFolder, find_run_to_resume, require_shallow, write_json


def make_run(folder, *, finished, age):
    run = RunFolder(folder)
    run.checkpoints.mkdir(parents=True)
    run.last_checkpoint.touch()
    os.utime(run.last_checkpoint, (1e9 - age, 1e9 - age))
    if finished:
        write_json(run.metrics, {})
    return folder


def test_last_means_the_newest_unfinished_run(tmp_path):
    make_run(tmp_path / "old", finished=False, age=20)
    wanted = make_run(tmp_path / "newer", finished=False, age=10)
    make_run(tmp_path / "newest", finished=True, age=0)
    assert find_run_to_resume("last", tmp_path) == wanted


def test_a_folder_or_a_checkpoint_names_its_run(tmp_path):
    run = make_run(tmp_path / "a", finished=True, age=0)
    assert find_run_to_resume(str(run), tmp_path) == run
    assert find_run_to_resume(str(RunFolder(run).last_checkpoint), tmp_path) == run


@pytest.mark.parametrize("resume", ["last", "nowhere", "nowhere/checkpoints/last.ckpt"])
def test_nothing_to_resume_is_said(tmp_path, monkeypatch, resume):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=f"resume={resume}"):
        find_run_to_resume(resume, tmp_path)


def test_not_a_number_becomes_null_at_any_depth(tmp_path):
    content = {"a": float("nan"), "b": 1.5, "by": {"c": float("inf"), "d": [1, float("nan"), (float("-inf"), "nan")]}}
    write_json(tmp_path / "m.json", content)
    expected = {"a": None, "b": 1.5, "by": {"c": None, "d": [1, None, [None, "nan"]]}}
    assert json.loads((tmp_path / "m.json").read_text()) == expected


@pytest.mark.parametrize("text", ["a: " + "[" * 40_000, "{a: " * 2000, "- " * 2000 + "a", "- ? " * 2000])
def test_a_config_whose_lists_nest_so_deeply_that_the_parser_crashes_is_refused(tmp_path, text):
    (tmp_path / "config.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"config.yaml: \d+ lists in each other"):
        require_shallow(tmp_path / "config.yaml")


def test_a_long_list_of_lists_is_a_config(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text("a:\n" + "- - 1\n  - {b: [2]}\n" * 3000, encoding="utf-8")
    assert require_shallow(path) == path
