"""Makes the Lightning Trainer from the settings of `conf/trainer`."""

import logging
import warnings
from collections.abc import Iterable
from typing import Any

import lightning as L
import torch
from lightning.pytorch.callbacks import Callback, Checkpoint, ProgressBar
from lightning.pytorch.loggers import Logger

from thermal_landmarks.training.checkpoint_io import AtomicCheckpoints
from thermal_landmarks.training.precision import training_precision


def build_trainer(
    *,
    precision: str | int = "auto",
    matmul_precision: str = "high",
    accelerator: str = "auto",
    max_epochs: int,
    epochs_factor: int = 1,
    callbacks: Iterable[Callback] | None = None,
    logger: Logger | None = None,
    **settings: Any,
) -> L.Trainer:
    """A Trainer whose checkpoints are written atomically; `conf/trainer/default.yaml` says what its settings mean.

    Callbacks run in their order; `settings` are any other arguments of `lightning.Trainer`, of which `default_root_dir`
    is the run folder.
    """
    _quieten_lightning()
    torch.set_float32_matmul_precision(matmul_precision)
    callbacks = list(callbacks or ())
    if not settings.get("enable_checkpointing", True):
        callbacks = [callback for callback in callbacks if not isinstance(callback, Checkpoint)]
    if not settings.get("enable_progress_bar", True):
        callbacks = [callback for callback in callbacks if not isinstance(callback, ProgressBar)]
    return L.Trainer(
        accelerator=accelerator,
        max_epochs=max_epochs * epochs_factor,
        precision=training_precision(precision, accelerator),  # type: ignore[arg-type]
        callbacks=callbacks,
        logger=logger or False,
        plugins=[AtomicCheckpoints()],
        **settings,
    )


def current_metrics(trainer: L.Trainer) -> dict[str, float]:
    """The logged metrics; those of the validation only if this epoch had one, since Lightning keeps old values."""
    validated = (trainer.current_epoch + 1) % (trainer.check_val_every_n_epoch or 1) == 0
    return {k: float(v) for k, v in trainer.callback_metrics.items() if validated or not k.startswith("val/")}


def _quieten_lightning() -> None:
    """What Lightning says about every run here and nobody can act on."""
    for name in ("lightning.pytorch.utilities.rank_zero", "lightning.pytorch.accelerators.cuda"):
        logging.getLogger(name).setLevel(logging.WARNING)
    for message in (
        ".*does not have many workers.*",  # batches come from memory; workers would only copy them
        ".*LeafSpec.*",  # Lightning's own use of a deprecated torch function
        ".*smaller than the logging interval.*",  # metrics are logged once an epoch
        ".*exists and is not empty.*",  # a resumed run writes into its own folder
        ".*`isinstance\\(treespec.*",
    ):
        warnings.filterwarnings("ignore", message=message)
