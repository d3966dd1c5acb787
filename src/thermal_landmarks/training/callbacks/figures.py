"""Pictures of a test: overlays of the best, median and worst images, and the cumulative error curve."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import lightning as L
import numpy as np
import torch
from lightning.pytorch.callbacks import Callback
from torch import Tensor

from thermal_landmarks.data.batch import Batch
from thermal_landmarks.training.loggers import log_picture
from thermal_landmarks.training.module import LandmarkModule

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Face(NamedTuple):
    """One picture: image values (channel, height, width), points (N, 2) in its pixels, NaN where not annotated."""

    image: np.ndarray
    true_px: np.ndarray
    predicted_px: np.ndarray
    title: str


class TestFigures(Callback):
    """Writes `figures/overlays_{best,median,worst}.png` and `figures/ced.png` of the run folder, and logs them.

    Images are ranked by NME, or by pixel error where no image has an NME. They are read again at the end, so that the
    memory doesn't grow with the test set.

    Args:
        faces: Images a picture.
    """

    __test__ = False  # pytest: not a test class

    def __init__(self, *, faces: int = 3) -> None:
        self.faces = faces

    def on_test_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        assert isinstance(pl_module, LandmarkModule)
        columns = pl_module.test_table.columns
        if getattr(trainer, "fast_dev_run", False) or not columns or not trainer.is_global_zero:
            return
        chosen = choose_faces(columns, self.faces)
        faces = read_faces(trainer, columns, sorted({row for rows in chosen.values() for row in rows}))
        if not faces:
            return
        from thermal_landmarks.reporting.figures import Curve, ced_figure, overlay_grid  # matplotlib is slow to import

        for name, rows in chosen.items():
            shown = [faces[row] for row in rows if row in faces]
            if shown:
                images, true_px, predicted_px, titles = map(list, zip(*shown, strict=True))
                _keep(trainer, f"overlays_{name}", overlay_grid(images, true_px, predicted_px, titles))
        nme = columns["nme"].numpy()
        if not np.isnan(nme).all():
            metrics: dict[str, Any] = pl_module.hparams["metrics"]
            tested = trainer.callback_metrics
            curve = Curve(nme, auc=float(tested["test/auc"]), failure_rate=float(tested["test/failure_rate"]))
            figure = ced_figure(
                {str(pl_module.hparams["model_id"]): curve},
                auc_threshold=metrics.get("auc_threshold", 0.10),
                failure_threshold=metrics.get("failure_threshold", 0.10),
            )
            _keep(trainer, "ced", figure)


def choose_faces(columns: dict[str, Tensor], count: int) -> dict[str, list[int]]:
    """Rows of the best, the median and the worst images; images without an error aren't chosen."""
    errors = columns["pixel_error"] if columns["nme"].isnan().all() else columns["nme"]
    order = [int(row) for row in errors.argsort() if not errors[row].isnan()]
    middle = max(0, (len(order) - count) // 2)
    return {"best": order[:count], "median": order[middle : middle + count], "worst": order[::-1][:count]}


def read_faces(trainer: L.Trainer, columns: dict[str, Tensor], rows: list[int]) -> dict[int, Face]:
    """The tested images of these rows, from the data module; none without one."""
    data = getattr(trainer, "datamodule", None)
    if data is None or not rows:
        return {}
    dataset = data.datasets["test"]
    position = {int(index): i for i, index in enumerate(dataset.rows)}
    raw = dataset.__getitems__([position[int(columns["index"][row])] for row in rows])
    batch: Batch = data.finish(raw, augment=False)
    return {row: _face(columns, row, batch, i) for i, row in enumerate(rows)}


def _face(columns: dict[str, Tensor], row: int, batch: Batch, i: int) -> Face:
    nme, pixel_error = float(columns["nme"][row]), float(columns["pixel_error"][row])
    true_px = batch["points_px"][i].masked_fill(~batch["mask"][i, :, None], torch.nan)
    return Face(
        image=batch["image"][i].float().cpu().numpy(),
        true_px=true_px.cpu().numpy(),
        predicted_px=columns["prediction_px"][row].numpy(),
        title=f"{pixel_error:.1f} px" + ("" if np.isnan(nme) else f", NME {nme:.1%}"),
    )


def _keep(trainer: L.Trainer, name: str, figure: "Figure") -> None:
    path = Path(trainer.default_root_dir) / "figures" / f"{name}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
    for logger in trainer.loggers:
        log_picture(logger, f"test/{name}", path)
