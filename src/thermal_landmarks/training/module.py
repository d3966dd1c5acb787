"""The LightningModule: steps, metrics, optimizer groups and what a checkpoint says about its network.

A checkpoint's hyper-parameters are plain data (network settings, scheme, preprocessing, metric settings), so it loads
with `weights_only=True` and predicts without the training config.
"""

import logging
from typing import Any, Literal, cast, get_args

import numpy as np
import torch
from jaxtyping import Float
from omegaconf import DictConfig
from torch import Tensor
from torch.optim.lr_scheduler import ReduceLROnPlateau

from thermal_landmarks.data.batch import Batch, image_size, to_unit
from thermal_landmarks.data.datamodule import LandmarkDataModule
from thermal_landmarks.data.preprocessing import Preprocessing
from thermal_landmarks.data.schemes import get_scheme
from thermal_landmarks.errors import require_choice
from thermal_landmarks.evaluation.measures import METRICS, Measures, measure, pixel_error_by_point, prediction_spread
from thermal_landmarks.evaluation.table import ImagePass, ImageTable
from thermal_landmarks.models.cascade import locate, locate_both_ways
from thermal_landmarks.models.network import LandmarkNetwork
from thermal_landmarks.training.losses import LandmarkLoss
from thermal_landmarks.training.optimization import (
    OptimizedModule,
    OptimizerFactory,
    ScheduleFactory,
    network_settings,
    training_parts,
)
from thermal_landmarks.training.precision import full_precision
from thermal_landmarks.training.trainer import current_metrics

_log = logging.getLogger(__name__)

MemoryFormat = Literal["channels_last", "contiguous"]


class LandmarkModule(OptimizedModule):
    """Trains and tests a `LandmarkNetwork`.

    Batches arrive augmented, normalised and on the device (the data module's `on_after_batch_transfer`). `network`,
    `preprocessing` (which a predictor repeats), `metrics` and `taught` (of which unlabelled pictures the training
    learns besides, and by which teacher) are plain data: the settings of these, which the checkpoint keeps. Optimizer
    and scheduler: see `OptimizedModule`. `flip_tta`: the test averages the points in each image and in its mirror
    image. `start_at_mean_shape`: training begins with the head's output at the data module's `mean_shape`.

    Attributes:
        validated: What the last validation has predicted.
        tested: What the last test has predicted.
    """

    def __init__(
        self,
        *,
        network: dict[str, Any],
        scheme: str,
        preprocessing: dict[str, Any],
        loss: LandmarkLoss | None = None,
        optimizer: OptimizerFactory | None = None,
        scheduler: ScheduleFactory | None = None,
        metrics: dict[str, Any] | None = None,
        memory_format: MemoryFormat = "channels_last",
        flip_tta: bool = False,
        taught: dict[str, str | int] | None = None,
        start_at_mean_shape: bool = True,
    ) -> None:
        super().__init__(optimizer, scheduler)
        require_choice("memory_format", memory_format, get_args(MemoryFormat))
        self.memory_format = torch.channels_last if memory_format == "channels_last" else torch.contiguous_format
        self.network: LandmarkNetwork = LandmarkNetwork(**network).to(memory_format=self.memory_format)
        self.cascade = Preprocessing.from_settings(preprocessing).cascade if preprocessing.get("cascade") else None
        self.loss = loss or LandmarkLoss()
        self.flip_indices = torch.from_numpy(get_scheme(scheme).flip_indices) if flip_tta else None
        self.start_at_mean_shape = start_at_mean_shape
        metrics = metrics or {}
        self.measures = Measures(**metrics)
        self.images = ImagePass(self.network.settings["num_points"])
        self.validated: ImageTable | None = None
        self.tested: ImageTable | None = None
        self.save_hyperparameters(
            {
                "network": self.network.settings,
                "model_id": self.network.model_id,
                "scheme": scheme,
                "preprocessing": preprocessing,
                "metrics": metrics,
                "memory_format": memory_format,
                "flip_tta": flip_tta,
                **({"taught": taught} if taught else {}),
            },
            logger=False,
        )

    @property
    def objectives(self) -> tuple[str, ...]:
        """What a run can be judged by."""
        return ("train/loss", "val/loss", *(f"val/{name}" for name in METRICS), "val/prediction_spread")

    def forward(self, images: Float[Tensor, "batch channel height width"]) -> Float[Tensor, "batch point 2"]:
        """Points in [0, 1] image units after all looks at the images, float32 in every precision."""
        return self._look(images) if self.cascade is None else locate(self._look, images, self.cascade)

    def setup(self, stage: str) -> None:
        # Before a checkpoint is restored, so that a resumed run keeps its own head.
        if stage == "fit" and self.start_at_mean_shape:
            mean_shape = getattr(getattr(self.trainer, "datamodule", None), "mean_shape", None)
            if mean_shape is not None:
                self.network.set_mean_shape(torch.as_tensor(mean_shape, dtype=torch.float32))

    def on_train_epoch_start(self) -> None:
        self.log("train/learning_rate", self.trainer.optimizers[0].param_groups[0]["lr"], sync_dist=True)

    def training_step(self, batch: Batch) -> Tensor:
        # Training images are single looks already.
        images = batch["image"].to(memory_format=self.memory_format)
        target = to_unit(batch["points_px"], image_size(batch))
        prediction, penalty = self.network.forward_train(images, target, batch["mask"])
        loss = self._loss(prediction.float(), batch) + penalty
        self._log_mean("train/loss", loss, batch)
        return loss

    def on_train_epoch_end(self) -> None:
        self._step_plateau_schedulers()

    def on_validation_epoch_start(self) -> None:
        self.images.clear()

    def validation_step(self, batch: Batch) -> None:
        prediction = self(batch["image"])
        self.images.add(prediction, batch)
        self._log_mean("val/loss", self._loss(prediction, batch), batch)

    def on_validation_epoch_end(self) -> None:
        self.validated = self.images.finish()
        self._log_measured("val", self.validated)
        self.log("val/prediction_spread", prediction_spread(self.validated), sync_dist=True)

    def on_test_epoch_start(self) -> None:
        self.images.clear()

    def test_step(self, batch: Batch) -> None:
        images = batch["image"]
        with full_precision(self.device):
            prediction = (
                self(images) if self.flip_indices is None else locate_both_ways(self, images, self.flip_indices)
            )
        self.images.add(prediction, batch)

    def on_test_epoch_end(self) -> None:
        self.tested = self.images.finish()
        self._log_measured("test", self.tested)
        names = get_scheme(self.hparams["scheme"]).landmark_names
        errors = map(float, pixel_error_by_point(self.tested))
        self.log_dict({f"test/pixel_error/{name}": e for name, e in zip(names, errors, strict=True)}, sync_dist=True)
        self._warn_without_normaliser(self.tested)

    def _log_measured(self, stage: str, table: ImageTable) -> None:
        measured = measure(table, self.measures)  # the same in every process
        self.log_dict({f"{stage}/{name}": value for name, value in measured.items()}, sync_dist=True)

    def _look(self, images: Float[Tensor, "batch channel height width"]) -> Float[Tensor, "batch point 2"]:
        return cast(Tensor, self.network(images.to(memory_format=self.memory_format))).float()

    def _loss(self, prediction: Float[Tensor, "batch point 2"], batch: Batch) -> Tensor:
        size = image_size(batch)
        return cast(Tensor, self.loss(prediction, to_unit(batch["points_px"], size), batch["mask"], size))

    def _log_mean(self, name: str, loss: Tensor, batch: Batch) -> None:
        """Log the mean of a loss over the images with a valid point, which are those that it is the mean of."""
        images = batch["mask"].any(dim=1).sum()  # stays on the device, which Lightning's sums don't mind
        self.log(name, loss, on_step=False, on_epoch=True, sync_dist=True, batch_size=cast(int, images))

    def _step_plateau_schedulers(self) -> None:
        metrics = current_metrics(self.trainer)
        for config in self.trainer.lr_scheduler_configs:
            value = metrics.get(str(config.monitor))
            if isinstance(config.scheduler, ReduceLROnPlateau) and value is not None:
                config.scheduler.step(value)

    def _warn_without_normaliser(self, table: ImageTable) -> None:
        normaliser = self.measures.normaliser
        if len(table) and np.isnan(table.nme(normaliser)).all() and self.trainer.is_global_zero:
            _log.warning(
                "NME, AUC and failure rate are nan: no test image has the normaliser %s. Set metrics.normaliser=%s.",
                normaliser,
                "box" if normaliser == "inter_ocular" else "image_diagonal",
            )


def build_module(cfg: DictConfig, data: LandmarkDataModule) -> LandmarkModule:
    """The LightningModule of a config, fitted to the shape of the data."""
    shapes = {
        "in_channels": data.preprocessing.in_channels,
        "image_size": list(data.preprocessing.input_size),
        "num_points": data.scheme.num_points,
    }
    module = LandmarkModule(
        network=network_settings(cfg) | shapes,
        scheme=data.scheme.name,
        preprocessing=data.preprocessing.settings,
        metrics=dict(cfg.metrics),
        memory_format=cfg.memory_format,
        flip_tta=cfg.flip_tta,
        taught=data.taught,
        start_at_mean_shape=cfg.get("start_at_mean_shape", True),  # runs before this setting
        **training_parts(cfg),
    )
    if cfg.get("compile_parts", False):  # as above
        module.network.compile_parts()
    return module
