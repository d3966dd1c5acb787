"""Several processes, one of them killed, on one study in a PostgreSQL server."""

import signal
import threading
import time
from collections import Counter

import pytest
from optuna.trial import TrialState

from thermal_landmarks.search import trial as trial_module
from thermal_landmarks.search.study import replaced_trials


@pytest.mark.slow
def test_two_processes_share_a_study_and_one_of_them_is_killed(
    start, search, trial_task, study_of, postgres, tmp_path, monkeypatch, capsys
):
    """The number of trials is exact, finished trials stay, the killed one's is run again, the password is nowhere.

    Of the two, one is the test's own process; the other stands still with a trial until this one trains, too.
    """
    settings = ["search.trials=3", "search.epochs=1", "stem.strided_repeats=1", "search.pruner.min_resource=100"]
    settings += ["search.heartbeat_seconds=1", "search.dead_after_seconds=4", f"search.storage={postgres}"]
    other = start(*settings)
    monkeypatch.setenv("PGPASSWORD", "")
    study = wait_for(lambda: study_of(storage=postgres), other)
    (running,) = wait_for(lambda: trials_of(study, other.pid, TrialState.RUNNING), other)
    other.send_signal(signal.SIGSTOP)

    def beside_the_other(cfg):
        other.kill()
        return trial_task(cfg)

    search(*settings, task=beside_the_other)
    printed = capsys.readouterr().out
    trials = study.get_trials()
    lost = next(t for t in trials if t.number == running.number)
    assert lost.state == TrialState.FAIL
    (again,) = [t for t in trials if t.system_attrs.get("retry_history") == [lost.number]]
    assert again.params == lost.params
    kept = [t for t in trials if t.number not in replaced_trials(trials)]
    assert Counter(t.state for t in kept) == {TrialState.COMPLETE: 3}
    assert len(trials) == 4

    assert "sesame" not in printed + other.stdout.read()
    written = [path for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".npy"]
    assert any(b"searcher@127.0.0.1" in path.read_bytes() for path in written)
    assert not [path for path in written if b"sesame" in path.read_bytes()]


@pytest.mark.usefixtures("quick_training")
def test_a_server_that_is_restarted_in_mid_search_ends_no_trial(search, study_of, postgres_server, monkeypatch, caplog):
    monkeypatch.setenv("PGPASSWORD", "")
    ended = []
    whole = trial_module.train

    def train_and_restart(cfg, folder, **options):
        if cfg.trial == 1:
            postgres_server.stop()
            threading.Timer(0.5, postgres_server.start).start()
        ended.append(cfg.trial)
        return whole(cfg, folder, **options)

    monkeypatch.setattr(trial_module, "train", train_and_restart)
    search("search.study=restarted", "search.trials=3", f"search.storage={postgres_server.url}")
    study = study_of("restarted/conv-none", storage=postgres_server.url)
    assert [t.state in (TrialState.COMPLETE, TrialState.PRUNED) for t in study.trials] == [True] * 3
    assert ended == [0, 1, 2]
    assert any("waiting up to 300 s" in message for message in caplog.messages)


def trials_of(study, pid, state):
    """The trials of a process whose hyperparameters are drawn."""
    found = [t for t in study.get_trials() if t.state == state and t.user_attrs.get("worker", "").endswith(f" {pid}")]
    return [t for t in found if "stem.activation" in t.params]


def wait_for(found, worker, seconds=600):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert worker.poll() is None, worker.stdout.read()
        try:
            if value := found():
                return value
        except Exception:  # no table, no study yet
            pass
        time.sleep(0.1)
    raise TimeoutError
