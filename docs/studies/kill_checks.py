"""What `kill.py` reads after each kill and compares at each end: tracks, a training's files, a study's trials."""

import csv
import json
import sqlite3
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import optuna
import pandas as pd
import torch
from optuna.trial import FrozenTrial, TrialState

from thermal_landmarks.data.video import open_video
from thermal_landmarks.runs import PROGRESS, RunFolder
from thermal_landmarks.search.study import replaced_trials

_STUDY = "quick/conv-none"
_MEASURED = (TrialState.COMPLETE, TrialState.PRUNED)
_CHANGES = ("frames_per_second", "settings", "source", "commit")
"""Of `tracking.json`: speed, and where things lie."""


class LostError(Exception):
    """Something that was written is gone, unreadable or other than it should be."""


class Seen(NamedTuple):
    """What a check has found.

    Attributes:
        number: Of frames, epochs or trials that are done.
        what: Which of these.
        values: Of the trials that have ended, by number.
    """

    number: int
    what: str
    values: dict[int, Any]


def tracked(cwd: Path, whole: Path, ended: bool, before: Seen | None) -> Seen:
    """Every row so far is the undisturbed run's, and at the end all files are."""
    run, reference = cwd / "run", whole / "run"
    if not (run / PROGRESS).exists():
        return _after(before, Seen(0, "frames", {}))
    state = json.loads((run / PROGRESS).read_text(encoding="utf-8"))
    for name in ("tracks.csv", "faces.csv"):
        written, expected = (run / name).read_bytes(), (reference / name).read_bytes()
        if not expected.startswith(written):
            raise LostError(f"{name} is other than the undisturbed run's")
        if not written.endswith(b"\n"):
            raise LostError(f"{name} ends in the middle of a row")
        if state["bytes"].get(name, 0) > len(written):
            raise LostError(f"{name} is shorter than {PROGRESS} says")
        pd.read_csv(run / name)
    if ended:
        _require_equal_tracks(run, reference)
    return _after(before, Seen(state["next_frame"], "frames", {}))


def _require_equal_tracks(run: Path, reference: Path) -> None:
    _require_no_rest(run)
    for name in ("tracks.csv", "faces.csv"):
        if (run / name).read_bytes() != (reference / name).read_bytes():
            raise LostError(f"{name} is other than the undisturbed run's")
    if not pd.read_parquet(run / "tracks.parquet").equals(pd.read_parquet(reference / "tracks.parquet")):
        raise LostError("tracks.parquet is other than the undisturbed run's")
    summaries = [json.loads((folder / "tracking.json").read_text(encoding="utf-8")) for folder in (run, reference)]
    found, expected = ({k: v for k, v in summary.items() if k not in _CHANGES} for summary in summaries)
    if found != expected:
        raise LostError(f"tracking.json: {found}, undisturbed {expected}")
    drawn = [open_video(str(folder / "overlay.mp4")).n_frames for folder in (run, reference)]
    if drawn[0] != drawn[1]:
        raise LostError(f"overlay.mp4 has {drawn[0]} frames, undisturbed {drawn[1]}")


def trained(cwd: Path, whole: Path, ended: bool, before: Seen | None) -> Seen:
    """The checkpoints are whole and never go back; at the end losses, metrics and weights are the undisturbed run's."""
    run, reference = RunFolder(cwd / "run"), RunFolder(whole / "run")
    if not run.last_checkpoint.exists():
        return _after(before, Seen(0, "epochs", {}))
    last = torch.load(run.last_checkpoint, weights_only=True)
    torch.load(run.best_checkpoint, weights_only=True)
    rows, expected = _history(run), _history(reference)
    if len(rows) < last["epoch"] + 1:
        raise LostError(f"history.csv has {len(rows)} epochs, the checkpoint {last['epoch'] + 1}")
    for row, other in zip(rows, expected, strict=False):
        if row != other:
            raise LostError(f"history.csv: {row}, undisturbed {other}")
    if ended:
        if len(rows) != len(expected):
            raise LostError(f"history.csv has {len(rows)} epochs, undisturbed {len(expected)}")
        _require_equal_training(run, reference)
    return _after(before, Seen(last["epoch"] + 1, "epochs", {}))


def _history(run: RunFolder) -> list[dict[str, str]]:
    with (run.path / "history.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [{key: value for key, value in row.items() if key.startswith(("train/loss", "val/"))} for row in rows]


def _require_equal_training(run: RunFolder, reference: RunFolder) -> None:
    _require_no_rest(run.path)
    found, expected = (json.loads(folder.metrics.read_text(encoding="utf-8")) for folder in (run, reference))
    measured = [name for name in expected if name.startswith(("test/", "val/"))]
    for name in [*measured, "epochs", "parameters"]:
        if found.get(name) != expected[name]:
            raise LostError(f"metrics.json: {name}={found.get(name)}, undisturbed {expected[name]}")
    weights, others = (torch.load(f.best_checkpoint, weights_only=True)["state_dict"] for f in (run, reference))
    different = [name for name in others if not torch.equal(weights[name], others[name])]
    if different:
        raise LostError(f"best.ckpt: {len(different)} weights are other than the undisturbed run's: {different[:3]}")


def _require_no_rest(folder: Path) -> None:
    rest = [str(path.relative_to(folder)) for path in folder.rglob(".*.part*")]
    if rest:
        raise LostError(f"what killed processes have left lies about: {rest}")


def searched(cwd: Path, whole: Path, ended: bool, before: Seen | None) -> Seen:
    """The database is whole, no trial's end changes, each lost trial is repeated; at the end the totals are right."""
    database = cwd / "outputs" / "studies.db"
    if not database.exists():
        return _after(before, Seen(0, "trials", {}))
    with sqlite3.connect(database) as connection:
        (sound,) = connection.execute("PRAGMA integrity_check").fetchone()
    connection.close()
    if sound != "ok":
        raise LostError(f"studies.db: {sound}")
    trials = _trials(cwd)
    done = [trial for trial in trials if trial.state in _MEASURED]
    for trial in done:
        metrics = json.loads((cwd / trial.user_attrs["folder"] / "metrics.json").read_text(encoding="utf-8"))
        if trial.state == TrialState.COMPLETE and metrics["val/wing"] != trial.value:
            raise LostError(f"trial {trial.number}: {trial.value} in the database, {metrics['val/wing']} in its folder")
    if (results := cwd / "outputs" / "search" / "quick" / "conv-none" / "results.json").exists():
        json.loads(results.read_text(encoding="utf-8"))
    _require_repeated(trials)
    if ended:
        _require_totals(trials, _trials(whole))
    return _after(before, Seen(len(done), "trials", {trial.number: (trial.state, trial.value) for trial in done}))


def _trials(cwd: Path) -> list[FrozenTrial]:
    url = f"sqlite:///{cwd / 'outputs' / 'studies.db'}"
    if _STUDY not in optuna.get_all_study_names(url):
        return []  # killed before it was made
    return optuna.load_study(study_name=_STUDY, storage=url).get_trials()


def _require_repeated(trials: list[FrozenTrial]) -> None:
    """A trial tried again has the lost one's settings, as far as they were drawn, and measures the same."""
    for trial in trials:
        for number in trial.system_attrs.get("retry_history", []):
            lost = trials[number]
            if not lost.params.items() <= trial.params.items():  # killed in the midst of drawing them, it has some
                raise LostError(f"trial {trial.number} has other settings than {number}, which it repeats")
            for epoch in lost.intermediate_values.keys() & trial.intermediate_values.keys():
                if not np.isclose(lost.intermediate_values[epoch], trial.intermediate_values[epoch], rtol=0, atol=0):
                    raise LostError(f"trial {trial.number} measures other values than {number}, which it repeats")


def _require_totals(trials: list[FrozenTrial], expected: list[FrozenTrial]) -> None:
    replaced = replaced_trials(trials)
    counted = [trial for trial in trials if trial.number not in replaced]
    open_ones = [t.number for t in counted if not (t.state in _MEASURED or "reason" in t.user_attrs)]  # or diverged
    if open_ones:
        raise LostError(f"trials {open_ones} have no end")
    if len(counted) != len(expected):
        raise LostError(f"{len(counted)} trials, undisturbed {len(expected)}")


def _after(before: Seen | None, now: Seen) -> Seen:
    """What is seen now, which holds all that was seen before."""
    if before is not None:
        if now.number < before.number:
            raise LostError(f"{now.number} {now.what} are done, {before.number} were")
        changed = [number for number, value in before.values.items() if now.values.get(number) != value]
        if changed:
            raise LostError(f"trials {changed} ended otherwise before")
    return now
