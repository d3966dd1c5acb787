"""One study as its workers see it: the next trial, how many there are, and the results file.

The database is the only thing that workers share. Whoever asks for a trial holds the study's lock, so the number of
trials is exact however many processes ask.
"""

import hashlib
import os
import socket
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
from omegaconf import DictConfig
from optuna.distributions import check_distribution_compatibility
from optuna.samplers import BaseSampler
from optuna.storages import fail_stale_trials
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from thermal_landmarks.building import build
from thermal_landmarks.errors import ConfigError
from thermal_landmarks.evaluation.measures import best_is
from thermal_landmarks.old_names import todays_flat_settings
from thermal_landmarks.runs import write_json
from thermal_landmarks.search.plan import StudyPlan, epochs_of, write_range
from thermal_landmarks.search.storage import PatientStorage, exclusive, give_back, trial_id
from thermal_landmarks.settings import of_trials


def replaced_trials(trials: Sequence[FrozenTrial]) -> set[int]:
    """Numbers of the lost trials that have been queued again."""
    return {number for trial in trials for number in trial.system_attrs.get("retry_history", [])}


def without_lost(trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
    """All trials but those that were lost and are tried again."""
    replaced = replaced_trials(trials)
    return [trial for trial in trials if trial.number not in replaced]


@dataclass(frozen=True)
class Trials:
    """How far a study is, and what it has found."""

    each: Sequence[FrozenTrial] = ()
    direction: StudyDirection = StudyDirection.MINIMIZE

    @classmethod
    def of(cls, study: optuna.Study) -> "Trials":
        """Those of a study at this moment."""
        return cls(without_lost(study.get_trials(deepcopy=False)), study.direction)

    @property
    def complete(self) -> list[FrozenTrial]:
        """Those with a value, the best first."""
        valued = [trial for trial in self.each if trial.state == TrialState.COMPLETE and trial.value is not None]
        return sorted(valued, key=lambda t: t.value or 0.0, reverse=self.direction == StudyDirection.MAXIMIZE)

    @property
    def best(self) -> FrozenTrial | None:
        """The complete trial with the best value, or None while there is none."""
        return next(iter(self.complete), None)

    def of_state(self, *states: TrialState) -> list[FrozenTrial]:
        return [trial for trial in self.each if trial.state in states]

    def count(self, *states: TrialState) -> int:
        return len(self.of_state(*states))

    @property
    def ended(self) -> int:
        """How many are complete, pruned or failed."""
        return sum(trial.state.is_finished() for trial in self.each)

    def has_open(self, wanted: int) -> bool:
        """Whether a trial is left that nobody has taken, of a study that ends with so many."""
        return self.count(TrialState.WAITING) > 0 or len(self.each) < wanted

    def epochs(self, *states: TrialState) -> int:
        """Epochs of trials of these states together (none named: of all).

        A trial that doesn't tell counts those that it reported a value of.
        """
        counted = self.of_state(*states) if states else self.each
        return sum(trial.user_attrs.get("epochs", len(trial.intermediate_values)) for trial in counted)


class SharedStudy:
    """A study in the database, opened or made.

    Raises:
        ConfigError: If a study of this name has other settings, or ranges that contradict these.
    """

    def __init__(self, plan: StudyPlan, storage: PatientStorage) -> None:
        self.plan = plan
        self.storage = storage
        self.settings: DictConfig = plan.config.search
        self.folder = Path(plan.config.hydra.sweep.dir) / plan.folder_name
        direction: Any = self.settings.direction or f"{best_is(plan.config.objective)}imize"
        with exclusive(storage, plan.name):
            self.study = optuna.create_study(
                study_name=plan.name,
                storage=storage,
                sampler=self._sampler(0),
                direction=direction,
                load_if_exists=True,
            )
            self._keep_facts()
            self._require_fitting_ranges()
        self._asking = threading.Lock()  # the sampler is this process's

    def ask(self) -> optuna.Trial | None:
        """A new trial with its hyperparameters, alive and with a folder; None if the study has all its trials.

        Trials of dead processes are queued again first.
        """
        with self._asking, exclusive(self.storage, self.plan.name):
            self._recover()
            if not self.trials().has_open(self.settings.trials):
                return None
            self.study.sampler = self._sampler(len(self.study.get_trials(deepcopy=False)))
            trial = self.study.ask(dict(self.plan.space))
            self.storage.patiently(self.storage.record_heartbeat, self.trial_id(trial.number))
            trial.set_user_attr("worker", _this_process())
            trial.set_user_attr("folder", str(self._new_folder(trial.number)))  # last: see `_recover`
        return trial

    def hand_back(self) -> None:
        """Queue again what this process had asked for and not finished, instead of leaving it to its heartbeat."""
        for trial in self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            if trial.user_attrs.get("worker") == _this_process():
                self.give_back(trial.number, "interrupted")

    def give_back(self, number: int, reason: str) -> None:
        """End a trial that could not be finished, and queue its hyperparameters again."""
        give_back(self.study, self.storage, self.trial_id(number), reason)

    def trial_id(self, number: int) -> int:
        """By what the storage's operations know a trial."""
        return trial_id(self.storage, self.plan.name, number)

    def trials(self) -> Trials:
        """As they are now."""
        return Trials.of(self.study)

    def results(self) -> dict[str, Any]:
        """What `results.json` holds: the best trial, counts, and epochs trained and saved."""
        trials = self.trials()
        best, measured = trials.best, (TrialState.COMPLETE, TrialState.PRUNED)
        return {
            "study": self.plan.name,
            "storage": self.settings.storage,
            **self.plan.facts(),
            "best_trial": best and best.number,
            "best_value": best and best.value,
            "best_params": best and best.params,
            "best_folder": best and best.user_attrs.get("folder"),
            "complete": trials.count(TrialState.COMPLETE),
            "pruned": trials.count(TrialState.PRUNED),
            "failed": trials.count(TrialState.FAIL),
            "unfinished": trials.count(TrialState.RUNNING, TrialState.WAITING),
            # both of complete and pruned trials
            "epochs_trained": trials.epochs(*measured),
            "epochs_without_pruning": trials.count(*measured) * epochs_of(self.plan.config),
        }

    def write_results(self) -> Path:
        """Replace `results.json` in the study's folder."""
        path = self.folder / "results.json"
        write_json(path, self.results())
        return path

    def _recover(self) -> None:
        fail_stale_trials(self.study)
        for trial in self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            if "folder" not in trial.user_attrs:  # its process died in `ask`, maybe before the first heartbeat
                self.give_back(trial.number, "died")

    def _sampler(self, asked: int) -> BaseSampler:
        """The configured sampler; a seed is mixed with the study and the count of trials, so that no draw repeats."""
        settings = dict(self.settings.sampler)
        if settings.get("seed") is not None:
            mixed = hashlib.blake2b(f"{settings['seed']} {self.plan.name} {asked}".encode(), digest_size=4)
            settings["seed"] = int.from_bytes(mixed.digest(), "big")
        elif asked:
            return self.study.sampler
        return build("sampler", settings)

    def _new_folder(self, number: int) -> Path:
        """A folder that doesn't exist: an older study of this name, since deleted, may have left one."""
        folder, again = self.folder / f"{number:03d}", 1
        while folder.exists():
            again += 1
            folder = self.folder / f"{number:03d}_{again}"
        return folder

    def _require_fitting_ranges(self) -> None:
        """A range of numbers may grow or shrink; other choices, or another kind of range, make another study."""
        for trial in self.study.get_trials(deepcopy=False):
            for name, now in self.plan.space.items():
                then = trial.distributions.get(name, now)
                try:
                    check_distribution_compatibility(then, now)
                except ValueError:
                    raise ConfigError(
                        f"The study {self.plan.name} has been searched with {name}={write_range(then)}, now it is "
                        f"{write_range(now)}, and its sampler can't use both. Repeat the range, or name a new study: "
                        "search.study=NAME."
                    ) from None

    def _keep_facts(self) -> None:
        settings = self.plan.settings()
        study_id = self.storage.get_study_id_from_name(self.plan.name)
        kept = self.storage.get_study_system_attrs(study_id).get("settings", settings)
        earlier = of_trials({key: str(value) for key, value in todays_flat_settings(kept).items()})
        changed = sorted(key for key in {*settings, *earlier} if settings.get(key) != earlier.get(key))
        if changed:
            listed = "\n".join(f"  {key}: {earlier.get(key)} then, {settings.get(key)} now" for key in changed[:10])
            raise ConfigError(
                f"The study {self.plan.name} has been searched with other settings, so its trials can't be compared "
                f"with new ones:\n{listed}\nRepeat its settings, or name a new study: search.study=NAME."
            )
        self.storage.set_study_system_attr(study_id, "settings", settings)
        self.study.set_metric_names([self.plan.config.objective])
        for key, value in self.plan.facts().items():
            self.study.set_user_attr(key, value)


def _this_process() -> str:
    return f"{socket.gethostname()} {os.getpid()}"
