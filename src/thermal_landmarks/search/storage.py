"""Where studies are kept: SQLite or PostgreSQL, with heartbeats, so that a killed process's trial is run again.

A database that is gone for a while (restarted, out of reach, on a disk that is full) is waited for.

A password of PostgreSQL's stays out of everything that is written or printed: its client library reads PGPASSWORD and
`~/.pgpass` itself, so the URL that travels needs none.
"""

import functools
import logging
import os
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import optuna
from filelock import FileLock
from optuna.exceptions import ExperimentalWarning, StorageInternalError, UpdateFinishedTrialError
from optuna.storages import BaseStorage, RDBStorage
from optuna.trial import FrozenTrial, TrialState, create_trial
from sqlalchemy import Connection, make_url, text
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    IntegrityError,
    InterfaceError,
    NoSuchModuleError,
    OperationalError,
    ProgrammingError,
    SQLAlchemyError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from thermal_landmarks.errors import ConfigError

_log = logging.getLogger(__name__)

_ATTEMPTS = 20  # to open a new database while other processes make its tables
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.25, 5.0
_CONNECT_SECONDS = 4


P = ParamSpec("P")
T = TypeVar("T")


class PatientStorage(RDBStorage):
    """Optuna's storage, whose every operation is tried again for `patience_seconds` while the database is gone."""

    def __init__(self, url: str, *, patience_seconds: float, **settings: Any) -> None:
        self.patience_seconds = 0.0  # a search that can't begin says so at once
        self._given_up = False
        super().__init__(url, **settings)
        self.patience_seconds = patience_seconds

    def patiently(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a function that uses the database, again and again while that is gone.

        Raises:
            ConfigError: If it stays away for longer than `patience_seconds`; later calls don't wait any more.
        """
        began, pause = time.monotonic(), _FIRST_PAUSE_SECONDS
        while True:
            try:
                return function(*args, **kwargs)
            except (SQLAlchemyError, StorageInternalError) as error:
                if self.patience_seconds == 0 or not _is_gone(error):
                    raise
                waited = time.monotonic() - began
                if self._given_up or waited > self.patience_seconds:
                    self._given_up = True
                    raise ConfigError(
                        f"search.storage={self.url} hasn't answered for {waited:.0f} s ({reason_of(error)}). What was "
                        "told before is kept: fix the database and give the same command again."
                    ) from error
                if pause == _FIRST_PAUSE_SECONDS:
                    _log.warning(
                        "The study's database doesn't answer (%s); waiting up to %.0f s for it.",
                        reason_of(error),
                        self.patience_seconds,
                    )
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)


def _is_gone(error: Exception) -> bool:
    cause = error.__cause__ if isinstance(error, StorageInternalError) else error
    if isinstance(cause, OperationalError | InterfaceError | PoolTimeoutError):
        return "no such table" not in str(cause)
    return isinstance(cause, DBAPIError) and cause.connection_invalidated


def reason_of(error: Exception) -> str:
    """What the database said, its first line."""
    cause = error.__cause__ if isinstance(error, StorageInternalError) else error
    return str(getattr(cause, "orig", None) or cause).strip().splitlines()[0]


def _patient(name: str) -> Callable[..., Any]:
    operation = getattr(RDBStorage, name)

    @functools.wraps(operation)
    def method(self: PatientStorage, *args: Any, **kwargs: Any) -> Any:
        return self.patiently(operation, self, *args, **kwargs)

    return method


# Optuna's cache, which stands before each of its storages, also calls the last five. Heartbeats try again themselves.
_OPERATIONS = (
    *(name for name in vars(BaseStorage) if name.startswith(("create", "delete", "set", "get"))),
    *("_create_new_trial", "_set_trial_param", "_get_best_trial_id", "_get_trials", "_get_stale_trial_ids"),
)
for _name in _OPERATIONS:
    setattr(PatientStorage, _name, _patient(_name))


def open_storage(settings: Mapping[str, Any], *, made: bool = False) -> PatientStorage:
    """The database of `conf/search`, made if missing; `made`: who asked for the trial has made and checked its tables.

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
    open_once = functools.partial(
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
                time.sleep(_FIRST_PAUSE_SECONDS)  # another process is making the same tables
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


def give_back(study: optuna.Study, storage: RDBStorage, trial_id: int, reason: str) -> None:
    """End a trial that could not be finished, and queue its hyperparameters again."""
    try:
        storage.set_trial_user_attr(trial_id, "reason", reason)
        storage.set_trial_state_values(trial_id, state=TrialState.FAIL)
    except UpdateFinishedTrialError:
        return  # told already
    queue_again = storage.get_heartbeat_stale_trial_callback()
    assert queue_again is not None
    queue_again(study, storage.get_trial(trial_id))


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
