"""Optuna studies as a report shows them: trials, the best one, importances."""

from pathlib import Path
from typing import Any

import optuna

from thermal_landmarks.errors import ConfigError, said_by
from thermal_landmarks.reporting.published import order
from thermal_landmarks.reporting.report.stored import require_usual_trials
from thermal_landmarks.search.chain.ledger import KIND_OF_STUDY
from thermal_landmarks.search.storage import connection_settings
from thermal_landmarks.search.study import Trials

DEFAULT_FILE = Path("outputs/studies.db")


class Search:
    """A study, named `PREFIX/STEM-BRANCH`, with its user attributes: stem, branch, model_id, data, scheme, ..."""

    def __init__(self, study: optuna.Study) -> None:
        self.study = study
        self.name = study.study_name
        self.attributes: dict[str, Any] = dict(study.user_attrs)
        self.trials = Trials.of(study)

    @property
    def prefix(self) -> str:
        """Name of the search that the study is a part of."""
        return self.name.rpartition("/")[0] or self.name

    @property
    def model_id(self) -> str:
        return str(self.attributes.get("model_id", "–"))

    @property
    def varied(self) -> list[str]:
        """Names of the hyperparameters that differ between complete trials."""
        complete = self.trials.complete
        names = sorted({name for trial in complete for name in trial.params})
        return [name for name in names if len({repr(trial.params.get(name)) for trial in complete}) > 1]


def storage_url(studies: str | None) -> str | None:
    """The storage that `studies=` means: an Optuna URL, an SQLite file, or `auto` (outputs/studies.db if it is there).

    Raises:
        ConfigError: If it is a file that doesn't exist.
    """
    if studies is None:
        return None
    if "://" in studies and not studies.startswith("sqlite:///"):
        return studies
    path = DEFAULT_FILE if studies == "auto" else Path(studies.removeprefix("sqlite:///").partition("?")[0])
    if path.is_file():
        return f"sqlite:///{path}"
    if studies == "auto":
        return None
    raise ConfigError(f"studies={studies}: there is no such file. Give an Optuna storage, or studies=null.")


def load_searches(url: str) -> list[Search]:
    """All studies of a storage that have trials, in the paper's order of models.

    Raises:
        ConfigError: If the storage can't be read.
    """
    try:
        engine = {"connect_args": connection_settings(url)}
        storage = optuna.storages.RDBStorage(url, engine_kwargs=engine) if url.startswith("postgresql") else url
        names = optuna.get_all_study_names(storage)
        studies = [optuna.load_study(study_name=name, storage=storage) for name in names]
        shown = [study for study in studies if study.trials and KIND_OF_STUDY not in study.user_attrs]
        for study in shown:
            require_usual_trials(study.trials)
        searches = [Search(study) for study in shown]
    except Exception as error:  # a missing driver; Optuna raises almost anything on a damaged database
        raise ConfigError(f"studies={_without_password(url)} can't be read: {said_by(error)}") from error
    return sorted(searches, key=lambda search: (search.prefix, order(search.model_id), search.name))


def _without_password(url: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"
