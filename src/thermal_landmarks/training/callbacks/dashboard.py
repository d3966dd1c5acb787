"""What loggers show beside metrics: the loss between epochs, pictures while a training runs, the best checkpoint."""
# ruff: noqa: ARG002  (Lightning fixes the arguments of its hooks)

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning as L
import numpy as np
from lightning.pytorch.callbacks import Callback, ModelCheckpoint

from thermal_landmarks.data.batch import Batch, annotated_px
from thermal_landmarks.evaluation.files import overlays
from thermal_landmarks.training.loggers import keep_figure, log_checkpoint
from thermal_landmarks.training.module import LandmarkModule


@dataclass(kw_only=True, eq=False)
class StepLoss(Callback):
    """Logs `train/step_loss` now and then; reading it at every step would make a GPU wait."""

    every_steps: int = 20  # of the optimizer
    _logged = 0

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        step = trainer.global_step
        if step == self._logged or step % self.every_steps:
            return
        self._logged = step
        for logger in trainer.loggers:
            logger.log_metrics({"train/step_loss": float(outputs["loss"])}, step=step - 1)  # Lightning counts from 0


@dataclass(kw_only=True, eq=False)
class ValidationOverlays(Callback):
    """Shows the same few images every few epochs, as `figures/validation.png` of the run folder and to the loggers."""

    every_epochs: int = 10  # between two pictures; the first shows the first epoch
    faces: int = 4

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        unwanted = trainer.sanity_checking or trainer.current_epoch % self.every_epochs or not trainer.loggers
        data = getattr(trainer, "datamodule", None)
        if unwanted or data is None or not trainer.is_global_zero or not isinstance(pl_module, LandmarkModule):
            return
        if table := pl_module.validated:
            nme = table.nme(pl_module.measures.normaliser)
            figure = overlays(table, data.datasets["val"], nme, range(min(self.faces, len(table))))
            keep_figure(trainer, figure, "validation", "val/overlays")


@dataclass(kw_only=True, eq=False)
class TaughtOverlays(Callback):
    """Shows what a teacher has written into pictures without labels, as `figures/taught.png` and to the loggers."""

    faces: int = 9  # from the least sure to the surest

    def on_fit_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        data = getattr(trainer, "datamodule", None)
        if data is None or data.taught is None or not trainer.is_global_zero:
            return
        dataset = data.datasets["train"]
        used = set(dataset.rows.tolist())
        sure = {
            row: float(says["confidence"])
            for row, says in enumerate(dataset.samples.attributes)
            if "teacher" in says and row in used
        }
        ordered = sorted(sure, key=sure.__getitem__)
        rows = [ordered[i] for i in np.linspace(0, len(ordered) - 1, min(self.faces, len(ordered))).astype(int)]
        places = [int(np.flatnonzero(dataset.rows == row)[0]) * dataset.variants for row in rows]
        batch: Batch = data.finish(dataset.__getitems__(places), augment=False)
        points_px = annotated_px(batch).numpy()
        from thermal_landmarks.evaluation.figures import overlay_grid  # matplotlib is slow to import

        titles = [f"confidence {sure[row]:.2f}" for row in rows]
        figure = overlay_grid(list(batch["image"].numpy()), None, list(points_px), titles)
        keep_figure(trainer, figure, "taught", "train/taught")


class BestArtifact(Callback):
    """Hands the best checkpoint to the logger when training ends."""

    def on_fit_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        best = next((c for c in trainer.checkpoint_callbacks if isinstance(c, ModelCheckpoint) and c.monitor), None)
        if best is None or best.best_model_score is None or not Path(best.best_model_path).is_file():
            return
        metadata = {str(best.monitor): float(best.best_model_score), "model_id": pl_module.hparams.get("model_id")}
        for logger in trainer.loggers:
            log_checkpoint(logger, Path(best.best_model_path), metadata)
