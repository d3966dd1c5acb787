"""How a study's trials are counted, wherever it is: in a search, in the paper's chain, in a report."""

import optuna
import pytest
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState, create_trial

from thermal_landmarks.search.study import Trials

COMPLETE, PRUNED, FAIL, WAITING = TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL, TrialState.WAITING


@pytest.fixture
def lost_and_again() -> list[FrozenTrial]:
    """The first trial was lost and is complete as the fourth."""
    return [
        create_trial(state=FAIL),
        create_trial(value=2.0, user_attrs={"epochs": 5}),
        create_trial(state=PRUNED, value=3.0, intermediate_values={1: 4.0, 2: 3.0}),
        create_trial(value=1.0, user_attrs={"epochs": 5}, system_attrs={"retry_history": [0]}),
    ]


def trials_of(each: list[FrozenTrial], direction: StudyDirection = StudyDirection.MINIMIZE) -> Trials:
    study = optuna.create_study(direction=direction)
    study.add_trials(each)
    return Trials.of(study)


def test_a_lost_trial_counts_once(lost_and_again: list[FrozenTrial]) -> None:
    trials = trials_of(lost_and_again)
    assert [trial.number for trial in trials.each] == [1, 2, 3]
    assert (trials.count(COMPLETE), trials.count(FAIL), trials.count(COMPLETE, PRUNED), trials.ended) == (2, 0, 3, 3)


@pytest.mark.parametrize(("direction", "best"), [(StudyDirection.MINIMIZE, [3, 1]), (StudyDirection.MAXIMIZE, [1, 3])])
def test_the_best_comes_first(lost_and_again: list[FrozenTrial], direction: StudyDirection, best: list[int]) -> None:
    trials = trials_of(lost_and_again, direction)
    assert [trial.number for trial in trials.complete] == best
    assert trials.best is not None
    assert trials.best.number == best[0]


def test_epochs_are_those_told_or_else_those_reported(lost_and_again: list[FrozenTrial]) -> None:
    trials = trials_of(lost_and_again)
    assert (trials.epochs(), trials.epochs(COMPLETE), trials.epochs(FAIL)) == (12, 10, 0)


def test_a_study_is_open_while_a_trial_waits_or_is_missing(lost_and_again: list[FrozenTrial]) -> None:
    assert trials_of(lost_and_again).has_open(4)
    assert not trials_of(lost_and_again).has_open(3)
    assert trials_of([*lost_and_again, create_trial(state=WAITING)]).has_open(3)
    assert Trials().has_open(1)
    assert Trials().best is None
