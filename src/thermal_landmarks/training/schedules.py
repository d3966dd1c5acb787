"""Learning-rate schedules, each with a linear warm-up; all but `plateau` step with every optimizer step.

Each is called with the optimizer, whose learning rates are the full ones, and with the optimizer steps of the whole
training and of one epoch, and returns Lightning's scheduler dict. Behind it stand the settings of `conf/scheduler`.
"""

import functools
import math
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, ReduceLROnPlateau

from thermal_landmarks.errors import ConfigError
from thermal_landmarks.evaluation.measures import best_is


def cosine(
    optimizer: Optimizer,
    *,
    total_steps: int,
    steps_per_epoch: int,
    warmup_epochs: float = 1.0,  # at most a third of the training is taken
    final_fraction: float = 0.01,  # of the full learning rate at the last step
) -> dict[str, Any]:
    """Half a cosine from the full learning rate to a fraction of it at the last step."""
    warmup = _warmup_steps(warmup_epochs, steps_per_epoch, total_steps)
    length = max(1, total_steps - 1 - warmup)
    return _every_step(optimizer, warmup, lambda step: _half_cosine((step - warmup) / length, final_fraction))


def timed_cosine(
    optimizer: Optimizer,
    *,
    total_steps: int,  # not needed; every schedule takes it
    steps_per_epoch: int,  # the same
    minutes: float,  # from the first step to the final learning rate
    warmup_steps: int = 200,
    final_fraction: float = 0.01,  # of the full learning rate at the end
) -> dict[str, Any]:
    """Half a cosine over a time on the clock, for a machine that is lent for so long; set trainer.max_time alike."""
    del total_steps, steps_per_epoch
    start = functools.cache(time.monotonic)  # keeps the time of its first call, after the warm-up

    def factor(_: int) -> float:
        return _half_cosine((time.monotonic() - start()) / (60 * minutes), final_fraction)

    return _every_step(optimizer, warmup_steps, factor)


def multistep(
    optimizer: Optimizer,
    *,
    total_steps: int,
    steps_per_epoch: int,
    milestones: Sequence[float] = (0.5, 0.75),  # fractions of the training, as LOTR's epochs 50 and 75 of 100
    gamma: float = 0.1,  # factor at each milestone
    warmup_epochs: float = 0.0,  # at most a third of the training is taken
) -> dict[str, Any]:
    """The learning rate times `gamma` at each milestone; without milestones it stays as it is.

    Raises:
        ConfigError: If a milestone isn't a fraction in (0, 1).
    """
    if not all(0 < milestone < 1 for milestone in milestones):
        raise ConfigError(
            f"scheduler.milestones are fractions of the training between 0 and 1, found {list(milestones)}."
        )
    steps = [round(milestone * total_steps) for milestone in milestones]
    warmup = _warmup_steps(warmup_epochs, steps_per_epoch, total_steps)
    return _every_step(optimizer, warmup, lambda step: gamma ** sum(step >= s for s in steps))


def plateau(
    optimizer: Optimizer,
    *,
    total_steps: int,  # not needed; every schedule takes it
    steps_per_epoch: int,  # the same
    monitor: str = "val/wing",  # a metric; `measures.best_is` tells whether smaller or larger is better
    gamma: float = 0.1,  # factor at each drop
    patience: int = 10,  # epochs without improvement before a drop
) -> dict[str, Any]:
    """The learning rate times `gamma` when a metric hasn't improved for some epochs."""
    del total_steps, steps_per_epoch
    scheduler = ReduceLROnPlateau(optimizer, best_is(monitor), factor=gamma, patience=patience)
    # Lightning would step after the epoch's checkpoint is written and a resumed run would miss that step; so it never
    # steps (frequency), and the module does before the checkpoint.
    return {"scheduler": scheduler, "monitor": monitor, "interval": "epoch", "frequency": sys.maxsize}


def _warmup_steps(epochs: float, steps_per_epoch: int, total_steps: int) -> int:
    return min(round(epochs * steps_per_epoch), total_steps // 3)


def _half_cosine(progress: float, final_fraction: float) -> float:
    return final_fraction + (1 - final_fraction) * (1 + math.cos(math.pi * min(progress, 1.0))) / 2


def _every_step(optimizer: Optimizer, warmup: int, factor: Callable[[int], float]) -> dict[str, Any]:
    def with_warmup(step: int) -> float:
        return (step + 1) / (warmup + 1) if step < warmup else factor(step)

    return {"scheduler": LambdaLR(optimizer, with_warmup), "interval": "step"}
