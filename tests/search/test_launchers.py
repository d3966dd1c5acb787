"""Hydra's other launchers: trials run side by side, each in a process of its own; joblib's in test_worker.py, too."""

import importlib
import json
from pathlib import Path

import pytest
from optuna.trial import TrialState
from search.told_trials import tell_when_both_run

TWO = ["search.trials=2", "search.n_jobs=2"]
SHORT = ["search.trials=1", "search.n_jobs=2", "search.epochs=1", "stem.strided_repeats=1"]
RAY = ["hydra/launcher=ray", "+hydra.launcher.ray.init.num_cpus=2", "+hydra.launcher.ray.init.include_dashboard=false"]


@pytest.mark.slow
def test_a_trial_trains_in_a_process_of_joblib(run_script, tiny, study_of, tmp_path, monkeypatch):
    monkeypatch.delattr("thermal_landmarks.search.trial.train")  # of this process
    words = ["src/train.py", "--multirun", *tiny, *SHORT, "hydra/launcher=joblib"]
    done = run_script(words, cwd=tmp_path, env={"COLUMNS": "120"})
    assert done.returncode == 0, done.stdout + done.stderr
    (trial,) = study_of().trials
    assert trial.state == TrialState.COMPLETE
    metrics = json.loads((tmp_path / trial.user_attrs["folder"] / "metrics.json").read_text())
    assert (metrics["trial"], metrics["data"]) == (trial.number, "coco")
    assert "val/wing" in metrics
    assert "(1 of 1)" in done.stdout


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
