"""What a searching person reads in the terminal."""

from types import SimpleNamespace
from typing import Any

from rich.console import Console

from thermal_landmarks.search.progress import study_table


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
