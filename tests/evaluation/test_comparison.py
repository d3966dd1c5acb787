"""Differences of runs and their intervals, on errors whose answer is known."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from thermal_landmarks.errors import DataError
from thermal_landmarks.evaluation.comparison import compare_runs, read_errors

PEOPLE, IMAGES = 12, 5


def errors(level: float, scatter: float, seed: int) -> pd.DataFrame:
    """Each person errs by an amount of their own, the same in every run, and each picture by a little more."""
    person = np.random.default_rng(1).uniform(0, 0.04, PEOPLE).repeat(IMAGES)
    noise = np.random.default_rng(seed).normal(0, scatter, PEOPLE * IMAGES)
    subjects = [f"p{i}" for i in range(PEOPLE) for _ in range(IMAGES)]
    images = [f"{subject}/{i % IMAGES}.png" for i, subject in enumerate(subjects)]
    return pd.DataFrame({"image": images, "subject": subjects, "nme": level + person + noise})


def test_a_difference_that_all_people_show_is_told_from_none() -> None:
    runs = {"a": errors(0.05, 0.001, 2), "better": errors(0.04, 0.001, 3), "same": errors(0.05, 0.001, 4)}
    first, better, same = compare_runs(runs).to_dict("records")
    assert (first["images"], first["people"], first["difference"]) == (60, 12, 0)
    assert better["difference"] == pytest.approx(-1, abs=0.1)
    assert better["low"] < better["difference"] < better["high"] < -0.9  # narrow: people are the same in both
    assert same["low"] < 0 < same["high"]
    assert better["better_on"] == 1


def test_the_interval_is_that_of_drawn_people() -> None:
    runs = {"a": errors(0.05, 0.02, 2), "b": errors(0.05, 0.02, 3)}
    row = compare_runs(runs).iloc[1]
    differences = 100 * (runs["b"]["nme"] - runs["a"]["nme"]).to_numpy().reshape(PEOPLE, IMAGES).mean(axis=1)
    draws = np.random.default_rng(5).choice(differences, (4000, PEOPLE)).mean(axis=1)
    assert row["difference"] == pytest.approx(differences.mean())
    assert [row["low"], row["high"]] == pytest.approx(np.quantile(draws, [0.025, 0.975]), abs=0.1)


def test_only_shared_pictures_count_and_there_must_be_people() -> None:
    half = errors(0.05, 0.001, 2).iloc[: 6 * IMAGES]
    assert compare_runs({"a": errors(0.05, 0.001, 2), "b": half})["people"].tolist() == [6, 6]
    crowd = errors(0.05, 0.001, 2).assign(image="one.png")  # several faces of a picture
    assert compare_runs({"a": crowd, "b": crowd})["images"].tolist() == [60, 60]
    with pytest.raises(DataError, match="pictures of 0 people"):
        compare_runs({"a": half, "b": half.assign(image="elsewhere.png")})


def test_the_command_prints_the_difference(tmp_path: Path, run_script: Callable[..., Any]) -> None:
    for name, table in (("a", errors(0.05, 0.001, 2)), ("b", errors(0.04, 0.001, 3))):
        (tmp_path / name).mkdir()
        table.to_csv(tmp_path / name / "per_image.csv", index=False)
    done = run_script(["src/compare.py", "runs=[a,b]", "output=out"], cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "60 test images of 12 people" in done.stdout
    assert "-1.0" in done.stdout
    assert pd.read_csv(tmp_path / "out" / "comparison.csv")["run"].tolist() == ["a", "b"]
    assert "Give folders of train or evaluate" in run_script(["src/compare.py", "runs=[a,c]"], cwd=tmp_path).stderr
    assert "runs= wants two folders" in run_script(["src/compare.py", "runs=a"], cwd=tmp_path).stderr
    with pytest.raises(DataError, match="per_image"):
        read_errors(tmp_path)
