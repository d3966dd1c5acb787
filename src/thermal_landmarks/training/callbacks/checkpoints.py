"""`checkpoints/best.ckpt` and `checkpoints/last.ckpt` of a run folder.

Two callbacks, because Lightning's `save_last` writes only when the best has changed, while a resumed run needs the last
epoch's state. `LastCheckpoint` comes after `BestCheckpoint`, so that its file knows the best score.
"""

import shutil
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.pytorch.callbacks import ModelCheckpoint

from thermal_landmarks.evaluation.measures import best_is
from thermal_landmarks.training.callbacks.divergence import require_finite_weights


class _InRunFolder(ModelCheckpoint):
    """A checkpoint callback whose folder is `checkpoints/` in the Trainer's `default_root_dir`."""

    def setup(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        self.dirpath = str((Path(trainer.default_root_dir) / "checkpoints").resolve())
        super().setup(trainer, pl_module, stage)

    def _save_checkpoint(self, trainer: L.Trainer, filepath: str) -> None:
        require_finite_weights(trainer.lightning_module, filepath)
        super()._save_checkpoint(trainer, filepath)


class BestCheckpoint(_InRunFolder):
    """Keeps the checkpoint with the best value of a logged metric as `best.ckpt`; `mode` is `min`, `max` or the usual.

    A run that is resumed in another folder takes the best checkpoint so far along.
    """

    def __init__(self, *, monitor: str = "val/wing", mode: str | None = None) -> None:
        mode = mode or best_is(monitor)
        super().__init__(filename="best", monitor=monitor, mode=mode, save_top_k=1, enable_version_counter=False)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        found = Path(state_dict["best_model_path"]) if state_dict["best_model_path"] else None
        if found is not None and self.dirpath is not None and found.parent != Path(self.dirpath):
            state_dict = self._moved(state_dict, found, Path(self.dirpath) / found.name)
        super().load_state_dict(state_dict)

    def _moved(self, state_dict: dict[str, Any], old: Path, new: Path) -> dict[str, Any]:
        if old.exists() and not new.exists():
            new.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(old, new)
        if not new.exists():
            # Nothing to take along: the next epoch is the best so far.
            return {**self.state_dict(), "dirpath": self.dirpath, "best_model_path": ""}
        return {
            **state_dict,
            "dirpath": self.dirpath,
            "best_model_path": str(new),
            "kth_best_model_path": str(new),
            "best_k_models": {str(new): torch.as_tensor(state_dict["best_model_score"])},
        }


class LastCheckpoint(_InRunFolder):
    """Writes `last.ckpt` at the end of every epoch, with and without validation in it."""

    def __init__(self) -> None:
        super().__init__(
            filename="last",
            monitor=None,
            save_top_k=1,
            every_n_epochs=1,
            save_on_train_epoch_end=True,
            enable_version_counter=False,
        )

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Nothing to restore: the file that was loaded need not be in this run's folder."""
