"""What can go wrong in a search, each with the training replaced by a curve: see `quick_training`."""

import json
import os
import signal
import time
from types import SimpleNamespace

import optuna
import pytest
import torch
from joblib.externals.loky import get_reusable_executor
from optuna.trial import TrialState
from search.told_trials import first_is_killed, slow_first
from sqlalchemy import text

from thermal_landmarks.errors import ConfigError, Interrupted

pytestmark = pytest.mark.usefixtures("quick_training")
FOLDER = "outputs/search/quick/conv-none"


def params(study):
    return [tuple(sorted(t.params.items())) for t in study.trials]


def results(tmp_path):
    return json.loads((tmp_path / FOLDER / "results.json").read_text())


def test_seed_replays_no_draw_on_resume_and_repeats_the_whole_search(search, study_of):
    seeded = ["search.sampler.seed=5", "search.sampler.n_startup_trials=1"]
    search("search.trials=1", *seeded)
    search("search.trials=2", *seeded)
    stopped = params(study_of())
    assert len({*stopped}) == 2
    search("search.trials=2", *seeded, "search.storage=sqlite:///outputs/whole.db")
    assert params(study_of(storage="sqlite:///outputs/whole.db")) == stopped
    search("search.trials=1", "search.storage=sqlite:///outputs/unseeded.db")
    assert not {*params(study_of(storage="sqlite:///outputs/unseeded.db"))} & {*stopped}


def test_the_same_command_again_continues_and_a_finished_study_stays(search, study_of, tmp_path, capsys):
    search("search.trials=2")
    before = {path: path.read_text() for path in tmp_path.glob(f"{FOLDER}/*/metrics.json")}
    search("search.trials=3")
    search("search.trials=3")
    assert [t.number for t in study_of().trials] == [0, 1, 2]
    assert len(before) == 2
    assert all(path.read_text() == text for path, text in before.items())
    assert sorted(p.parent.name for p in tmp_path.glob(f"{FOLDER}/*/metrics.json")) == ["000", "001", "002"]


def test_a_new_study_of_the_same_name_overwrites_no_folder(search, tmp_path):
    search("search.trials=1")
    (tmp_path / "outputs" / "studies.db").unlink()
    before = (tmp_path / FOLDER / "000" / "metrics.json").read_text()
    search("search.trials=1")
    assert (tmp_path / FOLDER / "000" / "metrics.json").read_text() == before
    assert (tmp_path / FOLDER / "000_2" / "metrics.json").exists()


def test_failed_trials_are_kept_as_failed_and_the_search_goes_on(search, study_of, monkeypatch, tmp_path):
    from thermal_landmarks.search import trial

    whole = trial.train
    errors = {1: RuntimeError("no such kernel"), 2: torch.OutOfMemoryError("out of memory"), 3: MemoryError()}

    def fail(cfg, folder, **rest):
        if cfg.trial in errors:
            raise errors[cfg.trial]
        return whole(cfg, folder, **rest)

    monkeypatch.setattr(trial, "train", fail)
    search("search.trials=5", "search.pruner.min_resource=100")
    trials = study_of().trials
    assert [t.state for t in trials] == [TrialState.COMPLETE, *[TrialState.FAIL] * 3, TrialState.COMPLETE]
    for number, error in errors.items():
        assert type(error).__name__ in trials[number].user_attrs["reason"]
    found = results(tmp_path)
    assert (found["failed"], found["complete"], found["epochs_without_pruning"]) == (3, 2, 8)


def test_without_completed_trial_the_results_say_so_and_the_search_gives_up(search, monkeypatch, tmp_path):
    def fail(cfg, folder, **rest):
        raise RuntimeError("always")

    monkeypatch.setattr("thermal_landmarks.search.trial.train", fail)
    with pytest.raises(ConfigError, match=r"3 trials of quick/conv-none in a row.*\n?.*RuntimeError: always"):
        search("search.trials=8", "search.max_consecutive_failures=3")
    found = results(tmp_path)
    assert found["best_trial"] is found["best_folder"] is None
    assert found["failed"] == 3


def test_interrupted_search_keeps_its_results_and_tries_the_open_trial_again(search, trial_task, study_of, tmp_path):
    def interrupt_second(cfg):
        if cfg.trial == 1:
            os.kill(os.getpid(), signal.SIGTERM)
        return trial_task(cfg)

    with pytest.raises(Interrupted, match=r"Stopped by SIGTERM.*same command again to go on") as caught:
        search("search.trials=3", task=interrupt_second)
    assert caught.value.signal_number == signal.SIGTERM
    assert (results(tmp_path)["complete"], results(tmp_path)["unfinished"]) == (1, 1)
    search("search.trials=3", "search.pruner.min_resource=100")
    trials = study_of().trials
    assert trials[2].params == trials[1].params
    assert [t.state.name for t in trials] == ["COMPLETE", "FAIL", "COMPLETE", "COMPLETE"]
    found = results(tmp_path)
    assert (found["complete"], found["failed"], found["unfinished"]) == (3, 0, 0)


def test_other_settings_or_choices_make_another_study(search, study_of):
    ranges = ["stem.kernel_size=choice(3,5)", "optimizer.lr=interval(1e-3,1e-2)"]
    search("search.trials=1", *ranges)
    with pytest.raises(ConfigError, match=r"(?s)data.batch_size: 16 then, 8 now.*search.study=NAME"):
        search("search.trials=2", *ranges, "data.batch_size=8")
    message = r"stem.kernel_size=choice\(3,5\), now it is choice\(3,5,7\).*search.study=NAME"
    with pytest.raises(ConfigError, match=message):
        search("search.trials=2", "stem.kernel_size=choice(3,5,7)", ranges[1])
    search("search.trials=2", ranges[0], "optimizer.lr=interval(1e-3,2e-2)", "trainer.accelerator=cpu")
    assert len(study_of().trials) == 2


def test_three_times_the_epochs_are_pruned_and_counted_to_their_end(search, study_of, tmp_path):
    settings = ["search.trials=3", "search.epochs=2", "search.sampler.seed=1", "search.pruner.min_resource=3"]
    search("ablation=no_rotation", *settings)
    pruned = [t.last_step for t in study_of().trials if t.state == TrialState.PRUNED]
    assert {*pruned} == {3}
    assert results(tmp_path)["epochs_without_pruning"] == 3 * 6
    assert {t.last_step for t in study_of().trials if t.state == TrialState.COMPLETE} == {6}


def test_values_that_were_pruned_and_completed_are_those_reported(search, study_of, capsys):
    search("search.trials=4", "search.sampler.seed=1", "search.epochs=4")
    states = {state: [t for t in study_of().trials if t.state == state] for state in TrialState}
    assert states[TrialState.PRUNED]
    for trial in states[TrialState.PRUNED]:
        assert trial.value == pytest.approx(trial.params["optimizer.lr"] + 1 / trial.last_step)
    for trial in states[TrialState.COMPLETE]:
        assert trial.value == trial.params["optimizer.lr"]
        assert trial.last_step == 4
    assert f"{len(states[TrialState.PRUNED])} pruned  done" in capsys.readouterr().out


def test_last_worker_waits_for_another_ones_trial_and_runs_it_when_that_dies(search, study_of, capsys, monkeypatch):
    search("search.trials=1", "search.pruner.min_resource=100")
    study = study_of()
    lost = study.ask({"optimizer.lr": optuna.distributions.FloatDistribution(1e-3, 3e-2, log=True)})
    lost.set_user_attr("folder", "elsewhere")
    study._storage.record_heartbeat(lost._trial_id)

    def die_meanwhile(_seconds):
        with study._storage._backend.engine.begin() as connection:
            connection.execute(text("UPDATE trial_heartbeats SET heartbeat = '2020-01-01 00:00:00'"))

    clock = SimpleNamespace(perf_counter=time.perf_counter, sleep=die_meanwhile)
    monkeypatch.setattr("thermal_landmarks.search.worker.time", clock)
    search("search.trials=2")
    trials = study_of().trials
    assert [t.state.name for t in trials] == ["COMPLETE", "FAIL", "COMPLETE"]
    assert trials[2].params["optimizer.lr"] == lost.params["optimizer.lr"]
    assert "Waiting for 1 running trial(s)" in capsys.readouterr().out


def test_a_database_out_of_reach_is_told_before_anything_is_planned_or_rendered(search, monkeypatch):
    began = []
    monkeypatch.setattr("thermal_landmarks.search.worker.plan_studies", lambda *args: began.append("planned"))
    started = time.monotonic()
    with pytest.raises(ConfigError, match=r"127.0.0.1:1/db can't be used: .*refused"):
        search("search.storage=postgresql+psycopg://me@127.0.0.1:1/db")
    assert not began
    assert time.monotonic() - started < 60  # nothing waits the 300 seconds of search.patience_seconds


def test_a_job_that_was_given_to_another_process_does_not_tell(search, trial_task, study_of):
    def taken(cfg):
        study = study_of()
        study.tell(cfg.trial, state=TrialState.FAIL)
        return trial_task(cfg)

    search("search.trials=1", task=taken)
    (trial,) = study_of().trials
    assert trial.state == TrialState.FAIL
    assert not trial.intermediate_values


@pytest.fixture(scope="module")
def pool():
    """One for all tests here, since its processes take seconds to start; an earlier one may be about to end."""
    get_reusable_executor(max_workers=2).shutdown(wait=True, kill_workers=True)


@pytest.fixture
def in_pool(pool, tmp_path):
    """Two trials at a time."""
    return ["search.n_jobs=2", "hydra/launcher=joblib", f"search.storage=sqlite:///{tmp_path}/outputs/studies.db"]


def test_trials_start_when_a_place_is_free_and_not_when_the_slowest_ends(search, study_of, in_pool):
    search("search.trials=4", *in_pool, task=slow_first)
    slow, *quick = study_of().trials
    assert [t.state for t in study_of().trials] == [TrialState.COMPLETE] * 4
    assert max(t.datetime_start for t in quick) < slow.datetime_complete


def test_a_killed_job_takes_its_pool_along_and_all_of_the_pools_trials_run_again(search, study_of, in_pool):
    search("search.trials=4", *in_pool, task=first_is_killed)
    trials = study_of().trials
    lost = [t for t in trials if t.state == TrialState.FAIL]
    assert [t.number for t in lost] == [0, 1]
    for trial in lost:
        assert "process died" in trial.user_attrs["reason"]
        (again,) = [t for t in trials if t.system_attrs.get("retry_history") == [trial.number]]
        assert (again.params, again.state) == (trial.params, TrialState.COMPLETE)
    assert len([t for t in trials if t.state == TrialState.COMPLETE]) == 4


def test_basic_launcher_says_that_it_runs_one_trial_at_a_time(search):
    with pytest.raises(ConfigError, match="n_jobs=2: expected 1, or more with hydra/launcher=joblib"):
        search("search.n_jobs=2")
