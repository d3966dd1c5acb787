"""A small search with real trainings: what it leaves, and that it goes on where it stopped."""

import json
from pathlib import Path

import pytest
import yaml
from optuna.trial import TrialState


def test_a_search_leaves_trials_folders_results_and_lines(search, study_of, tmp_path, capsys):
    search("search.trials=4", "search.epochs=2", "search.sampler.seed=3")
    out = capsys.readouterr().out
    study = study_of()
    trials = study.trials
    assert [t.number for t in trials] == [0, 1, 2, 3]
    states = [t.state for t in trials]
    assert {*states} == {TrialState.COMPLETE, TrialState.PRUNED}

    assert study.user_attrs["model_id"] == "C-1"
    assert {k: study.user_attrs[k] for k in ("stem", "branch", "data", "scheme", "trials", "epochs")} == {
        "stem": "conv",
        "branch": "none",
        "data": "coco",
        "scheme": "perinasal6",
        "trials": 4,
        "epochs": 2,
    }
    for trial in trials:
        folder = tmp_path / trial.user_attrs["folder"]
        metrics = json.loads((folder / "metrics.json").read_text())
        pruned = trial.state == TrialState.PRUNED
        assert (metrics["study"], metrics["trial"], metrics["pruned"]) == (study.study_name, trial.number, pruned)
        assert "test/wing" not in metrics  # the study's best configuration is tested, by from_study
        assert trial.user_attrs["epochs"] == metrics["epochs"] == len(trial.intermediate_values)
        assert metrics["epochs"] == (1 if pruned else 2)
        assert trial.user_attrs["parameters"] == metrics["parameters"] > 0
        history = (folder / "history.csv").read_text().splitlines()
        assert len(history) == 1 + metrics["epochs"]
        assert {path.name for path in folder.iterdir()} == {
            *(".hydra", "config.yaml", "history.csv", "metrics.json", "split.json"),
        }
        assert f"trial {trial.number} (" in out
        if not pruned:
            assert trial.value == min(trial.intermediate_values.values()) == metrics["val/wing"]

    results = json.loads((tmp_path / "outputs/search/quick/conv-none/results.json").read_text())
    best = study.best_trial
    assert results["best_trial"] == best.number
    assert results["best_value"] == best.value
    assert results["best_params"] == best.params
    assert Path(results["best_folder"]) == Path(best.user_attrs["folder"])
    assert (results["complete"], results["pruned"]) == (
        states.count(TrialState.COMPLETE),
        states.count(TrialState.PRUNED),
    )
    assert results["failed"] == results["unfinished"] == 0
    assert results["epochs_trained"] == sum(t.user_attrs["epochs"] for t in trials)
    assert results["epochs_without_pruning"] == 8
    assert "ETA" in out
    assert "done" in out


def test_diverging_and_misfitting_trials_fail_with_their_reason_and_the_search_goes_on(search, study_of, tmp_path):
    search("search.trials=1", "optimizer.lr=1e30", "search.study=diverging", "stem.strided_repeats=1")
    (diverged,) = study_of("diverging/conv-none").trials
    assert diverged.state == TrialState.FAIL
    assert "DivergedError: The training has diverged in epoch 1, step " in diverged.user_attrs["reason"]

    search("search.trials=2", "search.epochs=1", "stem.depth=4", "stem.strided_repeats=choice(1,4)", "stem.stride=3")
    trials = study_of().trials
    misfits = [t for t in trials if t.params["stem.strided_repeats"] == 4]
    for trial in trials:
        assert trial.state == (TrialState.FAIL if trial in misfits else TrialState.COMPLETE)
    assert all("Set a smaller stem.stride" in t.user_attrs["reason"] for t in misfits)


def test_pruned_trials_end_as_finished_runs_in_the_group_of_their_study_and_failed_ones_as_failed(
    search, study_of, tmp_path, monkeypatch, read_record, summary_and_config
):
    import wandb

    wandb.teardown()  # what an earlier test has set up keeps that test's mode
    monkeypatch.setenv("WANDB_MODE", "offline")
    asha = ("min_resource", "reduction_factor", "min_early_stopping_rate", "bootstrap_count")
    pruner = ["search.pruner._target_=optuna.pruners.ThresholdPruner", *(f"~search.pruner.{name}" for name in asha)]
    pruner.append("stem.strided_repeats=1")  # more would leave too few pixels
    search("search.trials=1", "search.epochs=3", *pruner, "+search.pruner.upper=0.0", "logger=wandb")
    search("search.trials=1", "search.study=bad", "optimizer.lr=1e30", "stem.strided_repeats=1", "logger=wandb")
    wandb.teardown()  # finish alone may return before W&B's process has written its file
    folder = tmp_path / "outputs/search/quick/conv-none/000"
    found = read_record(folder / "wandb")
    records = {record.WhichOneof("record_type"): record for record in found}
    for told in summary_and_config(found):
        assert (told["state"], told["best_epoch"]) == ("pruned", 1)
        assert told["best_objective"] == pytest.approx(study_of().trials[0].value)
    assert "trial 0" in records["run"].run.display_name
    assert records["run"].run.run_group == "quick/conv-none"
    assert records["exit"].exit.exit_code == 0
    metrics = json.loads((folder / "metrics.json").read_text())
    assert (metrics["pruned"], metrics["epochs"]) == (True, 1)

    failed = read_record(tmp_path / "outputs/search/bad/conv-none/000/wandb")
    assert [record.exit.exit_code for record in failed if record.WhichOneof("record_type") == "exit"] == [1]
    assert [told["state"] for told in summary_and_config(failed)] == ["failed", "failed"]


def test_hydras_optuna_sweeper_searches_by_what_a_training_returns(search, tmp_path):
    words = ["search=[]", "hydra/sweeper=optuna", "hydra.sweeper.n_trials=3", f"hydra.sweep.dir={tmp_path}/plain"]
    search(*words, "optimizer.lr=tag(log,interval(1e-4,1e-2))", task=lambda cfg: cfg.optimizer.lr)
    found = yaml.safe_load((tmp_path / "plain" / "optimization_results.yaml").read_text())
    tried = [yaml.safe_load(path.read_text()) for path in tmp_path.glob("plain/*/.hydra/overrides.yaml")]
    rates = [float(dict(line.split("=", 1) for line in lines)["optimizer.lr"]) for lines in tried]
    assert len(rates) == 3
    assert found["best_value"] == pytest.approx(min(rates))
