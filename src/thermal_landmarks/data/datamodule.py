"""The LightningDataModule: a source of annotated images in, normalised batches on the training device out."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import lightning as L
import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.utils.data import DataLoader

from thermal_landmarks.data.annotation import Source
from thermal_landmarks.data.augmentation import Augmentation, AugmentationSettings
from thermal_landmarks.data.batch import Batch, to_unit
from thermal_landmarks.data.cache import CachedSamples, joined, load_or_build
from thermal_landmarks.data.dataset import (
    EpochSampler,
    LandmarkDataset,
    RawBatch,
    ResumableLoader,
    Shard,
    rotated_triples,
    whole_batch,
)
from thermal_landmarks.data.five_points import add_five_points
from thermal_landmarks.data.geometry import mean_of_each_point, mean_shape
from thermal_landmarks.data.normalisation import normalise_stored
from thermal_landmarks.data.preprocessing import Preprocessing, with_tuples
from thermal_landmarks.data.schemes import get_scheme
from thermal_landmarks.data.split import Split, SplitSettings, split_subjects
from thermal_landmarks.errors import ConfigError, DataError

Stage = Literal["train", "val", "test"]


class LandmarkDataModule(L.LightningDataModule):
    """Thermal images with landmarks, split by subject, cached, batched and augmented.

    `conf/data/base.yaml` says what each setting means. The source must contain the scheme's landmarks; with a
    `test_source` it is divided into train and val only. Of `unlabelled`, faces whose landmarks a teacher has written,
    all are training data but those that the data check would refuse; they come several times an epoch, or not all, to
    be `unlabelled_share` of it.
    """

    def __init__(
        self,
        *,
        source: Source,
        scheme: str,
        image_size: Sequence[int],
        batch_size: int = 32,
        in_channels: int = 1,
        colour: bool = False,
        crop: dict[str, Any] | None = None,
        five_points: dict[str, Any] | None = None,
        normalisation: dict[str, Any] | None = None,
        cascade: dict[str, Any] | None = None,
        augmentation: dict[str, Any] | None = None,
        split: dict[str, Any] | None = None,
        test_source: Source | None = None,
        unlabelled: Source | None = None,
        unlabelled_share: float = 0.5,
        on_bad_item: Literal["error", "skip"] = "error",
        cache_dir: str | Path = "outputs/cache",
        workers: int = 0,
        seed: int = 0,
    ) -> None:
        super().__init__()
        if batch_size < 1:
            raise ConfigError(f"data.batch_size={batch_size} must be at least 1.")
        if workers < 0:
            raise ConfigError(f"data.workers={workers} must be 0 (a process a core) or more.")
        if not 0 < unlabelled_share < 1:
            raise ConfigError(f"data.unlabelled_share={unlabelled_share} must lie between 0 and 1.")
        self.source = add_five_points(source, **five_points or {})
        self.test_source = add_five_points(test_source, **five_points or {}) if test_source is not None else None
        self.unlabelled, self.unlabelled_share = unlabelled, unlabelled_share
        self.taught: dict[str, str | int] | None = None  # the record for the checkpoint
        self.scheme = get_scheme(scheme)
        self.batch_size = batch_size
        self.preprocessing = Preprocessing.from_settings(
            {
                "image_size": image_size,
                "in_channels": in_channels,
                "colour": colour,
                "crop": crop or {},
                "normalisation": normalisation or {},
                "cascade": cascade,
            }
        )
        self.augmentation_settings = AugmentationSettings(**with_tuples(augmentation or {}))
        self.split_settings = SplitSettings(**(split or {}))
        self.on_bad_item = on_bad_item
        self.cache_dir = Path(cache_dir)
        self.workers = workers
        self.seed = seed
        self.split: Split = {}
        self.datasets: dict[str, LandmarkDataset] = {}

    def setup(self, stage: str | None = None) -> None:
        """Load the cache, which one process fills for all, and divide it by subject; a second call does nothing."""
        del stage
        if self.datasets:
            return
        # First: a folder without a face is told before the rendering of a quarter of an hour.
        taught = None if self.unlabelled is None else self._load(self.unlabelled, on_bad_item="skip")
        samples = self._load(self.source)
        self.split = split_subjects(samples.subjects, self.split_settings, with_test=self.test_source is None)
        subjects = np.array(samples.subjects)
        for stage_name, names in self.split.items():
            self.datasets[stage_name] = self._dataset(stage_name, samples, np.flatnonzero(np.isin(subjects, names)))
        cascade = self.preprocessing.cascade
        if cascade is not None and cascade.reference is None:
            reference = mean_shape(self.datasets["train"].points_px)
            cascade = replace(cascade, reference=tuple((round(x, 4), round(y, 4)) for x, y in reference.tolist()))
            self.preprocessing = replace(self.preprocessing, cascade=cascade)
        if taught is not None:
            self._learn_from(taught)
        if self.test_source is not None:
            self.use_for_test(self.test_source)
            if shared := set(self.split["test"]) & {*self.split["train"], *self.split["val"]}:
                raise DataError(
                    f"data.test_source: subject(s) {', '.join(sorted(shared)[:5])} are also in data.source, so the "
                    "test would be on people seen in training. Rename or remove them."
                )

    def use_for_test(self, source: Source) -> None:
        """Test on all of another source."""
        samples = self._load(source)
        self.split["test"] = sorted(set(samples.subjects))
        self.datasets["test"] = self._dataset("test", samples, np.arange(len(samples)))

    @property
    def augmentation(self) -> Augmentation:
        """The random changes of training batches."""
        order = torch.from_numpy(self.scheme.flip_indices)
        return Augmentation(self.augmentation_settings, order, self.preprocessing.cascade)

    @property
    def image_size(self) -> tuple[int, int]:
        """(height, width) of the frames: the network's input, or with `cascade` what its views are cut from."""
        return self.preprocessing.image_size

    @property
    def mean_shape(self) -> Float[Tensor, "point 2"]:
        """Mean position of each training landmark in [0, 1] image units; of all, where one is never annotated."""
        mean = mean_of_each_point(self.datasets["train"].points_px)
        return to_unit(torch.from_numpy(mean.astype(np.float32)), self.image_size)

    def train_dataloader(self) -> DataLoader[RawBatch]:
        dataset = self.datasets["train"]
        sampler = EpochSampler(len(dataset), seed=self.seed, epoch=self._epoch, **self._process())
        return ResumableLoader(dataset, self.batch_size, sampler=sampler, collate_fn=whole_batch)

    def val_dataloader(self) -> DataLoader[RawBatch]:
        return self._evaluation_dataloader("val")

    def test_dataloader(self) -> DataLoader[RawBatch]:
        return self._evaluation_dataloader("test")

    def on_after_batch_transfer(self, batch: RawBatch, dataloader_idx: int) -> Batch:
        """Decode, normalise and (in training) augment a batch on the device that it has reached."""
        del dataloader_idx
        training = self.trainer is not None and self.trainer.training
        return self.finish(batch, augment=training)

    @torch.no_grad()
    def finish(self, raw: RawBatch, *, augment: bool) -> Batch:
        """A raw batch as the network gets it; with `cascade`, augmented images are single crops, others frames."""
        images = normalise_stored(raw["stored"], raw["encoding"], raw["limits"], clip=self.preprocessing.clips)
        points, mask, scale = raw["points_px"], raw["mask"], torch.ones_like(raw["pixel_size"])
        if augment:
            generator = torch.Generator(images.device).manual_seed(raw["seed"])
            images, points, mask, scale = self.augmentation(images, points, mask, raw["rotation_deg"], generator)
        height, width = images.shape[-2:]
        inside = ((points >= -0.5) & (points <= points.new_tensor([width, height]) - 0.5)).all(dim=-1)
        return {
            "image": images.expand(-1, self.preprocessing.in_channels, -1, -1),
            "points_px": points,
            "mask": mask & inside,
            "inter_ocular_px": raw["inter_ocular_px"] * scale,
            "box_px": raw["box_px"] * scale[:, None],
            "pixel_size": raw["pixel_size"] / scale,
            "index": raw["index"],
        }

    def _evaluation_dataloader(self, stage: Stage) -> DataLoader[RawBatch]:
        dataset = self.datasets[stage]
        sampler = Shard(len(dataset), **self._process())
        return DataLoader(dataset, self.batch_size, sampler=sampler, collate_fn=whole_batch)

    def _process(self) -> dict[str, int]:
        if self.trainer is None:
            return {}
        return {"rank": self.trainer.global_rank, "processes": self.trainer.world_size}

    def _epoch(self) -> int:
        return 0 if self.trainer is None else self.trainer.current_epoch

    def _dataset(self, stage: str, samples: CachedSamples, rows: np.ndarray) -> LandmarkDataset:
        landmarks = get_scheme(samples.scheme).index_map(self.scheme)
        annotated = (~np.isnan(samples.points_px[rows][:, landmarks]).any(axis=2)).any(axis=1)
        if not annotated.all():
            missing = (
                f"{(~annotated).sum()} of {len(rows)} {stage} images have no landmark of scheme '{self.scheme.name}'"
            )
            if self.on_bad_item == "error":
                raise DataError(f"{missing}. Annotate or remove them, or set data.on_bad_item=skip.")
            L.pytorch.utilities.rank_zero_warn(missing)
            rows = rows[annotated]
        angles = None
        if stage == "train" and self.augmentation_settings.rotation == "triple":
            angles = rotated_triples(len(rows), self.augmentation_settings.rotation_range_deg, self.seed)
        return LandmarkDataset(samples, rows, landmarks, angle_deg=angles, seed=self.seed, once=stage != "train")

    def _learn_from(self, faces: CachedSamples) -> None:
        """Mix faces that a teacher has annotated into the training images."""
        training = self.datasets["train"]
        number = max(1, round(len(training.rows) * self.unlabelled_share / (1 - self.unlabelled_share)))
        order = np.random.default_rng([self.seed, 3]).permutation(len(faces))
        rows = len(training.samples) + np.resize(order, number)
        both = joined(training.samples, faces, self.scheme)
        self.datasets["train"] = self._dataset("train", both, np.concatenate([training.rows, rows]))
        self.taught = {
            "teacher": str(faces.attributes[0].get("teacher", "unknown")),
            "faces": len(faces),
            "pictures": len(set(faces.names)),
        }

    def _load(self, source: Source, *, on_bad_item: Literal["error", "skip"] | None = None) -> CachedSamples:
        samples = load_or_build(source, self.preprocessing, self.cache_dir, workers=self.workers)
        if samples.bad_items:
            listed = "\n".join(
                f"  {item['image']} ({item['location']}): {item['reason']}" for item in samples.bad_items[:10]
            )
            text = f"{len(samples.bad_items)} unusable item(s) in the data set:\n{listed}"
            if (on_bad_item or self.on_bad_item) == "error":
                raise DataError(f"{text}\nRun check_data.py for the whole list; fix them or set data.on_bad_item=skip.")
            L.pytorch.utilities.rank_zero_warn(text)
        return samples
