"""Training speed in images a second, without the first steps and without validation."""
# ruff: noqa: ARG002  (Lightning fixes the arguments of its hooks)

import time
from dataclasses import dataclass, field
from typing import Any

import lightning as L
import torch
from lightning.pytorch.callbacks import Callback


@dataclass(kw_only=True, eq=False)
class Throughput(Callback):
    """Logs `train/images_per_second` of each epoch.

    The clock runs from one step's end to the epoch's last step; the device is waited for only at these two, so that
    measuring doesn't slow the training.
    """

    skip_steps: int = 3  # at the start of a fit, that aren't counted: they compile, allocate and warm caches
    images: int = field(default=0, init=False)  # counted so far, of all processes
    seconds: float = field(default=0.0, init=False)  # that they took
    _steps, _epoch_images = 0, 0
    _since: float | None = field(default=None, init=False)
    _epoch_rate: float | None = field(default=None, init=False)

    @property
    def images_per_second(self) -> float:
        """Mean over the training; NaN if it was too short to measure."""
        return self.images / self.seconds if self.seconds else float("nan")

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._since = None
        self._epoch_images = 0
        self._epoch_rate = None

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self._steps += 1
        if self._since is not None:
            self._epoch_images += len(batch["image"]) * trainer.world_size
            if trainer.is_last_batch:
                self._finish(pl_module)
        elif self._steps >= self.skip_steps:
            _wait_for(pl_module.device)
            self._since = time.perf_counter()

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if self._epoch_rate is not None:
            pl_module.log("train/images_per_second", self._epoch_rate, rank_zero_only=True)

    def _finish(self, pl_module: L.LightningModule) -> None:
        assert self._since is not None
        _wait_for(pl_module.device)
        self.images += self._epoch_images
        seconds = time.perf_counter() - self._since
        self.seconds += seconds
        self._epoch_rate = self._epoch_images / seconds
        self._since = None


def _wait_for(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
