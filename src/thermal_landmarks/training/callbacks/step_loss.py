"""The training loss between the epochs, for loggers."""
# ruff: noqa: ARG002  (Lightning fixes the arguments of its hooks)

from typing import Any

import lightning as L
from lightning.pytorch.callbacks import Callback


class StepLoss(Callback):
    """Logs `train/step_loss` now and then; reading it at every step would make a GPU wait.

    Args:
        every_steps: Of the optimizer.
    """

    def __init__(self, *, every_steps: int = 20) -> None:
        self.every_steps = every_steps
        self._logged = 0

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        step = trainer.global_step
        if step == self._logged or step % self.every_steps:
            return
        self._logged = step
        for logger in trainer.loggers:
            logger.log_metrics({"train/step_loss": float(outputs["loss"])}, step=step - 1)  # Lightning counts from 0
