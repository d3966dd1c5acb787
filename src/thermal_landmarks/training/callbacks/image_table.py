"""The errors of every tested image as a file, for cumulative error curves and comparisons by landmark."""

import math
from pathlib import Path

import lightning as L
from lightning.pytorch.callbacks import Callback

from thermal_landmarks.csv_table import write_table
from thermal_landmarks.data.schemes import get_scheme
from thermal_landmarks.runs import RunFolder
from thermal_landmarks.training.module import LandmarkModule


class TestImages(Callback):
    """Writes `test_images.csv` of the run folder: image, subject, NME and errors in pixels of the original image.

    The columns are named as in the `per_image.csv` of an evaluation; an empty cell is a point that isn't annotated or
    an image without a normaliser.
    """

    __test__ = False  # pytest: not a test class

    def on_test_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        assert isinstance(pl_module, LandmarkModule)
        columns, data = pl_module.test_table.columns, getattr(trainer, "datamodule", None)
        if getattr(trainer, "fast_dev_run", False) or not columns or data is None or not trainer.is_global_zero:
            return
        samples = data.datasets["test"].samples
        landmarks = get_scheme(pl_module.hparams["scheme"]).landmark_names
        path = RunFolder(Path(trainer.default_root_dir)).test_images
        names = ("index", "nme", "pixel_error", "point_error_px")
        header = ["image", "subject", "nme", "mean_error_px", *(f"{name}_error_px" for name in landmarks)]
        measured = zip(*(columns[name].tolist() for name in names), strict=True)
        rows = (
            [samples.names[i], samples.subjects[i], _cell(nme, 5), _cell(mean, 3), *(_cell(e, 3) for e in errors)]
            for i, nme, mean, errors in measured
        )
        write_table(path, header, rows)


def _cell(value: float, digits: int) -> str:
    return "" if math.isnan(value) else f"{value:.{digits}f}"
