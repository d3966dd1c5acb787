"""Progress for people: a bar in a terminal, one line an epoch in a log file."""
# ruff: noqa: ARG002  (Lightning fixes the arguments of its hooks)

import sys
from typing import Any

import lightning as L
from lightning.pytorch.callbacks import ProgressBar, RichProgressBar
from lightning.pytorch.callbacks.progress.rich_progress import RichProgressBarTheme

from thermal_landmarks.training.trainer import current_metrics

_SHOWN = {
    "train/loss": "loss",
    "val/wing": "val wing",
    "val/nme": "NME",
    "val/pixel_error": "px",
    "val/average_precision": "AP",
    "val/recall": "recall",
    "train/images_per_second": "images/s",
}


def build_progress(*, terminal: bool | None = None) -> ProgressBar:
    """A bar if standard error is a terminal (or `terminal` says that it is), else lines."""
    if sys.stderr.isatty() if terminal is None else terminal:
        theme = RichProgressBarTheme(
            progress_bar="cyan", progress_bar_finished="green", time="grey54", processing_speed="grey70", metrics="bold"
        )
        return EpochBar(theme=theme, leave=False)
    return EpochLines()


class EpochLines(ProgressBar):
    """Prints one line an epoch with the metrics that matter."""

    def __init__(self) -> None:
        super().__init__()
        self._enabled = True

    def disable(self) -> None:
        self._enabled = False

    def enable(self) -> None:
        self._enabled = True

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if self._enabled:
            print(epoch_line(trainer), flush=True)


class EpochBar(RichProgressBar):
    """Rich's bar for the running epoch, above it a line for each finished one."""

    def get_metrics(self, trainer: L.Trainer, pl_module: L.LightningModule) -> dict[str, Any]:
        return {}  # the lines show them

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        super().on_train_epoch_start(trainer, pl_module)
        if self.progress is not None and self.train_progress_bar_id is not None:  # Lightning counts from 0
            epoch = f"epoch {trainer.current_epoch + 1}/{trainer.max_epochs}"
            self.progress.update(self.train_progress_bar_id, description=epoch)

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        super().on_train_epoch_end(trainer, pl_module)
        if self.is_enabled and self.progress is not None:
            self.progress.console.print(epoch_line(trainer), highlight=False)


def epoch_line(trainer: L.Trainer) -> str:
    """`epoch  3/30  loss 1.234  val wing 0.987 ...`."""
    metrics = current_metrics(trainer)
    width = len(str(trainer.max_epochs))
    parts = [f"epoch {trainer.current_epoch + 1:{width}d}/{trainer.max_epochs}"]
    parts += [f"{label} {metrics[name]:#.4g}" for name, label in _SHOWN.items() if name in metrics]
    return "  ".join(parts)
