"""Hydra's other launchers: trials run side by side, each in a process of its own."""

import importlib
import json
from pathlib import Path

import pytest
from optuna.trial import TrialState
from search.told_trials import tell_when_both_run

TWO = ["search.trials=2", "search.n_jobs=2"]
SHORT = [*TWO, "search.epochs=1", "stem.strided_repeats=1"]
RAY = ["hydra/launcher=ray", "+hydra.launcher.ray.init.num_cpus=2", "+hydra.launcher.ray.init.include_dashboard=false"]


@pytest.mark.slow
def test_trials_train_side_by_side_in_processes_of_joblib(run_script, tiny, study_of, tmp_path):
    words = ["src/train.py", "--multirun", *tiny, *SHORT, "hydra/launcher=joblib"]
    done = run_script(words, cwd=tmp_path, env={"COLUMNS": "120"})
    assert done.returncode == 0, done.stdout + done.stderr
    trained_side_by_side(study_of().trials, tmp_path)
    assert "(2 of 2)" in done.stdout


def trained_side_by_side(trials, tmp_path):
    first, second = trials
    assert (first.state, second.state) == (TrialState.COMPLETE, TrialState.COMPLETE)
    assert max(first.datetime_start, second.datetime_start) < min(first.datetime_complete, second.datetime_complete)
    for trial in trials:
        metrics = json.loads((tmp_path / trial.user_attrs["folder"] / "metrics.json").read_text())
        assert (metrics["trial"], metrics["data"]) == (trial.number, "coco")
        assert "val/wing" in metrics


@pytest.mark.slow
@pytest.mark.parametrize("launcher", [["hydra/launcher=submitit_local"], RAY], ids=["submitit", "ray"])
def test_trials_run_side_by_side(launcher, search, study_of, tmp_path, monkeypatch, capfd):
    """Without training: these processes unpickle the same task with the same library as those of joblib."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))  # they find `told_trials` by its name
    storage = f"search.storage=sqlite:///{tmp_path}/outputs/studies.db"
    try:
        search(*TWO, *launcher, storage, task=tell_when_both_run)
    finally:
        if launcher is RAY:
            importlib.import_module("ray").shutdown()
    assert [trial.value for trial in study_of().trials] == [2.0, 2.0]
    assert "(2 of 2)" in capfd.readouterr().out
