"""What of the chain is done, what is left and how long that takes, by the time that its own work has taken so far."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import optuna
from omegaconf import DictConfig
from optuna.storages import fail_stale_trials
from optuna.trial import FrozenTrial
from rich import box
from rich.table import Table

from thermal_landmarks.search.chain.ledger import Entry
from thermal_landmarks.search.chain.steps import KINDS, Kind, Step
from thermal_landmarks.search.storage import PatientStorage
from thermal_landmarks.search.study import Trials
from thermal_landmarks.search.worker import duration

Measure = Literal["seconds", "processor_seconds"]


def searched(storage: PatientStorage, steps: Sequence[Step]) -> dict[str, Trials]:
    """The trials of each search of the chain; a killed process's trial is queued again."""
    known = set(optuna.get_all_study_names(storage))
    found = {}
    for name in dict.fromkeys(step.study for step in steps):
        found[name] = Trials()
        if name in known:
            study = optuna.load_study(study_name=name, storage=storage)
            fail_stale_trials(study)
            found[name] = Trials.of(study)
    return found


@dataclass(frozen=True)
class Pace:
    """How fast the chain's trials have been: seconds of a trial and of an epoch, by the clock or the processor."""

    trial: float
    epoch: float

    @classmethod
    def of(cls, trials: Iterable[FrozenTrial], measure: Measure) -> "Pace | None":
        """None if none of the trials has been measured."""
        measured = [t.user_attrs for t in trials if t.user_attrs.get("epochs") and measure in t.user_attrs]
        if not measured:
            return None
        seconds = sum(facts[measure] for facts in measured)
        return cls(seconds / len(measured), seconds / sum(facts["epochs"] for facts in measured))


def seconds_left(
    step: Step, trials: Trials, entry: Entry, usual: Pace | None, cfg: DictConfig, measure: Measure = "seconds"
) -> float | None:
    """How long one process needs for the rest of a step; None while nothing has been measured.

    `usual` is the pace of all trials of the chain, for a search that has none. Without rotated copies a training has
    three times its epochs, of a third of the images.
    """
    if step.kind == "search":
        pace = Pace.of(trials.each, measure) or usual
        return None if pace is None else max(0, cfg.trials - trials.ended) * pace.trial
    if entry.state in ("done", "failed"):
        return 0.0
    pace = Pace.of(trials.complete[:1], measure) or usual
    return None if pace is None else pace.epoch * cfg.epochs * (cfg.ensemble if step.kind == "ensemble" else 1)


def progress_table(
    steps: Sequence[Step],
    found: Mapping[str, Trials],
    entries: Mapping[str, Entry],
    left: Mapping[str, float | None],
    wanted: int,
) -> Table:
    """A row a model: what is done of each kind of step, and the time that is left; 80 columns wide."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for name in (
        "model",
        "trials",
        "best",
        "trained",
        "ensem-\nble",
        "no ro-\ntation",
        "fewer\nlayers",
        "heat\nmaps",
        "per\nquery",
        "left",
    ):
        table.add_column(name, justify="left" if name == "model" else "right", no_wrap=True)
    for form, model_id in dict.fromkeys((step.form, step.model_id) for step in steps):
        own = [step for step in steps if (step.form, step.model_id) == (form, model_id)]
        trials = found[own[0].study]
        table.add_row(
            f"{model_id}{' ours' * (form == 'ours')}",
            f"{trials.ended}/{wanted}",
            f"{trials.best.value:.4g}" if trials.best else "",
            *(_done(own, kind, entries) for kind in KINDS[1:]),
            duration(total([left[step.name] for step in own])),
        )
    return table


def total(seconds: Iterable[float | None]) -> float | None:
    """The sum; None if a part isn't known."""
    known = list(seconds)
    return None if None in known else sum(filter(None, known))


def _done(steps: Sequence[Step], kind: Kind, entries: Mapping[str, Entry]) -> str:
    states = Counter(entries.get(step.name, Entry("open")).state for step in steps if step.kind == kind)
    if not states:
        return ""
    text = f"{states['done']}/{states.total()}"
    return text + f" {states['failed']} failed" * (states["failed"] > 0) + " running" * (states["running"] > 0)
