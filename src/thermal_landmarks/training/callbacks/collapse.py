"""A loud warning where a network predicts the same points for every image.

The collapsed rows in the tables of arXiv 2311.08308 (MAE about 0.41) look like this, and a loss
curve alone doesn't show it.
"""
# ruff: noqa: ARG002  (Lightning fixes the arguments of its hooks)

import math
from dataclasses import dataclass
from typing import Any

import lightning as L
from lightning.pytorch.callbacks import Callback
from rich.console import Console
from rich.panel import Panel

_ADVICE = """The predictions' spread over the validation images is {spread:.1%} of the true points' spread
(epoch {epoch}, for {patience} validations below {threshold:.0%}): the network ignores its input. Try
  optimizer.lr={lr:g}         a tenth of the learning rate
  scheduler.warmup_epochs=3   a longer warm-up
  root.normalisation=batch stem.normalisation=batch
  trainer.max_epochs={epochs}        a longer training
and check the data: python src/check_data.py data=..."""


@dataclass(kw_only=True, eq=False)
class CollapseWarning(Callback):
    """Looks at `val/prediction_spread`: spread of the predictions over images relative to that of the true points."""

    threshold: float = 0.1  # below this a prediction counts as constant
    patience: int = 5  # validations in a row below the threshold before the warning; it is given once
    _below, _warned = 0, False

    @property
    def collapsed(self) -> bool:
        """Whether the last `patience` validations were below the threshold."""
        return self._below >= self.patience

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        spread = float(trainer.callback_metrics.get("val/prediction_spread", math.inf))
        if trainer.sanity_checking:
            return
        self._below = self._below + 1 if spread < self.threshold else 0
        if self.collapsed and not self._warned and trainer.is_global_zero:
            self._warned = True
            self._warn(trainer, spread)

    def state_dict(self) -> dict[str, Any]:
        return {"below": self._below, "warned": self._warned}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._below, self._warned = state_dict["below"], state_dict["warned"]

    def _warn(self, trainer: L.Trainer, spread: float) -> None:
        rate = max(
            (group.get("initial_lr", group["lr"]) for o in trainer.optimizers for group in o.param_groups), default=1e-3
        )
        text = _ADVICE.format(
            spread=spread,
            epoch=trainer.current_epoch,
            patience=self.patience,
            threshold=self.threshold,
            lr=rate / 10,
            epochs=2 * (trainer.max_epochs or 1),
        )
        Console(stderr=True).print(Panel(text, title="COLLAPSED PREDICTIONS", border_style="bold red", expand=False))
