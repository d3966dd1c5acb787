"""What a test leaves in the run folder: a table of all images, overlays of some and the cumulative error curve."""

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


class TestImages(Callback):
    """Writes `per_image.csv`: each tested image with its NME, and each landmark's error, prediction and truth."""

    __test__ = False  # pytest: not a test class

    def on_test_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        for module, table, dataset in _tested(trainer, pl_module):
            scheme = get_scheme(module.hparams["scheme"])
            write_per_image(table, dataset, scheme, module.measures, Path(trainer.default_root_dir))


@dataclass(kw_only=True, eq=False)
class TestFigures(Callback):
    """Writes `figures/overlays_{best,median,worst}.png` and `figures/ced.png` of the run folder, and logs them."""

    __test__ = False

    faces: int = 3

    def on_test_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        for module, table, dataset in _tested(trainer, pl_module):
            measured = {name: float(trainer.callback_metrics[f"test/{name}"]) for name in ("auc", "failure_rate")}
            name = str(module.hparams["model_id"])
            figures = draw_figures(table, dataset, module.measures, measured, name=name, faces=self.faces)
            for kind, figure in figures.items():
                keep_figure(trainer, figure, kind, f"test/{kind}")


def _tested(trainer: L.Trainer, module: L.LightningModule) -> list[tuple[LandmarkModule, ImageTable, LandmarkDataset]]:
    """What was predicted, if there is anything to write and this process writes it."""
    data = getattr(trainer, "datamodule", None)
    if data is None or not trainer.is_global_zero or getattr(trainer, "fast_dev_run", False):
        return []
    if not isinstance(module, LandmarkModule) or not module.tested:
        return []
    return [(module, module.tested, data.datasets["test"])]
