"""What a search prints: one line for each ended trial, and a table of its studies at the end."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from optuna.trial import FrozenTrial, TrialState
from rich import box
from rich.table import Table

if TYPE_CHECKING:
    from thermal_landmarks.search.study import SharedStudy


def progress_line(
    studies: Sequence["SharedStudy"], study: "SharedStudy", trial: FrozenTrial, seconds_per_trial: float
) -> str:
    """`paper/conv-vit (4 of 20)  trial 27 (28 of 40): 0.41  best 0.32 (trial 3)  12 pruned  ETA 1 h 05 min`."""
    trials = study.trials()
    parts = [f"[bold]{study.plan.name}[/bold]"]
    if len(studies) > 1:
        parts[0] += f" ({studies.index(study) + 1} of {len(studies)})"
    parts.append(f"trial {trial.number} ({trials.ended} of {study.settings.trials}): {_outcome(trial)}")
    best = trials.best
    parts.append("no best yet" if best is None else f"best [green]{best.value:.4g}[/green] (trial {best.number})")
    parts += [
        f"{count} {word}"
        for state, word in ((TrialState.PRUNED, "pruned"), (TrialState.FAIL, "failed"))
        if (count := trials.count(state))
    ]
    left = sum(max(0, s.settings.trials - s.trials().ended) for s in studies)
    parts.append(f"ETA {duration(left * seconds_per_trial)}" if left else "done")
    return "  ".join(parts)


def study_table(studies: Sequence["SharedStudy"]) -> Table:
    """Best trial and counts of each study, and the share of its epochs that pruning has saved; 80 columns wide."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for name in ("study", "best (trial)", "done", "pruned", "failed", "saved"):
        table.add_column(name, justify="left" if name == "study" else "right", no_wrap=True)
    for study in studies:
        found = study.results()
        whole = found["epochs_without_pruning"]
        table.add_row(
            study.plan.name,
            "none" if found["best_trial"] is None else f"{found['best_value']:.4g} ({found['best_trial']})",
            *(str(found[name]) for name in ("complete", "pruned", "failed")),
            f"{1 - found['epochs_trained'] / whole:.0%}" if whole else "",
        )
    return table


def _outcome(trial: FrozenTrial) -> str:
    if trial.state == TrialState.COMPLETE:
        return f"{trial.value:.4g}"
    if trial.state == TrialState.PRUNED:
        return f"{trial.value:.4g} pruned after epoch {trial.last_step}"
    return f"[yellow]{str(trial.user_attrs.get('reason', trial.state.name)).splitlines()[0]}[/yellow]"


def duration(seconds: float | None) -> str:
    """`1 h 05 min`, `12 min`, `done`; a question mark if nobody knows."""
    if seconds is None:
        return "?"
    minutes = math.ceil(seconds / 60)
    if minutes < 60:
        return f"{minutes} min" if minutes else "done"
    return f"{minutes // 60} h {minutes % 60:02d} min"
