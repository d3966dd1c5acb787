"""What a test leaves in the run folder: a table of all images, overlays of some and the cumulative error curve."""

from dataclasses import dataclass
from pathlib import Path

import lightning as L
from lightning.pytorch.callbacks import Callback

from thermal_landmarks.data.schemes import get_scheme
from thermal_landmarks.evaluation.files import draw_figures, write_per_image
from thermal_landmarks.training.loggers import keep_figure
from thermal_landmarks.training.module import LandmarkModule


class TestImages(Callback):
    """Writes `per_image.csv`: each tested image with its NME, and each landmark's error, prediction and truth."""

    __test__ = False  # pytest: not a test class

    def on_test_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if not _wanted(trainer, pl_module):
            return
        assert isinstance(pl_module, LandmarkModule)
        assert pl_module.tested is not None
        dataset = trainer.datamodule.datasets["test"]  # type: ignore[attr-defined]
        scheme = get_scheme(pl_module.hparams["scheme"])
        write_per_image(pl_module.tested, dataset, scheme, pl_module.measures, Path(trainer.default_root_dir))


@dataclass(kw_only=True, eq=False)
class TestFigures(Callback):
    """Writes `figures/overlays_{best,median,worst}.png` and `figures/ced.png` of the run folder, and logs them."""

    __test__ = False  # pytest: not a test class

    faces: int = 3

    def on_test_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if not _wanted(trainer, pl_module):
            return
        assert isinstance(pl_module, LandmarkModule)
        assert pl_module.tested is not None
        dataset = trainer.datamodule.datasets["test"]  # type: ignore[attr-defined]
        measured = {name: float(trainer.callback_metrics[f"test/{name}"]) for name in ("auc", "failure_rate")}
        name = str(pl_module.hparams["model_id"])
        figures = draw_figures(pl_module.tested, dataset, pl_module.measures, measured, name=name, faces=self.faces)
        for kind, figure in figures.items():
            keep_figure(trainer, figure, kind, f"test/{kind}")


def _wanted(trainer: L.Trainer, module: L.LightningModule) -> bool:
    """Whether there is anything to write, and this process writes it."""
    tested = module.tested if isinstance(module, LandmarkModule) else None
    has_data = getattr(trainer, "datamodule", None) is not None
    return bool(tested) and has_data and trainer.is_global_zero and not getattr(trainer, "fast_dev_run", False)
