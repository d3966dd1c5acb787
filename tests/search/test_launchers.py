"""Hydra's other launchers: trials run side by side, each in a process of its own."""

import json
import time
from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState

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


@pytest.mark.slow
def test_trials_train_side_by_side_in_a_cluster_of_ray(start, study_of, tmp_path):
    """Started as a process: Ray gives its workers a copy of the folder that a process without a script started in."""
    process = start(*SHORT, *RAY)
    printed, _ = process.communicate(timeout=900)
    assert process.returncode == 0, printed
    trained_side_by_side(study_of().trials, tmp_path)
    assert "(2 of 2)" in printed


def trained_side_by_side(trials, tmp_path):
    first, second = trials
    assert (first.state, second.state) == (TrialState.COMPLETE, TrialState.COMPLETE)
    assert max(first.datetime_start, second.datetime_start) < min(first.datetime_complete, second.datetime_complete)
    for trial in trials:
        metrics = json.loads((tmp_path / trial.user_attrs["folder"] / "metrics.json").read_text())
        assert (metrics["trial"], metrics["data"]) == (trial.number, "coco")
        assert "val/wing" in metrics


@pytest.mark.slow
def test_submitit_runs_trials_side_by_side(search, study_of, tmp_path, monkeypatch, capsys):
    """Without training: its processes unpickle the same task with the same library as those of joblib."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))  # they find this module by its name
    storage = f"search.storage=sqlite:///{tmp_path}/outputs/studies.db"
    search(*TWO, "hydra/launcher=submitit_local", storage, task=tell_when_both_run)
    assert [trial.value for trial in study_of().trials] == [2.0, 2.0]
    assert "(2 of 2)" in capsys.readouterr().out


def tell_when_both_run(cfg):
    """Tells how many trials have started, once there are two."""
    study = optuna.load_study(study_name=cfg.study, storage=cfg.search.storage)
    deadline = time.monotonic() + 120
    while len(study.trials) < 2 and time.monotonic() < deadline:
        time.sleep(0.1)
    study.tell(cfg.trial, len(study.trials))
    return 1.0
