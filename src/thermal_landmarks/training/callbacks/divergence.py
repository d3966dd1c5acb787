"""Ends a training whose numbers are no longer finite, and says where it happened and why it may have."""
# ruff: noqa: ARG002  (Lightning fixes the arguments of its hooks)

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import lightning as L
import numpy as np
from lightning.pytorch.callbacks import Callback
from torch import Tensor

from thermal_landmarks.data.batch import Batch
from thermal_landmarks.data.datamodule import LandmarkDataModule
from thermal_landmarks.errors import ConfigError, DivergedError

_FILES_NAMED = 6
_NORMALISED = ("val/nme", "val/failure_rate", "val/auc")


class _Step(NamedTuple):
    loss: Tensor
    batch: Batch
    epoch: int
    number: int


@dataclass(kw_only=True, eq=False)
class StopDiverged(Callback):
    """Raises `DivergedError` at a loss or a validation that isn't finite, before anything of it is kept.

    A step's loss is looked at when the next one begins, so that the device never waits.
    """

    objective: str = "val/wing"  # the metric that the run is judged by
    _last: _Step | None = field(default=None, init=False)

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Batch, batch_idx: int
    ) -> None:
        self._check_last_step(trainer)

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Batch, batch_idx: int
    ) -> None:
        loss = outputs["loss"] if isinstance(outputs, dict) else outputs
        self._last = _Step(loss.detach(), batch, trainer.current_epoch + 1, batch_idx + 1)

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._check_last_step(trainer)

    def on_validation_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._check_last_step(trainer)

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        table = getattr(pl_module, "validated", None)  # a network that finds faces has none
        broken = [] if table is None else table.index[np.isinf(table.error_px).any(axis=1)].tolist()
        where = f"after epoch {trainer.current_epoch + 1}"
        if broken:
            files = _names(trainer, "val", broken)
            raise DivergedError(
                f"The training has diverged: {where} the points predicted for {files} are no finite numbers. "
                f"{_causes(trainer)}"
            )
        value = trainer.callback_metrics.get(self.objective)
        if value is None or math.isfinite(value):
            return
        if math.isnan(value) and self.objective in _NORMALISED:
            raise ConfigError(
                f"objective={self.objective} can't be measured on the validation images: none has the normaliser "
                f"{pl_module.hparams['metrics'].get('normaliser', 'inter_ocular')}. Set metrics.normaliser=box or "
                "objective=val/wing."
            )
        raise DivergedError(f"The training has diverged: {self.objective} is {value} {where}. {_causes(trainer)}")

    def _check_last_step(self, trainer: L.Trainer) -> None:
        step, self._last = self._last, None
        if step is None:
            return
        finite = bool(step.loss.isfinite())
        if trainer.world_size > 1:  # the others' weights are lost as well: the gradients were averaged
            finite = trainer.strategy.reduce_boolean_decision(finite, all=True)
        if finite:
            return
        where = f"epoch {step.epoch}, step {step.number} of {trainer.num_training_batches}"
        images = step.batch["image"]
        rows = step.batch["index"].tolist() if "index" in step.batch else list(range(len(images)))
        unusable = [row for row, image in zip(rows, images, strict=True) if not bool(image.isfinite().all())]
        if unusable:
            raise DivergedError(
                f"The training has stopped in {where}: the loss is {float(step.loss)}, because the values of "
                f"{_names(trainer, 'train', unusable)} are no finite numbers for the network. Fix or remove these "
                "files (check_data lists such); data.on_bad_item=skip leaves out what is found unusable."
            )
        raise DivergedError(
            f"The training has diverged in {where}: the loss is {float(step.loss)}. The batch: "
            f"{_names(trainer, 'train', rows)}. {_causes(trainer)}"
        )


def _causes(trainer: L.Trainer) -> str:
    rates = [group.get("initial_lr", group["lr"]) for o in trainer.optimizers for group in o.param_groups]
    causes = []
    if rates:
        causes.append(f"a learning rate that is too large (try optimizer.lr={max(rates) / 10:g})")
    if trainer.gradient_clip_val is None:
        causes.append("gradients that aren't clipped (trainer.gradient_clip_val=10)")
    if trainer.precision == "16-mixed":
        causes.append("numbers too large for float16 (trainer.precision=bf16-mixed or 32-true)")
    causes.append("images with values far from the others' (look at them with check_data)")
    return f"Likely causes: {'; '.join(causes)}. No checkpoint of these weights is kept; the ones before are."


def _names(trainer: L.Trainer, stage: str, rows: Sequence[int]) -> str:
    data, rows = getattr(trainer, "datamodule", None), list(dict.fromkeys(rows))
    if isinstance(data, LandmarkDataModule):
        names = [str(data.datasets[stage].samples.names[row]) for row in rows]
    else:
        names = [f"picture {row}" for row in rows]
    if not names:
        return "images of another process"
    more = f" and {len(names) - _FILES_NAMED} more" if len(names) > _FILES_NAMED else ""
    return ", ".join(names[:_FILES_NAMED]) + more


def require_finite_weights(module: L.LightningModule, file: str) -> None:
    """Refuse to keep weights that predict nothing.

    Raises:
        DivergedError: If a weight or a running statistic is NaN or infinite.
    """
    if not all(bool(value.isfinite().all()) for value in module.state_dict().values() if value.is_floating_point()):
        raise DivergedError(
            f"The training has diverged: some weights are no finite numbers, so {file} isn't written and keeps the "
            "weights before. Try a smaller optimizer.lr."
        )
