"""What a test leaves in the run folder: a table of all images, overlays of some and the cumulative error curve."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

import lightning as L
from lightning.pytorch.callbacks import Callback

from thermal_landmarks.data.dataset import LandmarkDataset
from thermal_landmarks.data.schemes import get_scheme
from thermal_landmarks.evaluation.files import draw_figures, write_per_image
from thermal_landmarks.evaluation.table import ImageTable
from thermal_landmarks.training.loggers import keep_figure
from thermal_landmarks.training.module import LandmarkModule


class _AfterTest(Callback, ABC):
    """Writes what was predicted, where there is anything to write and this process writes it."""

    __test__ = False  # pytest: not a test class

    def on_test_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        data = getattr(trainer, "datamodule", None)
        if data is None or not trainer.is_global_zero or getattr(trainer, "fast_dev_run", False):
            return
        if isinstance(pl_module, LandmarkModule) and pl_module.tested:
            self.write(trainer, pl_module, pl_module.tested, data.datasets["test"])

    @abstractmethod
    def write(self, trainer: L.Trainer, module: LandmarkModule, table: ImageTable, dataset: LandmarkDataset) -> None:
        """Leave something in the Trainer's `default_root_dir`."""


class TestImages(_AfterTest):
    """Writes `per_image.csv`: each tested image with its NME, and each landmark's error, prediction and truth."""

    def write(self, trainer: L.Trainer, module: LandmarkModule, table: ImageTable, dataset: LandmarkDataset) -> None:
        scheme = get_scheme(module.hparams["scheme"])
        write_per_image(table, dataset, scheme, module.measures, Path(trainer.default_root_dir))


@dataclass(kw_only=True, eq=False)
class TestFigures(_AfterTest):
    """Writes `figures/overlays_{best,median,worst}.png` and `figures/ced.png` of the run folder, and logs them."""

    faces: int = 3

    def write(self, trainer: L.Trainer, module: LandmarkModule, table: ImageTable, dataset: LandmarkDataset) -> None:
        measured = {name: float(trainer.callback_metrics[f"test/{name}"]) for name in ("auc", "failure_rate")}
        name = str(module.hparams["model_id"])
        figures = draw_figures(table, dataset, module.measures, measured, name=name, faces=self.faces)
        for kind, figure in figures.items():
            keep_figure(trainer, figure, kind, f"test/{kind}")
