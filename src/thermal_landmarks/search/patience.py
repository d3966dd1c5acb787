"""A study's database that is gone for a while: restarted, out of reach, or on a disk that is full. It is waited for."""

import functools
import logging
import time
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from optuna.exceptions import StorageInternalError
from optuna.storages import BaseStorage, RDBStorage
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from thermal_landmarks.errors import ConfigError

_log = logging.getLogger(__name__)

_FIRST_PAUSE_SECONDS = 0.25
_LONGEST_PAUSE_SECONDS = 5.0

P = ParamSpec("P")
T = TypeVar("T")


class PatientStorage(RDBStorage):
    """Optuna's storage, whose every operation is tried again while the database is gone.

    Args:
        url: Of the database, without password.
        patience_seconds: How long an operation waits.
        **settings: Of `RDBStorage`.
    """

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
