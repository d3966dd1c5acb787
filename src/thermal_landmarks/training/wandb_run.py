"""A training as a W&B run: what it shows of it, and how a resumed one continues its curves.

A run that is resumed offline continues by W&B's own rewinding (`resume_from`): its new record says at which step of the
old one it begins, so that uploading both overwrites nothing that the resumed training has kept.
"""

import csv
import logging
import secrets
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch.loggers import Logger, WandbLogger
from rich.console import Console

from thermal_landmarks.runs import RunFolder, git_commit
from thermal_landmarks.training.record import RunMetadata

_SUMMARISED = {
    "train": ("loss",),
    "val": ("loss", "wing", "mae", "mse", "accuracy", "nme", "failure_rate", "auc", "pixel_error", "prediction_spread"),
}
"""Metrics with a smallest and a largest value in W&B's table of runs; those of the test occur once."""


class SteppedLogger(WandbLogger):
    """Keeps in a file which of W&B's steps each step of the training has been logged at."""

    def __init__(self, steps: Path, **settings: Any) -> None:
        super().__init__(**settings)
        self._steps = steps

    def log_metrics(self, metrics: MutableMapping[str, Any], step: int | None = None) -> None:  # type: ignore[override]
        super().log_metrics(metrics, step)
        if step is not None:
            with self._steps.open("a", newline="", encoding="utf-8") as file:
                csv.writer(file).writerow([step, self.experiment.step - 1])


def start_run(run: RunMetadata, folder: Path, settings: Mapping[str, Any], mode: Any) -> Logger:
    """W&B's logger for a run folder, new or resumed."""
    import wandb

    logging.getLogger("wandb").setLevel(logging.ERROR)
    folder.mkdir(parents=True, exist_ok=True)
    if _not_uploaded(folder):
        mode = "offline"  # an upload before that of the earlier part would leave no place for it
    arguments: dict[str, Any] = {
        "project": settings.get("project", "thermal-landmarks"),
        "entity": settings.get("entity"),
        "name": run.name,
        "group": run.group,
        "job_type": "train" if run.trial is None else "trial",
        "tags": run.all_tags,
        "dir": str(folder),
        "config": {
            **run.settings,
            "model_id": run.model_id,
            "parameters": run.parameters,
            "gflops": run.gflops,
            "commit": git_commit(),
        },
    }
    quiet: dict[str, Any] = {"silent": True, "console": "off", "disable_git": True, "init_timeout": 30.0}
    quiet["reinit"] = "finish_previous"  # several runs in one process, as in a multirun
    try:
        experiment = wandb.init(mode=mode, settings=wandb.Settings(**quiet), **arguments, **_continuation(folder, mode))
    except wandb.Error as error:
        if mode == "offline":
            raise
        Console(stderr=True).print(f"W&B can't be reached ({str(error).splitlines()[0]}); logging offline.")
        mode = "offline"
        experiment = wandb.init(mode=mode, settings=wandb.Settings(**quiet), **arguments, **_continuation(folder, mode))
    (folder / "wandb_id.txt").write_text(f"{experiment.id}\n", encoding="utf-8")
    # Lightning gives `trainer/global_step` with every record; as the x-axis it also holds for a resumed run.
    experiment.define_metric("trainer/global_step", hidden=True)
    experiment.define_metric("train/step_loss", step_metric="trainer/global_step")
    for stage, names in _SUMMARISED.items():
        for name in names:
            experiment.define_metric(f"{stage}/{name}", step_metric="trainer/global_step", summary="min,max,last")
    if mode == "offline" and run.trial is None:  # a search says it once
        records = " ".join(str(path) for path in _records(folder))
        Console(stderr=True, soft_wrap=True).print(
            f"W&B is offline; to upload this run: wandb sync {records}", highlight=False
        )
    return SteppedLogger(folder / "wandb_steps.csv", experiment=experiment, log_model=False)


def _continuation(folder: Path, mode: str) -> dict[str, Any]:
    """Under which id a run is logged, and from which of its steps on."""
    id_file = folder / "wandb_id.txt"
    if not id_file.exists():
        return {"id": secrets.token_hex(4), "resume": "allow" if mode == "online" else None}
    run_id = id_file.read_text(encoding="utf-8").strip()
    if mode == "online":
        return {"id": run_id, "resume": "allow"}
    step = _last_step(folder)
    if step is None:  # nothing is known of its steps, so that it must not touch them
        return {"id": secrets.token_hex(4)}
    return {"resume_from": f"{run_id}?_step={step}"}


def _last_step(folder: Path) -> int | None:
    """W&B's step of what was logged last before the checkpoint from which a run is resumed."""
    checkpoint, steps = RunFolder(folder).last_checkpoint, folder / "wandb_steps.csv"
    if not checkpoint.exists() or not steps.exists():
        return None
    reached = torch.load(checkpoint, map_location="cpu", weights_only=True, mmap=True)["global_step"]
    with steps.open(newline="", encoding="utf-8") as file:
        rows = [(int(row[0]), int(row[1])) for row in csv.reader(file) if len(row) == 2]
    kept = [(step, wandb_step) for step, wandb_step in rows if step < reached]
    if not kept:
        return None
    steps.write_text("".join(f"{step},{wandb_step}\n" for step, wandb_step in kept), encoding="utf-8")
    return kept[-1][1]


def _records(folder: Path) -> list[Path]:
    """The offline records of a run, oldest first: the order in which they must be uploaded."""
    return sorted((folder / "wandb").glob("offline-run-*"))


def _not_uploaded(folder: Path) -> bool:
    """Whether a record of this run waits for `wandb sync`, which leaves a mark beside it."""
    return any(not list(record.glob("*.wandb.synced")) for record in _records(folder))
