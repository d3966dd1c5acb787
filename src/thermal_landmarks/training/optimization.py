"""What the LightningModules share: optimizer with parameter groups, learning-rate schedule, gradient clipping."""

import math
from collections.abc import Callable, Iterable
from typing import Any, cast

import lightning as L
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from omegaconf import DictConfig, OmegaConf
from torch import nn
from torch.optim import Optimizer

from thermal_landmarks.building import build
from thermal_landmarks.errors import ConfigError

OptimizerFactory = Callable[[Iterable[dict[str, Any]]], Optimizer]
ScheduleFactory = Callable[..., dict[str, Any]]


class OptimizedModule(L.LightningModule):
    """A LightningModule that optimizes its `network`.

    Args:
        optimizer: Makes the optimizer from parameter groups. None: the module can only test and predict.
        scheduler: Makes Lightning's scheduler dict from `(optimizer, total_steps=..., steps_per_epoch=...)`; see
            `schedules`. None: constant learning rate.
    """

    network: Any  # of the subclass

    def __init__(self, optimizer: OptimizerFactory | None, scheduler: ScheduleFactory | None) -> None:
        super().__init__()
        self.optimizer_factory = optimizer
        self.schedule_factory = scheduler

    def configure_optimizers(self) -> OptimizerLRScheduler:
        if self.optimizer_factory is None:
            raise ConfigError("This module was made without an optimizer and can only test and predict.")
        try:
            optimizer = self.optimizer_factory(parameter_groups(self.network))
        except (ValueError, TypeError) as error:  # a negative learning rate
            raise ConfigError(f"{error} (in the setting optimizer)") from error
        fused = optimizer.defaults.get("fused")  # such a step undoes float16's scale itself, after the clipping
        if self.trainer.precision == "16-mixed" and self.trainer.gradient_clip_val and fused:
            raise ConfigError(
                f"trainer.precision=16-mixed can't clip gradients (trainer.gradient_clip_val="
                f"{self.trainer.gradient_clip_val:g}) of a fused optimizer: set optimizer.fused=false."
            )
        if self.schedule_factory is None:
            return optimizer
        steps = self.trainer.estimated_stepping_batches
        total_steps = 0 if math.isinf(steps) else int(steps)  # infinite where trainer.max_time alone ends the training
        epochs = max(self.trainer.max_epochs or 1, 1)
        schedule = self.schedule_factory(
            optimizer, total_steps=total_steps, steps_per_epoch=max(1, round(total_steps / epochs))
        )
        return cast(OptimizerLRScheduler, {"optimizer": optimizer, "lr_scheduler": schedule})

    def configure_gradient_clipping(
        self,
        optimizer: Optimizer,
        gradient_clip_val: float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        # Lightning refuses to clip for a fused optimizer in any mixed precision; only float16's scaler is a reason to.
        if self.trainer.precision == "16-mixed" or gradient_clip_algorithm == "value":
            self.clip_gradients(optimizer, gradient_clip_val, gradient_clip_algorithm)
        elif gradient_clip_val:
            nn.utils.clip_grad_norm_(self.network.parameters(), gradient_clip_val)


def network_settings(cfg: DictConfig) -> dict[str, Any]:
    """What a config says of a network, plain data; the shapes of the data come beside it."""
    parts = {part: OmegaConf.to_container(cfg[part], resolve=True) for part in ("root", "stem", "branch", "head")}
    return {**parts, "ensemble": cfg.ensemble}


def training_parts(cfg: DictConfig) -> dict[str, Any]:
    """Loss, optimizer and scheduler of a config."""
    return {kind: build(kind, cfg[kind]) for kind in ("loss", "optimizer", "scheduler")}


def parameter_groups(network: nn.Module) -> list[dict[str, Any]]:
    """Two groups: matrices and kernels with the optimizer's weight decay, norms and biases without."""
    parameters = [p for p in network.parameters() if p.requires_grad]
    groups: list[dict[str, Any]] = [
        {"params": [p for p in parameters if p.ndim >= 2]},
        {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},
    ]
    return [group for group in groups if group["params"]]
