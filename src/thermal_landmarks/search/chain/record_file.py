"""The chain's part of the database as one small file, from which another database goes on: gzipped JSON.

What was running or lost is left out, so nothing in it waits for a process of another machine.
"""

import gzip
import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, distribution_to_json, json_to_distribution
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState, create_trial

from thermal_landmarks.errors import ConfigError, DataError
from thermal_landmarks.search.storage import PatientStorage
from thermal_landmarks.search.study import Trials

_FORMAT = 1
_KEPT_STATES = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)


def write_record(storage: PatientStorage, names: Sequence[str], path: Path) -> int:
    """Write the studies of these names, those that exist; returns how many trials."""
    known = set(optuna.get_all_study_names(storage))
    studies = [_study(storage, name) for name in names if name in known]
    content = {"format": _FORMAT, "studies": studies}
    text = json.dumps(content, separators=(",", ":"), sort_keys=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.encode(), mtime=0))  # the same content gives the same file
    return sum(len(study["trials"]) for study in studies)


def read_record(storage: PatientStorage, path: Path) -> int:
    """Add to each study the trials of the file that it lacks; returns how many.

    A trial is the same if it was started at the same moment, so a file may be read twice.

    Raises:
        ConfigError: If there is no such file.
        DataError: If the file is none of ours.
    """
    if not path.is_file():
        raise ConfigError(f"file={path}: there is no such file. Give one that action=export has written.")
    try:
        content = json.loads(gzip.decompress(path.read_bytes()))
        if content["format"] != _FORMAT:
            raise ValueError(f"format {content['format']}, expected {_FORMAT}")
        studies = content["studies"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path}: is no record of action=export ({error}). Write it again.") from error
    return sum(_restore(storage, study) for study in studies)


def _study(storage: PatientStorage, name: str) -> dict[str, Any]:
    study = optuna.load_study(study_name=name, storage=storage)
    kept = [trial for trial in Trials.of(study).of_state(*_KEPT_STATES) if _told(trial)]
    ranges: dict[str, BaseDistribution] = {}
    for trial in kept:
        ranges |= trial.distributions
    return {
        "name": name,
        "direction": study.direction.name,
        "user": study.user_attrs,
        "system": storage.get_study_system_attrs(storage.get_study_id_from_name(name)),
        "ranges": {key: distribution_to_json(value) for key, value in ranges.items()},
        "trials": [_trial(trial) for trial in kept],
    }


def _told(trial: FrozenTrial) -> bool:
    """Whether a failed trial has failed by itself; one that was stopped is done again."""
    return trial.state != TrialState.FAIL or trial.user_attrs.get("reason", "interrupted") != "interrupted"


def _trial(trial: FrozenTrial) -> dict[str, Any]:
    return {
        "state": trial.state.name,
        "value": trial.value if trial.state == TrialState.COMPLETE else None,
        "params": trial.params,
        "user": {key: value for key, value in trial.user_attrs.items() if key != "worker"},
        "pruner": {key: value for key, value in trial.system_attrs.items() if "rung" in key},
        "epochs": [[step, value] for step, value in sorted(trial.intermediate_values.items())],
        "start": trial.datetime_start and trial.datetime_start.isoformat(),
        "end": trial.datetime_complete and trial.datetime_complete.isoformat(),
    }


def _restore(storage: PatientStorage, content: dict[str, Any]) -> int:
    study = optuna.create_study(
        study_name=content["name"],
        storage=storage,
        direction=StudyDirection[content["direction"]],
        load_if_exists=True,
    )
    if not study.user_attrs:
        for key, value in content["user"].items():
            study.set_user_attr(key, value)
        for key, value in content["system"].items():
            storage.set_study_system_attr(storage.get_study_id_from_name(study.study_name), key, value)
    ranges = {key: json_to_distribution(value) for key, value in content["ranges"].items()}
    present = {trial.datetime_start for trial in study.get_trials(deepcopy=False)}
    missing = [trial for trial in content["trials"] if _moment(trial["start"]) not in present]
    for trial in missing:
        study.add_trial(_frozen(trial, ranges))
    return len(missing)


def _frozen(content: dict[str, Any], ranges: dict[str, BaseDistribution]) -> FrozenTrial:
    trial = create_trial(
        state=TrialState[content["state"]],
        value=content["value"],
        params=content["params"],
        distributions={key: ranges[key] for key in content["params"]},
        user_attrs=content["user"],
        system_attrs=content["pruner"],
        intermediate_values={int(step): value for step, value in content["epochs"]},
    )
    trial.datetime_start, trial.datetime_complete = _moment(content["start"]), _moment(content["end"])
    return trial


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
