"""The best checkpoint as a W&B artifact."""

from pathlib import Path

import lightning as L
from lightning.pytorch.callbacks import Callback, ModelCheckpoint

from thermal_landmarks.training.loggers import log_checkpoint


class BestArtifact(Callback):
    """Hands the best checkpoint to the logger when training ends."""

    def on_fit_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        best = next((c for c in trainer.checkpoint_callbacks if isinstance(c, ModelCheckpoint) and c.monitor), None)
        if best is None or best.best_model_score is None or not Path(best.best_model_path).is_file():
            return
        metadata = {str(best.monitor): float(best.best_model_score), "model_id": pl_module.hparams.get("model_id")}
        for logger in trainer.loggers:
            log_checkpoint(logger, Path(best.best_model_path), metadata)
