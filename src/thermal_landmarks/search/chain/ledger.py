"""Who does which training of the chain, and what came out: kept in the studies' database, as trials of a study.

A training that runs is a trial with a heartbeat, so two machines never do the same one, and that of a killed process is
free again after `search.dead_after_seconds`. A finished one carries its metrics and its test subjects' errors, so the
database alone tells what is done, wherever the run folders are.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import optuna
from optuna.storages import fail_stale_trials
from optuna.trial import TrialState

from thermal_landmarks.errors import DataError
from thermal_landmarks.evaluation.comparison import read_errors
from thermal_landmarks.runs import RunFolder
from thermal_landmarks.search.storage import PatientStorage, exclusive, trial_id

State = Literal["open", "running", "done", "failed"]

_KEPT = ("model_id", "stem", "branch", "ensemble", "variant", "seed", "parameters", "gflops", "epochs", "best_epoch")
_MEASURED = ("test/", "val/", "seconds", "machine", "commit", "train_precision")

KIND_OF_STUDY = "kind"
"""User attribute of the ledger's study, which no search has."""


@dataclass(frozen=True)
class Entry:
    """What is known of a training."""

    state: State  # `open` if nobody has done it or does it
    record: Mapping[str, Any] = field(default_factory=dict)  # of a finished one: metrics and `subjects`
    reason: str = ""  # why it failed


class Ledger:
    """The trainings of one chain. The storage is opened with `retries=0`: a lost training is simply free again."""

    def __init__(self, storage: PatientStorage, study: str) -> None:
        self.storage = storage
        self.name = ledger_name(study)
        with exclusive(storage, self.name):
            self.study = optuna.create_study(
                study_name=self.name,
                storage=storage,
                sampler=optuna.samplers.RandomSampler(),
                direction="minimize",
                load_if_exists=True,
            )
            self.study.set_user_attr(KIND_OF_STUDY, "steps")

    def entries(self) -> dict[str, Entry]:
        """Every training that anybody has begun, by the name of its step."""
        fail_stale_trials(self.study)
        found: dict[str, Entry] = {}
        for trial in self.study.get_trials(deepcopy=False):
            step = trial.user_attrs.get("step")
            if step is None or (step in found and found[step].state in ("done", "running")):
                continue
            if trial.state == TrialState.COMPLETE:
                found[step] = Entry("done", trial.user_attrs["record"])
            elif trial.state == TrialState.RUNNING:
                found[step] = Entry("running")
            elif "reason" in trial.user_attrs:
                found[step] = Entry("failed", reason=trial.user_attrs["reason"])
            else:
                found[step] = Entry("open")
        return found

    def claim(self, step: str, *, again: bool = False) -> int | None:
        """The id of a trial that stands for the training, which is now this process's; None if it isn't open.

        `again`: one that failed is open, too.
        """
        with exclusive(self.storage, self.name):
            entry = self.entries().get(step, Entry("open"))
            if entry.state != "open" and not (again and entry.state == "failed"):
                return None
            trial = self.study.ask()
            claimed = trial_id(self.storage, self.name, trial.number)
            self.storage.patiently(self.storage.record_heartbeat, claimed)
            trial.set_user_attr("step", step)
            return claimed

    def complete(self, claimed: int, record: Mapping[str, Any]) -> None:
        """The training is done; `record` has `test/wing`."""
        self.storage.set_trial_user_attr(claimed, "record", dict(record))
        self.storage.set_trial_state_values(claimed, TrialState.COMPLETE, [float(record["test/wing"])])

    def fail(self, claimed: int, reason: str) -> None:
        """The training can't be done so."""
        self.storage.set_trial_user_attr(claimed, "reason", reason[:500])
        self.storage.set_trial_state_values(claimed, TrialState.FAIL)

    def release(self, claimed: int) -> None:
        """The training was stopped; whoever comes next goes on with it."""
        self.storage.set_trial_state_values(claimed, TrialState.FAIL)


def ledger_name(study: str) -> str:
    """The name of the study that holds a chain's trainings."""
    return f"{study} steps"


def outcome(folder: Path) -> dict[str, Any]:
    """The record of a run folder; `subjects` maps each test subject to its images and their mean NME.

    Raises:
        DataError: If the run has no test.
    """
    run = RunFolder(folder)
    metrics = json.loads(run.metrics.read_text(encoding="utf-8"))
    if metrics.get("test/wing") is None or not run.per_image.is_file():
        raise DataError(f"{folder}: the run has no test, so the chain can't use it. Set data.split.test above 0.")
    kept = {name: value for name, value in metrics.items() if name in _KEPT or name.startswith(_MEASURED)}
    errors = read_errors(folder).dropna().groupby("subject")["nme"].agg(["size", "mean"])
    subjects = {name: {"images": int(images), "nme": float(nme)} for name, images, nme in errors.itertuples()}
    return {**kept, "folder": str(folder), "subjects": subjects}
