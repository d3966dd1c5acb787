"""Does the chain's steps one after the other: always the first one that is open, in this process."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from omegaconf import DictConfig
from rich.console import Console

from thermal_landmarks.errors import ConfigError, UserError
from thermal_landmarks.runs import RunFolder
from thermal_landmarks.search.chain.ledger import Entry, Ledger, outcome
from thermal_landmarks.search.chain.progress import Measure, Pace, progress_table, searched, seconds_left, total
from thermal_landmarks.search.chain.steps import Step
from thermal_landmarks.search.storage import Heartbeat, PatientStorage
from thermal_landmarks.search.study import Trials
from thermal_landmarks.search.worker import duration

console = Console(soft_wrap=True, highlight=False)

_OPEN = Entry("open")
_PAUSE_SECONDS = 5.0
_FAILURES_IN_A_ROW = 3
"""So many end the chain: then it isn't a configuration that fails, but the machine or the program."""


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
        """Read from the database how far the chain is."""
        self.searched: dict[str, Trials] = searched(self.storage, self.steps)
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
        left = self.seconds_left()
        console.print(progress_table(self.steps, self.searched, self.entries, left, self.cfg.trials))
        whole = total(left.values())
        for step in self.steps:
            if (entry := self.entries.get(step.name, _OPEN)).state == "failed":
                console.print(f"[yellow]{step.name} failed: {entry.reason}[/yellow]")
        console.print(
            "Left for one process: not known before the first trial has ended."
            if whole is None
            else "All is done."
            if whole == 0
            else f"Left for one process as fast as those so far: {duration(whole)}"
        )

    def seconds_left(self, measure: Measure = "seconds") -> dict[str, float | None]:
        """Of each step, by its name; by the clock or the processor."""
        usual = Pace.of((trial for trials in self.searched.values() for trial in trials.each), measure)
        return {
            step.name: seconds_left(
                step, self.searched[step.study], self.entries.get(step.name, _OPEN), usual, self.cfg, measure
            )
            for step in self.steps
        }

    def _can_be_done(self, step: Step) -> bool:
        if step.name in self._given_up:
            return False
        trials = self.searched[step.study]
        if step.kind == "search":
            return trials.has_open(self.cfg.trials)
        wanted = ("open", "failed") if self.cfg.retry_failed else ("open",)
        searched = trials.ended >= self.cfg.trials and trials.best is not None
        return searched and self.entries.get(step.name, _OPEN).state in wanted

    def _others_at_work(self) -> bool:
        searching = any(trials.ended < self.cfg.trials for trials in self.searched.values())
        return searching or any(entry.state == "running" for entry in self.entries.values())

    def _search(self, step: Step) -> None:
        self._announce(step)
        try:
            self.train(list(step.command), True)
        except UserError as error:
            self._failed(step, error)

    def _failed(self, step: Step, error: Exception) -> None:
        console.print(f"[yellow]{step.name} failed: {error}[/yellow]")
        self._given_up.add(step.name)
        self._failures += 1
        if self._failures >= _FAILURES_IN_A_ROW:
            raise ConfigError(
                f"{self._failures} steps in a row have failed, the last with {error}\nMend this; then "
                "retry_failed=true tries the trainings again."
            ) from error

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

    def _announce(self, step: Step) -> None:
        seconds = self.seconds_left()
        this, whole = duration(seconds[step.name]), duration(total(seconds.values()))
        console.print(f"[bold]{step.name}[/bold]  this step: {this}  all: {whole}")


def arguments_of(step: Step) -> list[str]:
    """Of `train`: a run that was stopped goes on."""
    if RunFolder(step.folder).last_checkpoint.exists():
        return [f"resume={step.folder}"]
    return [*step.command, f"output={step.folder}"]
