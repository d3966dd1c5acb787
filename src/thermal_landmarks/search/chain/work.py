"""Does the chain's steps one after the other, always the first one that is open, and tells how far the chain is.

How long the rest takes follows from the time that its own work has taken so far.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import optuna
from omegaconf import DictConfig
from optuna.storages import fail_stale_trials
from optuna.trial import FrozenTrial
from rich import box
from rich.console import Console
from rich.table import Table

from thermal_landmarks.errors import ConfigError, UserError
from thermal_landmarks.runs import RunFolder
from thermal_landmarks.search.chain.ledger import Entry, Ledger, outcome
from thermal_landmarks.search.chain.steps import KINDS, Kind, Step
from thermal_landmarks.search.storage import Heartbeat, PatientStorage
from thermal_landmarks.search.study import Trials
from thermal_landmarks.search.worker import duration

console = Console(soft_wrap=True, highlight=False)

Measure = Literal["seconds", "processor_seconds"]

_OPEN = Entry("open")
_PAUSE_SECONDS = 5.0
_FAILURES_IN_A_ROW = 3
"""So many end the chain: then it isn't a configuration that fails, but the machine or the program."""

_HEADINGS = "model,trials,best,trained,ensem-\nble,no ro-\ntation,fewer\nlayers,heat\nmaps,per\nquery,left"


@dataclass(eq=False)
class Chain:
    """The paper's chain, as far as the database says that it is done."""

    cfg: DictConfig  # `conf/reproduce.yaml`
    steps: Sequence[Step]  # in the order in which they are done
    storage: PatientStorage  # of the studies
    ledger: Ledger  # of the trainings
    train: Callable[[list[str], bool], None]  # a command of `train`: arguments, and whether it is a search (--multirun)

    def __post_init__(self) -> None:
        self._given_up: set[str] = set()
        self._failures = 0
        self.look()

    def look(self) -> None:
        """Read from the database how far the chain is; a killed process's trial is queued again."""
        known = set(optuna.get_all_study_names(self.storage))
        self.searched: dict[str, Trials] = {step.study: Trials() for step in self.steps}
        for name in known.intersection(self.searched):
            study = optuna.load_study(study_name=name, storage=self.storage)
            fail_stale_trials(study)
            self.searched[name] = Trials.of(study)
        self.entries: dict[str, Entry] = self.ledger.entries()

    def run(self) -> None:
        """Do every step that can be done.

        Raises:
            Interrupted: On Ctrl-C or SIGTERM; what was running is handed back.
        """
        self.say()
        while True:
            step = next((step for step in self.steps if self._can_be_done(step)), None)
            if step is not None:
                self._search(step) if step.kind == "search" else self._train(step)
            elif self.cfg.wait and self._others_at_work():
                time.sleep(_PAUSE_SECONDS)
            else:
                break
            self.look()
        self.say()

    def say(self) -> None:
        """Print what is done, what is left and how long that takes one process."""
        console.print(self._table())
        for step in self.steps:
            if (entry := self._entry(step)).state == "failed":
                console.print(f"[yellow]{step.name} failed: {entry.reason}[/yellow]")
        whole = total(self.seconds_left().values())
        console.print(
            "Left for one process: not known before the first trial has ended."
            if whole is None
            else "All is done."
            if whole == 0
            else f"Left for one process as fast as those so far: {duration(whole)}"
        )

    def seconds_left(self, measure: Measure = "seconds") -> dict[str, float | None]:
        """How long one process needs for the rest of each step, by its name; None while nothing has been measured."""
        usual = _pace((trial for trials in self.searched.values() for trial in trials.each), measure)
        return {step.name: self._seconds_left(step, usual, measure) for step in self.steps}

    def _seconds_left(self, step: Step, usual: tuple[float, float] | None, measure: Measure) -> float | None:
        trials = self.searched[step.study]
        if step.kind == "search":
            pace = _pace(trials.each, measure) or usual
            return None if pace is None else max(0, self.cfg.trials - trials.ended) * pace[0]
        if self._entry(step).state in ("done", "failed"):
            return 0.0
        pace = _pace(trials.complete[:1], measure) or usual
        # Without rotated copies a training has three times its epochs, of a third of the images.
        return (
            None if pace is None else pace[1] * self.cfg.epochs * (self.cfg.ensemble if step.kind == "ensemble" else 1)
        )

    def _table(self) -> Table:
        """A row a model: what is done of each kind of step, and the time that is left; 80 columns wide."""
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
        for name in _HEADINGS.split(","):
            table.add_column(name, justify="left" if name == "model" else "right", no_wrap=True)
        left = self.seconds_left()
        for form, model_id in dict.fromkeys((step.form, step.model_id) for step in self.steps):
            own = [step for step in self.steps if (step.form, step.model_id) == (form, model_id)]
            trials = self.searched[own[0].study]
            table.add_row(
                f"{model_id}{' ours' * (form == 'ours')}",
                f"{trials.ended}/{self.cfg.trials}",
                f"{trials.best.value:.4g}" if trials.best else "",
                *(self._done(own, kind) for kind in KINDS[1:]),
                duration(total([left[step.name] for step in own])),
            )
        return table

    def _done(self, steps: Sequence[Step], kind: Kind) -> str:
        states = Counter(self._entry(step).state for step in steps if step.kind == kind)
        if not states:
            return ""
        text = f"{states['done']}/{states.total()}"
        return text + f" {states['failed']} failed" * (states["failed"] > 0) + " running" * (states["running"] > 0)

    def _entry(self, step: Step) -> Entry:
        return self.entries.get(step.name, _OPEN)

    def _can_be_done(self, step: Step) -> bool:
        if step.name in self._given_up:
            return False
        trials = self.searched[step.study]
        if step.kind == "search":
            return trials.has_open(self.cfg.trials)
        wanted = ("open", "failed") if self.cfg.retry_failed else ("open",)
        searched = trials.ended >= self.cfg.trials and trials.best is not None
        return searched and self._entry(step).state in wanted

    def _others_at_work(self) -> bool:
        searching = any(trials.ended < self.cfg.trials for trials in self.searched.values())
        return searching or any(entry.state == "running" for entry in self.entries.values())

    def _search(self, step: Step) -> None:
        self._announce(step)
        try:
            self.train(list(step.command), True)
        except UserError as error:
            self._failed(step, error)

    def _train(self, step: Step) -> None:
        trial_id = self.ledger.claim(step.name, again=self.cfg.retry_failed)
        if trial_id is None:  # another process was faster
            return
        self._announce(step)
        try:
            with Heartbeat(self.storage, trial_id):
                if not RunFolder(step.folder).finished:
                    self.train(arguments_of(step), False)
                record = outcome(step.folder)
        except Exception as error:
            self.ledger.fail(trial_id, f"{type(error).__name__}: {error}")
            self._failed(step, error)
        except BaseException:  # Ctrl-C, or a cluster that takes the machine away
            self.ledger.release(trial_id)
            raise
        else:
            self.ledger.complete(trial_id, record)
            self._failures = 0

    def _failed(self, step: Step, error: Exception) -> None:
        console.print(f"[yellow]{step.name} failed: {error}[/yellow]")
        self._given_up.add(step.name)
        self._failures += 1
        if self._failures >= _FAILURES_IN_A_ROW:
            raise ConfigError(
                f"{self._failures} steps in a row have failed, the last with {error}\nMend this; then "
                "retry_failed=true tries the trainings again."
            ) from error

    def _announce(self, step: Step) -> None:
        seconds = self.seconds_left()
        this, whole = duration(seconds[step.name]), duration(total(seconds.values()))
        console.print(f"[bold]{step.name}[/bold]  this step: {this}  all: {whole}")


def arguments_of(step: Step) -> list[str]:
    """Of `train`: a run that was stopped goes on."""
    if RunFolder(step.folder).last_checkpoint.exists():
        return [f"resume={step.folder}"]
    return [*step.command, f"output={step.folder}"]


def total(seconds: Iterable[float | None]) -> float | None:
    """The sum; None if a part isn't known."""
    known = list(seconds)
    return None if None in known else sum(filter(None, known))


def _pace(trials: Iterable[FrozenTrial], measure: Measure) -> tuple[float, float] | None:
    """Seconds of a trial and of an epoch, by the clock or the processor; None if none has been measured."""
    measured = [t.user_attrs for t in trials if t.user_attrs.get("epochs") and measure in t.user_attrs]
    if not measured:
        return None
    seconds = sum(facts[measure] for facts in measured)
    return seconds / len(measured), seconds / sum(facts["epochs"] for facts in measured)
