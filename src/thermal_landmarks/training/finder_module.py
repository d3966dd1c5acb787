"""The LightningModule of the finder: the loss of its maps, and how well faces are found in validation and test."""

from typing import Any, cast

import torch
from jaxtyping import Float
from omegaconf import DictConfig
from torch import Tensor

from thermal_landmarks.data.scenes.batch import SceneBatch
from thermal_landmarks.data.scenes.datamodule import SceneDataModule
from thermal_landmarks.evaluation.finding import FindingScores
from thermal_landmarks.models.center_map import FaceMaps
from thermal_landmarks.models.face_decoding import decode
from thermal_landmarks.models.network import FinderNetwork
from thermal_landmarks.training.face_loss import FaceLoss, face_targets
from thermal_landmarks.training.optimization import (
    OptimizedModule,
    OptimizerFactory,
    ScheduleFactory,
    network_settings,
    training_parts,
)
from thermal_landmarks.training.precision import full_precision

_FALSE_PER_PICTURE = 0.05
_THRESHOLD = 0.05  # of scores that enter the curves


class FinderModule(OptimizedModule):
    """Trains and tests a `FinderNetwork`, of which `network` are the settings; otherwise see `OptimizedModule`."""

    def __init__(
        self,
        *,
        network: dict[str, Any],
        loss: FaceLoss | None = None,
        optimizer: OptimizerFactory | None = None,
        scheduler: ScheduleFactory | None = None,
    ) -> None:
        super().__init__(optimizer, scheduler)
        self.network: FinderNetwork = FinderNetwork(**network).to(memory_format=torch.channels_last)
        self.loss = loss or FaceLoss()
        self.scores = FindingScores()
        self.save_hyperparameters(
            {"task": "faces", "network": self.network.settings, "model_id": self.network.model_id}, logger=False
        )

    @property
    def objectives(self) -> tuple[str, ...]:
        """What a run can be judged by."""
        return ("train/loss", "val/loss", "val/average_precision", "val/recall")

    def forward(self, images: Float[Tensor, "b c h w"]) -> FaceMaps:
        """Maps of faces."""
        return cast(FaceMaps, self.network(images.to(memory_format=torch.channels_last)))

    def training_step(self, batch: SceneBatch) -> Tensor:
        loss, _ = self._measure(batch, "train")
        return loss

    def validation_step(self, batch: SceneBatch) -> None:
        self._score(batch, "val")

    def test_step(self, batch: SceneBatch) -> None:
        with full_precision(self.device):
            self._score(batch, "test")

    def on_validation_epoch_end(self) -> None:
        self._log_scores("val")

    def on_test_epoch_end(self) -> None:
        self._log_scores("test")

    def _measure(self, batch: SceneBatch, stage: str) -> tuple[Tensor, FaceMaps]:
        maps = self(batch["image"])
        size = (maps.score.shape[1], maps.score.shape[2])
        targets = face_targets(batch["faces"], self.network.stride, size)
        loss, parts = self.loss(maps, targets)
        logged = {f"{stage}/loss": loss} | {f"{stage}/{name}_loss": part for name, part in parts._asdict().items()}
        self.log_dict(logged, on_step=False, on_epoch=True, sync_dist=True, batch_size=len(batch["image"]))
        return loss, maps

    def _score(self, batch: SceneBatch, stage: str) -> None:
        _, maps = self._measure(batch, stage)
        faces = [part.cpu().numpy() for part in batch["faces"]]
        for row, found in enumerate(decode(maps, self.network.stride, threshold=_THRESHOLD)):
            boxes, _, wanted, ignored = (part[row] for part in faces)
            self.scores.add(found, boxes[wanted], boxes[ignored])

    def _log_scores(self, stage: str) -> None:
        curve = self.scores.curve()
        recall, threshold = curve.at_false_rate(_FALSE_PER_PICTURE)
        self.log_dict(
            {
                f"{stage}/average_precision": curve.average_precision,
                f"{stage}/recall": recall,  # with at most 0.05 false faces a picture
                f"{stage}/threshold": threshold,
            },
            sync_dist=True,
        )
        self.scores.clear()


def build_finder(cfg: DictConfig, data: SceneDataModule) -> FinderModule:
    """The LightningModule of a config that finds faces (data.task=faces)."""
    shapes = {"in_channels": 1, "image_size": list(data.image_size)}
    return FinderModule(network=network_settings(cfg) | shapes, **training_parts(cfg))
