"""What a run measures in each epoch: kept as `history.csv` of its folder, and reported to the search that it is of."""
# ruff: noqa: ARG002  (Lightning fixes the arguments of its hooks)

from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightning as L
from lightning.pytorch.callbacks import Callback

from thermal_landmarks.csv_table import write_rows
from thermal_landmarks.evaluation.measures import best_is
from thermal_landmarks.training.trainer import current_metrics


class History(Callback):
    """Writes all logged metrics of each epoch to `history.csv` in the Trainer's `default_root_dir`.

    The rows are part of the checkpoint and the file is replaced as a whole, so a killed run leaves a readable file and
    a resumed one repeats no row.

    Args:
        objective: The metric that a search judges the run by.
        report: Takes it after each epoch that has measured it, with the number of epochs, and says whether to stop;
            the training then ends gracefully. None: there is no search.

    Attributes:
        rows: One dict an epoch: `epoch`, `step` and the metrics.
        pruned: Whether the search has stopped the training.
    """

    def __init__(self, objective: str = "", report: Callable[[float, int], bool] | None = None) -> None:
        self.rows: list[dict[str, float]] = []
        self.objective, self.report, self.pruned = objective, report, False

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        metrics = dict(sorted(current_metrics(trainer).items()))
        self.rows.append({"epoch": trainer.current_epoch, "step": trainer.global_step, **metrics})
        if trainer.is_global_zero and not getattr(trainer, "fast_dev_run", False):
            write_rows(Path(trainer.default_root_dir) / "history.csv", self.rows)
        if self.report is not None and self.objective in metrics:
            self.pruned = self.report(metrics[self.objective], trainer.current_epoch + 1)
            trainer.should_stop = trainer.should_stop or self.pruned

    def best_epoch(self, monitor: str | None) -> dict[str, float]:
        """Training and validation metrics of the best epoch, with its number from 1 as `best_epoch`.

        The best by the metric `monitor`; None: the last epoch with a validation.
        """
        validated = [
            row for row in self.rows if (monitor in row if monitor else any(name.startswith("val/") for name in row))
        ]
        if not validated:
            return {}
        best = validated[-1]
        if monitor is not None:
            best = {"min": min, "max": max}[best_is(monitor)](validated, key=lambda row: row[monitor])
        metrics = {name: value for name, value in best.items() if name.startswith(("train/", "val/"))}
        return metrics | {"best_epoch": best["epoch"] + 1}

    def state_dict(self) -> dict[str, Any]:
        return {"rows": self.rows}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.rows = list(state_dict["rows"])
