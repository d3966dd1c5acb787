"""What the ledger keeps of a finished training: its metrics, and the test error of each subject for the bootstrap."""

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from thermal_landmarks.errors import DataError
from thermal_landmarks.runs import RunFolder

_KEPT = ("model_id", "stem", "branch", "ensemble", "variant", "seed", "parameters", "gflops", "epochs", "best_epoch")
_MEASURED = ("test/", "val/", "seconds", "machine", "commit", "train_precision")


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
    with run.per_image.open(newline="", encoding="utf-8") as file:
        return {**kept, "folder": str(folder), "subjects": _by_subject(csv.DictReader(file))}


def _by_subject(rows: Any) -> dict[str, Mapping[str, float]]:
    errors: dict[str, list[float]] = {}
    for row in rows:
        if row["nme"]:
            errors.setdefault(row["subject"], []).append(float(row["nme"]))
    return {
        subject: {"images": len(values), "nme": sum(values) / len(values)} for subject, values in sorted(errors.items())
    }
