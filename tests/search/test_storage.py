"""The study's database: exact counts, heartbeats, retries, and no password in sight."""

import multiprocessing
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import optuna
import pytest
import sqlalchemy
from omegaconf import OmegaConf
from optuna.distributions import FloatDistribution
from optuna.pruners import SuccessiveHalvingPruner
from optuna.samplers import RandomSampler
from optuna.trial import TrialState

from thermal_landmarks.errors import ConfigError
from thermal_landmarks.search.plan import StudyPlan
from thermal_landmarks.search.storage import Heartbeat, PatientStorage, Retry, give_back, hide_password, open_storage
from thermal_landmarks.search.study import SharedStudy, replaced_trials
from thermal_landmarks.search.trial import _StudyWithoutLostTrials


@pytest.fixture(params=["sqlite", "postgres"])
def url(request, tmp_path):
    return f"sqlite:///{tmp_path}/studies.db" if request.param == "sqlite" else request.getfixturevalue("postgres")


@pytest.fixture
def settings(url, tmp_path, monkeypatch):
    monkeypatch.setenv("PGPASSWORD", "")  # restored at the end
    return {"storage": url, "heartbeat_seconds": 1, "dead_after_seconds": 3, "patience_seconds": 0, "retries": 2}


@pytest.fixture
def shared(settings, tmp_path, request):
    """Makes one more process's view of the same study."""
    name = f"tests/{request.node.name}"

    def make(**changes) -> SharedStudy:
        search = {**settings, "trials": 10, "direction": "minimize", "experiments": [], **changes}
        search["sampler"] = {"_target_": "optuna.samplers.RandomSampler", "seed": None}
        config = {
            "search": search,
            "hydra": {"sweep": {"dir": str(tmp_path)}, "runtime": {"choices": {"data": "coco"}}},
            "stem": {"name": "conv"},
            "branch": {"name": "none"},
            "data": {"scheme": "perinasal6"},
            "trainer": {"max_epochs": 3},
            "objective": "val/wing",
        }
        space = {"optimizer.lr": FloatDistribution(1e-4, 1e-2, log=True)}
        plan = StudyPlan(name=name, config=OmegaConf.create(config), overrides=("stem=conv",), space=space)
        return SharedStudy(plan, open_storage(search))

    return make


def test_processes_that_make_the_tables_at_the_same_time_all_open_them(settings):
    context = multiprocessing.get_context("fork")  # an import of torch in each process would take longer than the test
    together = context.Barrier(3)

    def open_with_the_others() -> None:
        together.wait(timeout=60)
        open_storage(settings)

    processes = [context.Process(target=open_with_the_others) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(timeout=120)
    assert [process.exitcode for process in processes] == [0, 0, 0]


def test_number_of_trials_is_exact_however_many_ask(shared):
    def work(worker: SharedStudy) -> int:
        asked = 0
        while (trial := worker.ask()) is not None:
            asked += 1
            worker.study.tell(trial.number, 1.0)
        return asked

    workers = [shared() for _ in range(4)]
    with ThreadPoolExecutor(8) as pool:
        asked = list(pool.map(work, workers * 2))
    trials = workers[0].trials().each
    assert sum(asked) == len(trials) == 10
    assert sorted(t.number for t in trials) == list(range(10))
    assert {t.state for t in trials} == {TrialState.COMPLETE}


def test_dead_trial_is_run_again_and_a_live_one_with_a_long_training_is_not(shared):
    worker, peer = shared(trials=2), shared(trials=2)
    alive, dead = worker.ask(), peer.ask()
    with Heartbeat(worker.storage, alive._trial_id):
        long_after(worker.storage, beating=1)
        again = peer.ask()
        assert again is not None
        with Heartbeat(peer.storage, again._trial_id):
            long_after(worker.storage, beating=2)
            assert peer.ask() is None
    assert again.params == dead.params
    states = {t.number: t.state for t in peer.study.trials}
    assert states == {0: TrialState.RUNNING, 1: TrialState.FAIL, 2: TrialState.RUNNING}


def long_after(storage: PatientStorage, *, beating: int) -> None:
    """As if nothing had been heard for years, until so many trials are heard of again."""
    with storage.engine.begin() as connection:
        connection.execute(sqlalchemy.text("UPDATE trial_heartbeats SET heartbeat = '2020-01-01 00:00:00'"))
    heard = sqlalchemy.text("SELECT count(*) FROM trial_heartbeats WHERE heartbeat > '2021-01-01 00:00:00'")
    deadline, found = time.monotonic() + 30, 0
    while found < beating and time.monotonic() < deadline:
        time.sleep(0.05)
        with storage.engine.begin() as connection:
            found = connection.execute(heard).scalar_one()
    assert found == beating


def test_trial_whose_process_died_while_asking_is_run_again(shared):
    worker = shared(trials=1)
    orphan = worker.study.ask()  # no heartbeat, no folder
    again = worker.ask()
    assert again is not None
    assert replaced_trials(worker.study.trials) == {orphan.number}
    assert worker.ask() is None


def test_a_process_killed_before_its_first_heartbeat_is_not_waited_for(shared, monkeypatch):
    """Without a heartbeat, a running trial would count as alive for ever."""

    def killed(trial_id: int) -> None:
        raise SystemExit

    worker, peer = shared(trials=1), shared(trials=1)
    monkeypatch.setattr(worker.storage, "record_heartbeat", killed)
    with pytest.raises(SystemExit):
        worker.ask()
    again = peer.ask()
    assert again is not None
    assert again.params == peer.study.trials[0].params
    assert replaced_trials(peer.study.trials) == {0}


def test_retries_start_before_the_first_rung_and_end(shared):
    worker = shared()
    study, retry = worker.study, Retry(2)
    for _ in range(3):
        trial = study.ask(worker.plan.space)
        study._storage.set_trial_system_attr(trial._trial_id, "completed_rung_0", 1.0)
        study.tell(trial, state=TrialState.FAIL)
        retry(study, study.trials[-1])
    states = [t.state for t in study.trials]
    assert states == [TrialState.FAIL] * 3
    assert len({t.params["optimizer.lr"] for t in study.trials}) == 1
    again = study.ask(worker.plan.space)
    assert "completed_rung_0" not in study._storage.get_trial(again._trial_id).system_attrs


def test_a_lost_trial_does_not_compete_with_its_own_repetition(shared):
    worker = shared()
    pruner = SuccessiveHalvingPruner(min_resource=1, reduction_factor=4)
    study = _StudyWithoutLostTrials(worker.plan.name, worker.storage, RandomSampler(), pruner)

    def after_one_epoch(value: float) -> tuple[optuna.Trial, bool]:
        trial = worker.ask()
        seen = optuna.Trial(study, trial._trial_id)
        seen.report(value, 1)
        return trial, seen.should_prune()

    best, _ = after_one_epoch(1.0)
    give_back(worker.study, worker.storage, best._trial_id, "died")
    for _ in range(4):
        _, pruned = after_one_epoch(1.0)  # the first is the repetition
        assert not pruned
    assert after_one_epoch(2.0)[1]


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)  # only SQLite can be told to be full
def test_a_database_that_is_full_for_a_while_is_waited_for(shared, caplog):
    worker = shared(patience_seconds=20)
    trial = worker.ask()
    limit = {"pages": 1}  # fewer than it has: full

    @sqlalchemy.event.listens_for(worker.storage.engine, "checkout")
    def cap(connection, *_args):
        connection.execute(f"PRAGMA max_page_count = {limit['pages']}")

    timer = threading.Timer(0.3, limit.update, [{"pages": 10**6}])
    timer.start()
    trial.set_user_attr("long", "x" * 2000)
    worker.study.set_user_attr("long", ["x" * 2000] * 20)
    assert limit["pages"] > 1
    assert worker.study.trials[0].user_attrs["long"] == "x" * 2000
    assert sum("database or disk is full" in message for message in caplog.messages) == 1


def test_a_database_that_stays_away_ends_the_search_in_one_line(shared, monkeypatch):
    worker = shared(patience_seconds=0.5)
    trial = worker.ask()

    def gone(*_args, **_settings):
        raise sqlalchemy.exc.OperationalError("select", {}, Exception("the server is gone\nDETAIL"))

    monkeypatch.setattr(worker.storage, "scoped_session", gone)
    with pytest.raises(ConfigError, match=r"hasn't answered for \d s \(the server is gone\).*same command again"):
        trial.report(1.0, 1)
    began = time.monotonic()
    with pytest.raises(ConfigError):
        trial.report(1.0, 1)
    assert time.monotonic() - began < 0.3


def test_heartbeat_survives_a_database_that_is_away_for_a_while(shared, monkeypatch):
    worker = shared()
    trial = worker.ask()
    whole, beats = worker.storage.record_heartbeat, []

    def beat(trial_id: int) -> None:
        beats.append(trial_id)
        if len(beats) == 1:
            raise sqlalchemy.exc.OperationalError("select", {}, Exception("gone"))
        whole(trial_id)

    monkeypatch.setattr(worker.storage, "record_heartbeat", beat)
    worker.storage.heartbeat_interval = 0.1
    deadline = time.monotonic() + 30
    with Heartbeat(worker.storage, trial._trial_id):
        while len(beats) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
    assert len(beats) >= 2
    assert not [t for t in threading.enumerate() if t.name.startswith("heartbeat")]


def test_best_of_a_maximised_study_is_the_largest(shared):
    worker = shared(direction="maximize")
    for value in (1.0, 3.0, 2.0):
        trial = worker.ask()
        trial.set_user_attr("epochs", 3)
        worker.study.tell(trial, value)
    assert worker.trials().best.number == 1
    assert worker.results()["best_value"] == 3.0


def test_password_leaves_the_url_for_the_environment(monkeypatch):
    monkeypatch.setenv("PGPASSWORD", "")
    for url in ("postgresql+psycopg://me:a%40b%2F@host/db", "postgresql+psycopg://me@host/db?password=a%40b%2F"):
        assert hide_password(url) == "postgresql+psycopg://me@host/db"
        assert os.environ["PGPASSWORD"] == "a@b/"
    assert hide_password("sqlite:///outputs/studies.db") == "sqlite:///outputs/studies.db"


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("studies.db", "is no URL of a database"),
        ("mysql://me:secret@host/db", "mysql://me@host/db: expected sqlite"),
        ("postgresql+nodriver://me:secret@host/db", "--extra postgres"),
        ("postgresql+psycopg://me:secret@127.0.0.1:1/db", "can't be used"),
    ],
)
def test_unusable_storage_is_explained_without_its_password(url, message, monkeypatch):
    monkeypatch.setenv("PGPASSWORD", "")
    with pytest.raises(ConfigError, match=message) as caught:
        open_storage(
            {"storage": url, "heartbeat_seconds": 1, "dead_after_seconds": 3, "patience_seconds": 9, "retries": 2}
        )
    assert "secret" not in str(caught.value)
