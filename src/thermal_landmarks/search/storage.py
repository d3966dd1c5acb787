"""Where studies are kept: SQLite or PostgreSQL, with heartbeats, so that a killed process's trial is run again.

A password of PostgreSQL's stays out of everything that is written or printed: its client library reads PGPASSWORD and
`~/.pgpass` itself, so the URL that travels needs none.
"""

import logging
import os
import threading
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import optuna
from filelock import FileLock
from optuna.exceptions import ExperimentalWarning, UpdateFinishedTrialError
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState, create_trial
from sqlalchemy import Connection, make_url, text
from sqlalchemy.exc import (
    ArgumentError,
    IntegrityError,
    NoSuchModuleError,
    OperationalError,
    ProgrammingError,
    SQLAlchemyError,
)

from thermal_landmarks.errors import ConfigError
from thermal_landmarks.search.patience import PatientStorage, reason_of

_log = logging.getLogger(__name__)

_ATTEMPTS = 20  # to open a new database while other processes make its tables
_PAUSE_SECONDS = 0.25
_CONNECT_SECONDS = 4


def open_storage(settings: Mapping[str, Any], *, made: bool = False) -> PatientStorage:
    """The database of `conf/search`, made if missing.

    Args:
        settings: `storage` (the URL), `heartbeat_seconds`, `dead_after_seconds`, `patience_seconds` and `retries`.
        made: That its tables have been made and checked, by who asked for the trial.

    Raises:
        ConfigError: If the URL is of another kind, or the database can't be reached.
    """
    url = hide_password(str(settings["storage"]))
    connect = {"pool_pre_ping": True, "connect_args": connection_settings(url)}
    if url.startswith("sqlite:///") and url != "sqlite:///:memory:":
        Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    elif not url.startswith("postgresql"):
        raise ConfigError(f"search.storage={url}: expected sqlite:///PATH or postgresql+psycopg://USER@HOST/DATABASE.")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    warnings.filterwarnings("ignore", category=ExperimentalWarning)  # Optuna's heartbeats are one
    warnings.filterwarnings("ignore", message="Heartbeat of storage is supposed to be used with")  # `Heartbeat` beats
    open_once = partial(
        PatientStorage,
        url,
        patience_seconds=settings["patience_seconds"],
        engine_kwargs=connect,
        heartbeat_interval=settings["heartbeat_seconds"],
        grace_period=settings["dead_after_seconds"],
        heartbeat_stale_trial_callback=Retry(settings["retries"]),
        skip_table_creation=made,
        skip_compatibility_check=made,
    )
    try:
        for _ in range(_ATTEMPTS):
            try:
                return open_once()
            except (IntegrityError, ProgrammingError, OperationalError) as error:
                if not isinstance(error, IntegrityError) and "already exists" not in str(error.orig):
                    raise
                time.sleep(_PAUSE_SECONDS)  # another process is making the same tables
        return open_once()
    except (ImportError, NoSuchModuleError) as error:
        raise ConfigError(
            f"search.storage={url}: its database driver isn't installed. Write "
            "postgresql+psycopg://... and install it: uv sync --extra postgres."
        ) from error
    except SQLAlchemyError as error:
        raise ConfigError(f"search.storage={url} can't be used: {reason_of(error)}") from error


def hide_password(url: str) -> str:
    """Move the password of a URL into PGPASSWORD, for this process and those that it starts.

    Returns:
        The URL without password.

    Raises:
        ConfigError: If it is no URL.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise ConfigError(
            "search.storage is no URL of a database. Expected sqlite:///PATH or postgresql+psycopg://USER@HOST/DATABASE."
        ) from None
    password = parsed.password or parsed.query.get("password")
    if password:
        os.environ["PGPASSWORD"] = str(password)
    stripped = parsed._replace(password=None).difference_update_query(["password"])
    return stripped.render_as_string(hide_password=False)


def connection_settings(url: str) -> dict[str, Any]:
    """How long a driver waits, in seconds: for another process's write, or for a server that doesn't answer at all."""
    if url.startswith("sqlite"):
        return {"timeout": 60}
    return {"connect_timeout": _CONNECT_SECONDS} if url.startswith("postgresql") else {}


@dataclass(frozen=True)
class Retry:
    """Puts a lost trial's hyperparameters in the queue again, as a new trial.

    Optuna's own callback would also copy the pruner's notes, and the new trial would pass rungs that it never reached.
    """

    most: int  # how often one set of hyperparameters is tried again

    def __call__(self, study: optuna.Study, trial: FrozenTrial) -> None:
        history = [*trial.system_attrs.get("retry_history", []), trial.number]
        if len(history) > self.most:
            return
        system = {"failed_trial": history[0], "retry_history": history}  # the words that Optuna and its dashboard know
        if "fixed_params" in trial.system_attrs:
            system["fixed_params"] = trial.system_attrs["fixed_params"]
        again = create_trial(
            state=TrialState.WAITING, params=trial.params, distributions=trial.distributions, system_attrs=system
        )
        study.add_trial(again)


def trial_id(storage: BaseStorage, study: str, number: int) -> int:
    """By what the storage's operations know the trial of this number."""
    return storage.get_trial_id_from_study_id_trial_number(storage.get_study_id_from_name(study), number)


def give_back(study: optuna.Study, storage: BaseStorage, trial_id: int, *, reason: str, retries: int) -> None:
    """End a trial that could not be finished, and queue its hyperparameters again."""
    try:
        storage.set_trial_user_attr(trial_id, "reason", reason)
        storage.set_trial_state_values(trial_id, state=TrialState.FAIL)
    except UpdateFinishedTrialError:
        return  # told already
    Retry(retries)(study, storage.get_trial(trial_id))


@contextmanager
def exclusive(storage: PatientStorage, study: str) -> Iterator[None]:
    """Only one process at a time, on all machines, is inside for a study; a dead one is out.

    A server that is restarted meanwhile takes the lock with it; what is done inside goes on without.
    """
    if storage.engine.dialect.name == "sqlite":
        with FileLock(f"{storage.engine.url.database}.lock"):
            yield
    else:
        connection = storage.patiently(_lock, storage, study)
        try:
            yield
        finally:
            with suppress(SQLAlchemyError):  # the connection is lost, and the lock with it
                connection.rollback()  # the lock ends with the transaction
            connection.close()


def _lock(storage: PatientStorage, study: str) -> Connection:
    connection = storage.engine.connect()
    try:
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:study, 0))"), {"study": study})
    except BaseException:
        connection.close()
        raise
    return connection


class Heartbeat:
    """Says from a thread that a trial is alive, as long as the context lasts.

    A database that can't be reached for a while is tried again, so that a network's hiccup kills no trial.
    """

    def __init__(self, storage: PatientStorage, trial_id: int) -> None:
        self._storage = storage
        self._trial_id = trial_id
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True, name=f"heartbeat of trial {trial_id}")

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join()

    def _beat(self) -> None:
        while True:
            try:
                self._storage.record_heartbeat(self._trial_id)
            except Exception as error:  # drivers raise their own kinds
                _log.warning("The study's database doesn't answer (%s); trying again.", type(error).__name__)
            if self._stop.wait(self._storage.heartbeat_interval):
                return
