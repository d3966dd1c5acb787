"""Searches with the real sweeper and launchers: in this process, or as the command itself."""

import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import Mock

import optuna
import pytest
import sqlalchemy
import torch
from hydra import initialize_config_dir
from hydra._internal.execution_policy import execution_whitelist
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig
from programs import initdb

from thermal_landmarks.building import ALL_BUILDABLE
from thermal_landmarks.commands.configs import CONFIG_DIR
from thermal_landmarks.rendered import store_ranges
from thermal_landmarks.search.plan import epochs_of

ROOT = Path(__file__).parents[2]
SQLITE = "sqlite:///outputs/studies.db"
TINY = ["data=coco", "data.scheme=perinasal6", "data.image_size=[24,32]", "data.batch_size=16", "data.workers=1"]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(autouse=True, scope="session")
def sqlite_that_trusts_the_disk() -> Iterator[None]:
    """A search commits a hundred times, and each would wait for the disk; only a machine that fails would notice."""

    def trust(connection: Any, _record: Any) -> None:
        if isinstance(connection, sqlite3.Connection):
            connection.execute("PRAGMA synchronous = OFF")

    sqlalchemy.event.listen(sqlalchemy.Engine, "connect", trust)
    yield
    sqlalchemy.event.remove(sqlalchemy.Engine, "connect", trust)


@pytest.fixture(scope="session")
def tiny(blob_coco: Path) -> list[str]:
    """The blob faces and `search=quick` for one pair."""
    return [
        f"data.source.annotation_file={blob_coco}",
        *TINY,
        "logger=none",
        "search=quick",
        "stem=conv",
        "branch=none",
    ]


@pytest.fixture
def search(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny: list[str]) -> Iterator[Callable[..., None]]:
    """Runs `train.py --multirun ...` in this process, below `tmp_path`; what is typed wins over `tiny`."""
    monkeypatch.chdir(tmp_path)
    GlobalHydra.instance().clear()
    store_ranges()

    def run(*arguments: str, task: Callable[[DictConfig], Any] = _trial_task) -> None:
        with initialize_config_dir(str(CONFIG_DIR)), execution_whitelist(ALL_BUILDABLE):
            hydra = GlobalHydra.instance().hydra
            assert hydra is not None
            hydra.multirun(config_name="train", task_function=task, overrides=with_typed(tiny, arguments))

    yield run
    GlobalHydra.instance().clear()


def with_typed(defaults: list[str], typed: tuple[str, ...]) -> list[str]:
    keys = {argument.partition("=")[0] for argument in typed}
    return [*(a for a in defaults if a.partition("=")[0] not in keys), *typed]


@pytest.fixture
def trial_task() -> Callable[[DictConfig], float]:
    """What `search` runs for each trial."""
    return _trial_task


def _trial_task(cfg: DictConfig) -> float:
    from thermal_landmarks.search.trial import run_trial

    return run_trial(cfg, Path(HydraConfig.get().runtime.output_dir))


@pytest.fixture
def quick_training(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replaces the training by a curve that falls to the learning rate; all else of a trial stays."""

    def train(cfg: DictConfig, folder: Path, *, names: Any, report: Callable[[float, int], bool]) -> dict[str, Any]:
        value, epoch, pruned = float(cfg.optimizer.lr), 0, False
        while epoch < epochs_of(cfg) and not pruned:
            epoch += 1
            pruned = report(value + 1 / epoch, epoch)
        metrics = {
            "val/wing": value,
            "model_id": "C-1",
            "parameters": 1,
            "gflops": 0.1,
            "epochs": epoch,
            "seconds": 1.0,
            "pruned": pruned,
        }
        folder.joinpath("metrics.json").write_text(json.dumps(metrics))
        return metrics

    monkeypatch.setattr("thermal_landmarks.search.trial.train", train)
    monkeypatch.setattr("thermal_landmarks.search.trial.gc", Mock())  # a second a trial, for nothing was trained


@pytest.fixture
def study_of(tmp_path: Path) -> Callable[..., optuna.Study]:
    """A study in the database, by its name."""

    def load(name: str = "quick/conv-none", storage: str = f"sqlite:///{tmp_path}/outputs/studies.db") -> optuna.Study:
        return optuna.load_study(study_name=name, storage=storage)

    return load


@pytest.fixture
def start(tmp_path: Path, tiny: list[str]) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts `train.py --multirun ...` in a process of its own; those still alive at the end are killed."""
    started = []

    def run(*arguments: str, **environment: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, str(ROOT / "src" / "train.py"), "--multirun", *with_typed(tiny, arguments)],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=os.environ | {"OMP_NUM_THREADS": "1", "COLUMNS": "120"} | environment,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.wait()


class PostgresServer(NamedTuple):
    """A server of our own: its URL, with password, and what stops (`immediate`: as a crash) and starts it."""

    url: str
    stop: Callable[[], None]
    start: Callable[[], None]


@pytest.fixture(scope="session")
def postgres(postgres_server: PostgresServer) -> str:
    """URL, with password, of a PostgreSQL server of our own in a temporary folder, on loopback."""
    return postgres_server.url


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """That server, which a test may stop and start."""
    found = initdb()
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    user = "nobody" if os.getuid() == 0 else None  # it refuses to run as root
    (folder / "password").write_text("open%sesame")
    if user is not None:
        shutil.chown(folder, user)
        shutil.chown(folder / "password", user)
    data = ["-D", str(folder / "data")]
    settings = ["-U", "searcher", "--auth=scram-sha-256", f"--pwfile={folder / 'password'}", "--no-sync"]
    subprocess.run([found, *data, *settings], check=True, capture_output=True, user=user, cwd=folder)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    control = [str(Path(found).with_name("pg_ctl")), *data, "-w"]
    options = f"-p {port} -h 127.0.0.1 -k {folder} -F"
    log = ["-l", str(folder / "log"), "-o", options]

    def start() -> None:
        subprocess.run([*control, *log, "start"], check=True, stdout=subprocess.DEVNULL, user=user, cwd=folder)

    def stop() -> None:
        subprocess.run([*control, "-m", "immediate", "stop"], check=True, capture_output=True, user=user, cwd=folder)

    start()
    yield PostgresServer(f"postgresql+psycopg://searcher:open%25sesame@127.0.0.1:{port}/postgres", stop, start)
    stop()
    shutil.rmtree(folder)
