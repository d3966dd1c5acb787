"""Reports the objective of each epoch to a search, and ends the training where the search says so."""
# ruff: noqa: ARG002  (Lightning fixes the arguments of its hooks)

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import lightning as L
from lightning.pytorch.callbacks import Callback

from thermal_landmarks.errors import DivergedError
from thermal_landmarks.training.trainer import current_metrics


@dataclass(kw_only=True, eq=False)
class Pruning(Callback):
    """Stops the training gracefully: its loggers finish, its checkpoints stay."""

    monitor: str  # a logged metric
    # Takes the metric and the number of epochs trained, and says whether to stop. None: there is no search
    report: Callable[[float, int], bool] | None
    pruned: bool = field(default=False, init=False)  # whether the training was stopped

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        value = current_metrics(trainer).get(self.monitor)
        if value is None or self.report is None:
            return
        epochs = trainer.current_epoch + 1
        if not math.isfinite(value):
            raise DivergedError(f"{self.monitor} is {value} after {epochs} epoch(s)")
        self.pruned = self.report(value, epochs)
        trainer.should_stop = trainer.should_stop or self.pruned
