"""Exponential moving average of the weights, validated and tested instead of the last weights."""
# ruff: noqa: ARG002  (Lightning fixes the arguments of its hooks)

from collections.abc import Sequence
from typing import Any

import lightning as L
from lightning.pytorch.callbacks import WeightAveraging
from torch import Tensor
from torch.optim.swa_utils import get_ema_multi_avg_fn

from thermal_landmarks.errors import ConfigError


class WeightEma(WeightAveraging):
    """Averages weights and running statistics after each optimizer step.

    A checkpoint's `state_dict` holds the average; Lightning keeps the current weights beside it, so that training
    resumes exactly. The decay grows from 0 with the number of steps, so that the start is soon forgotten; the average
    looks back about 1 / (1 - decay) steps.

    Raises:
        ConfigError: If the decay isn't in [0, 1).
    """

    def __init__(self, *, decay: float = 0.999) -> None:
        if not 0 <= decay < 1:
            raise ConfigError(f"callbacks.ema.decay is {decay}; it must lie in [0, 1).")
        self.decay = decay
        super().__init__(multi_avg_fn=self._average)

    def on_load_checkpoint(self, trainer: L.Trainer, pl_module: L.LightningModule, checkpoint: dict[str, Any]) -> None:
        if self._average_model is not None:  # else a test or validation, which wants the average as loaded
            super().on_load_checkpoint(trainer, pl_module, checkpoint)

    def teardown(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        # Lightning would swap current weights back in when the best checkpoint is tested after training.
        self._average_model = None

    def _average(self, averages: Sequence[Tensor], current: Sequence[Tensor], _: Any) -> None:
        step = self._latest_update_step
        decay = min(self.decay, (1 + step) / (10 + step))
        if averages[0].is_floating_point():  # torch calls this once for each dtype
            get_ema_multi_avg_fn(decay)(list(averages), list(current), None)
        else:  # counts, of which there is no mean
            for average, count in zip(averages, current, strict=True):
                average.copy_(count)
