"""What a searching person reads in the terminal."""

from types import SimpleNamespace
from typing import Any

import pytest
from optuna.trial import TrialState, create_trial
from rich.console import Console

from thermal_landmarks.search.study import Trials
from thermal_landmarks.search.worker import progress_line, study_table


def study_of(name: str, states: str, asked: int) -> Any:
    """A study whose trials ended as the letters say: complete, pruned or failed; 1.5 is its best value."""
    made = {
        "C": {"state": TrialState.COMPLETE, "value": 1.5},
        "P": {"state": TrialState.PRUNED, "value": 2.25, "intermediate_values": {3: 2.25}},
        "F": {"state": TrialState.FAIL, "user_attrs": {"reason": "OutOfMemoryError: too large\nmore"}},
    }
    trials = [create_trial(**made[state]) for state in states]  # type: ignore[arg-type]
    for number, trial in enumerate(trials):
        trial.number = number
    plan, settings = SimpleNamespace(name=name), SimpleNamespace(trials=asked)
    return SimpleNamespace(plan=plan, settings=settings, trials=lambda: Trials(trials))


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ("F", "(1 of 4): [yellow]OutOfMemoryError: too large[/yellow]  no best yet  1 failed  ETA 1 h 50 min"),
        ("FC", "(2 of 4): 1.5  best [green]1.5[/green] (trial 1)  1 failed  ETA 1 h 40 min"),
        ("CPP", "(3 of 4): 2.25 pruned after epoch 3  best [green]1.5[/green] (trial 0)  2 pruned  ETA 1 h 30 min"),
    ],
)
def test_the_line_of_an_ended_trial_says_study_trial_best_pruned_and_the_time_left(states: str, expected: str) -> None:
    studies = [study_of("paper/conv-vit", states, asked=4), study_of("paper/conv-none", "", asked=8)]
    number = len(states) - 1
    line = progress_line(studies, studies[0], studies[0].trials().each[number], seconds_per_trial=600.0)
    assert line == f"[bold]paper/conv-vit[/bold] (1 of 2)  trial {number} {expected}"


def test_the_last_trial_of_the_only_study_leaves_nothing_to_wait_for() -> None:
    study = study_of("quick/conv-vit", "C", asked=1)
    line = progress_line([study], study, study.trials().each[0], seconds_per_trial=600.0)
    assert line == "[bold]quick/conv-vit[/bold]  trial 0 (1 of 1): 1.5  best [green]1.5[/green] (trial 0)  done"


def test_the_table_of_the_longest_studies_fits_80_columns() -> None:
    name = "twenty/alt_conv_bahdanau-bahdanau"
    counts = {"complete": 22, "pruned": 14, "failed": 10, "epochs_trained": 100, "epochs_without_pruning": 200}
    results = {"best_trial": 12, "best_value": 3.9861, **counts}
    study: Any = SimpleNamespace(plan=SimpleNamespace(name=name), results=lambda: results)
    console = Console(width=80)
    with console.capture() as shown:
        console.print(study_table([study]))
    text = shown.get()
    assert "…" not in text
    for word in (name, "best (trial)", "3.986 (12)", "pruned", "failed", "saved", "50%"):
        assert word in text
