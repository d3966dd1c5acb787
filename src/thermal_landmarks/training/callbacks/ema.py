"""Exponential moving average of the weights, validated and tested instead of the last weights."""

from collections.abc import Sequence
from typing import Any

import torch
from lightning.pytorch.callbacks import WeightAveraging
from torch import Tensor

from thermal_landmarks.errors import ConfigError


class WeightEma(WeightAveraging):
    """Averages weights and running statistics after each optimizer step.

    A checkpoint's `state_dict` holds the average; Lightning keeps the current weights beside it, so that training
    resumes exactly. The decay grows from 0 with the number of steps, so that the start is soon forgotten.

    Args:
        decay: Final decay; the average looks back about 1 / (1 - decay) steps.

    Raises:
        ConfigError: If the decay isn't in [0, 1).
    """

    def __init__(self, *, decay: float = 0.999) -> None:
        if not 0 <= decay < 1:
            raise ConfigError(f"callbacks.ema.decay is {decay}; it must lie in [0, 1).")
        self.decay = decay
        super().__init__(multi_avg_fn=self._average)

    def _average(self, averages: Sequence[Tensor], current: Sequence[Tensor], _: Any) -> None:
        step = self._latest_update_step
        decay = min(self.decay, (1 + step) / (10 + step))
        pairs = list(zip(averages, current, strict=True))
        floating = [(a, c) for a, c in pairs if a.is_floating_point()]
        torch._foreach_lerp_([a for a, _ in floating], [c for _, c in floating], 1 - decay)
        for average, value in pairs:
            if not average.is_floating_point():
                average.copy_(value)
