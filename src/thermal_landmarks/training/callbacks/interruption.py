"""Ends a training early and in good order, where the user or the machine asks for it."""
# ruff: noqa: ARG002  (Lightning fixes the arguments of its hooks)

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.pytorch.callbacks import Callback
from torch import Tensor

from thermal_landmarks.data.dataset import ResumableLoader
from thermal_landmarks.errors import Interrupted
from thermal_landmarks.runs import RunFolder
from thermal_landmarks.training.callbacks.checkpoints import LastCheckpoint
from thermal_landmarks.training.callbacks.divergence import require_finite_weights
from thermal_landmarks.training.stopping import StopRequest


@dataclass(eq=False)
class Interruption(Callback):
    """Stops with a checkpoint from which a resumed run goes on exactly.

    That is between two steps, after a validation, or in a validation that lasts too long.
    It comes after the callbacks that change weights and before those that write checkpoints. Under DDP one process that
    is asked to stop stops all, after the same step.
    """

    request: StopRequest  # tells whether the process was asked to stop
    patience_seconds: float = 5.0  # a validation that takes longer is left without result and made again on resuming
    _asked: Tensor | None = field(default=None, init=False)

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self.request.take()
        self.request.patient = True

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        last = batch_idx + 1 >= trainer.num_training_batches  # then the validation follows
        if self._all_agree(trainer) and not last and (batch_idx + 1) % trainer.accumulate_grad_batches == 0:
            if isinstance(trainer.train_dataloader, ResumableLoader):  # else the epoch starts from scratch on resuming
                self._save(trainer, pl_module)
            self._stop(trainer)

    def on_validation_batch_end(self, trainer: L.Trainer, *args: Any, **kwargs: Any) -> None:
        if trainer.world_size == 1 and self.request.seconds > self.patience_seconds:
            self._stop(trainer)

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if self._all_agree(trainer):  # the epoch before has left its checkpoint
            self._stop(trainer)

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self.request.patient = False
        if self.request.signal_number is not None and trainer.world_size == 1:
            self._stop(trainer)

    def on_exception(self, trainer: L.Trainer, pl_module: L.LightningModule, exception: BaseException) -> None:
        self.request.patient = False

    def _all_agree(self, trainer: L.Trainer) -> bool:
        if trainer.world_size == 1:
            return self.request.signal_number is not None
        # What was asked before the last step: reading this one's sum now would make the device wait.
        asked = self._asked
        mine = torch.tensor(float(self.request.signal_number is not None), device=trainer.strategy.root_device)
        self._asked = trainer.strategy.reduce(mine, reduce_op="max")
        return asked is not None and bool(asked)

    def _save(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if any(isinstance(callback, LastCheckpoint) for callback in trainer.checkpoint_callbacks):
            path = RunFolder(Path(trainer.default_root_dir)).last_checkpoint
            require_finite_weights(pl_module, str(path))
            trainer.save_checkpoint(path, weights_only=False)

    def _stop(self, trainer: L.Trainer) -> None:
        raise Interrupted(
            f"in epoch {trainer.current_epoch + 1} of {trainer.max_epochs}, after {trainer.global_step} steps",
            self.request.signal_number or 15,  # 15: SIGTERM reached another process of the training
        )
