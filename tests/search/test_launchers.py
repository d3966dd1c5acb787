"""Hydra's other launchers, each with real trainings in processes of their own."""

import json

import pytest
from optuna.trial import TrialState

LAUNCHERS = {
    "joblib": [],
    "ray": ["+hydra.launcher.ray.init.num_cpus=2", "+hydra.launcher.ray.init.include_dashboard=false"],
    "submitit_local": [],
}


@pytest.mark.slow
@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_launcher_runs_trials_side_by_side(run_script, start, tiny, study_of, tmp_path, launcher):
    few = [
        "search.trials=2",
        "search.epochs=1",
        "stem.strided_repeats=1",
        "search.n_jobs=2",
        f"hydra/launcher={launcher}",
        *LAUNCHERS[launcher],
    ]
    if launcher == "ray":  # gives its workers a copy of the folder that a process without a script was started in
        process = start(*few)
        printed, code = process.communicate(timeout=900)[0], process.returncode
    else:
        done = run_script(["src/train.py", "--multirun", *tiny, *few], cwd=tmp_path, env={"COLUMNS": "120"})
        printed, code = done.stdout + done.stderr, done.returncode
    assert code == 0, printed
    trials = study_of().trials
    assert len(trials) == 2, printed
    first, second = trials
    assert (first.state, second.state) == (TrialState.COMPLETE, TrialState.COMPLETE), printed
    assert max(first.datetime_start, second.datetime_start) < min(first.datetime_complete, second.datetime_complete)
    for trial in (first, second):
        metrics = json.loads((tmp_path / trial.user_attrs["folder"] / "metrics.json").read_text())
        assert (metrics["trial"], metrics["data"]) == (trial.number, "coco")
        assert "val/wing" in metrics
    assert "(2 of 2)" in printed
