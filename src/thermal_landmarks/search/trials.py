"""A study's trials as everybody counts them: those that were lost and are tried again are left out."""

from collections.abc import Sequence
from dataclasses import dataclass

import optuna
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState


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
