"""The LightningDataModule of the finder: stored scenes in, augmented batches on the training device out."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import lightning as L
import numpy as np
import torch
from torch import Tensor

from thermal_landmarks.data.annotation import Source
from thermal_landmarks.data.preprocessing import with_tuples
from thermal_landmarks.data.scenes.annotated import AnnotatedScenes
from thermal_landmarks.data.scenes.augmentation import SceneAugmentation, SceneChanges
from thermal_landmarks.data.scenes.batch import Faces, SceneBatch, sort_out
from thermal_landmarks.data.scenes.store import SceneSource, StoredScenes, load_or_render
from thermal_landmarks.data.split import Split, SplitSettings, split_subjects
from thermal_landmarks.data.warping import warp_batch
from thermal_landmarks.errors import ConfigError


class SceneDataModule(L.LightningDataModule):
    """Scenes with the boxes of their faces.

    `conf/scenes/default.yaml` says what each setting means. Annotated pictures are divided by subject; of rendered
    scenes the last ones, `validation` many, are kept for it. The trained network takes pictures of any size.
    """

    task: Literal["faces"] = "faces"

    def __init__(
        self,
        *,
        source: SceneSource | Source,
        test_source: SceneSource | Source | None,
        stored_size: Sequence[int],
        image_size: Sequence[int],
        batch_size: int,
        steps_per_epoch: int,
        validation: int,
        augmentation: dict[str, Any],
        cache_dir: str | Path,
        split: dict[str, Any] | None = None,
        on_bad_item: Literal["error", "skip"] = "error",
        render_minutes: float | None = None,
        workers: int = 0,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.split_settings = SplitSettings(**(split or {}))
        self.on_bad_item = on_bad_item
        self.source = self._scenes_of(source)
        self.test_source = None if test_source is None else self._scenes_of(test_source)
        if self.test_source is None and not isinstance(self.source, AnnotatedScenes):
            raise ConfigError("data.test_source: rendered scenes are tested on others; see conf/data/scenes.yaml.")
        self.stored_size = (int(stored_size[0]), int(stored_size[1]))
        self.image_size = (int(image_size[0]), int(image_size[1]))
        self.batch_size = batch_size
        self.steps_per_epoch = steps_per_epoch
        self.validation = validation
        self.augmentation = SceneAugmentation(SceneChanges(**with_tuples(augmentation)), self.image_size)
        self.cache_dir = Path(cache_dir)
        self.render_minutes = render_minutes
        self.workers = workers
        self.seed = seed
        self.scenes: dict[str, StoredScenes] = {}
        self.rows: dict[str, np.ndarray] = {}
        self._split: Split = {}
        self._resident: dict[tuple[str, torch.device], Tensor] = {}

    def setup(self, stage: str | None = None) -> None:
        """Load the stored scenes, which one process renders for all; a second call does nothing."""
        del stage
        if self.scenes:
            return
        train = self._load(self.source)
        test = train if self.test_source is None else self._load(self.test_source)
        self.scenes = {"train": train, "val": train, "test": test}
        if isinstance(self.source, AnnotatedScenes):
            subjects = np.array(self.source.subjects)
            parts = split_subjects(subjects.tolist(), self.split_settings, with_test=self.test_source is None)
            self.rows = {stage: np.flatnonzero(np.isin(subjects, names)) for stage, names in parts.items()}
            self._split = parts
        else:
            first = len(train) - self.validation
            if not 0 < self.validation < len(train):
                raise ConfigError(
                    f"data.validation={self.validation} scenes are kept aside, but there are {len(train)}. Set fewer, "
                    "or more data.source.images."
                )
            self.rows = {"train": np.arange(first), "val": np.arange(first, len(train))}
        if self.test_source is not None:
            self.rows["test"] = np.arange(len(test))

    @property
    def split(self) -> Split:
        """Which scenes are in which part: as numbers from one to another, or the subjects of annotated pictures."""
        return {stage: [f"{rows[0]}-{rows[-1]}"] for stage, rows in self.rows.items() if len(rows)} | self._split

    @property
    def datasets(self) -> dict[str, np.ndarray]:
        """The rows of each part."""
        return self.rows

    def train_dataloader(self) -> "_RandomRows":
        return _RandomRows(self)

    def val_dataloader(self) -> "_RowsInOrder":
        return _RowsInOrder("val", self.rows["val"], self.batch_size)

    def test_dataloader(self) -> "_RowsInOrder":
        return _RowsInOrder("test", self.rows["test"], self.batch_size)

    def on_after_batch_transfer(self, batch: dict[str, Any], dataloader_idx: int) -> SceneBatch:
        """The scenes of the rows, augmented in training, on the device that the batch has reached."""
        del dataloader_idx
        return self.finish(batch)

    @torch.no_grad()
    def finish(self, batch: dict[str, Any]) -> SceneBatch:
        """Rows as the network gets them; those of validation and test are shown whole and as they are."""
        rows: Tensor = batch["rows"]
        stage = batch["stage"]
        stored, faces = self._stored(stage, rows), self._faces(stage, rows)
        if stage == "train":
            generator = torch.Generator(rows.device).manual_seed(batch["seed"])
            images, faces = self.augmentation(stored, faces, generator)
            return {"image": images, "faces": faces}
        height, width = self.stored_size
        scale = min(self.image_size[0] / height, self.image_size[1] / width)
        images = stored[:, None].float() / 127.5 - 1
        shift = 0.5 * scale - 0.5
        matrices = torch.tensor([[scale, 0, shift], [0, scale, shift]], device=rows.device).expand(len(rows), 2, 3)
        images = warp_batch(images, matrices, "cold", size=self.image_size)
        faces = faces._replace(boxes_px=faces.boxes_px * scale + shift)
        return {
            "image": images,
            "faces": sort_out(faces, self.image_size, self.augmentation.settings.smallest_px),
        }

    def _stored(self, stage: str, rows: Tensor) -> Tensor:
        part = "test" if stage == "test" and self.test_source is not None else "train"
        images = self.scenes[part].images
        if rows.device.type == "cpu":
            return torch.from_numpy(images[rows.numpy()])
        key = (part, rows.device)
        if key not in self._resident:  # a GPU holds all scenes itself: a batch then costs no transfer
            self._resident[key] = torch.from_numpy(np.array(images)).to(rows.device)
        return self._resident[key][rows]

    def _faces(self, stage: str, rows: Tensor) -> Faces:
        scenes, picked = self.scenes[stage], rows.cpu().numpy()
        boxes = torch.from_numpy(scenes.boxes_px[picked]).to(rows.device)
        angle = torch.deg2rad(torch.from_numpy(scenes.angle_deg[picked])).to(rows.device)
        is_face = torch.from_numpy(scenes.is_face[picked]).to(rows.device)
        there = ~boxes.isnan().any(dim=-1)
        return Faces(boxes, angle, there & is_face, there & ~is_face)

    def _load(self, source: SceneSource) -> StoredScenes:
        minutes = self.render_minutes if source is self.source else None
        return load_or_render(source, self.stored_size, self.cache_dir, workers=self.workers, minutes=minutes)

    def _scenes_of(self, source: SceneSource | Source) -> SceneSource:
        return source if isinstance(source, SceneSource) else AnnotatedScenes(source, on_bad_item=self.on_bad_item)


class _RandomRows:
    """So many batches of random rows, others in every epoch."""

    def __init__(self, data: SceneDataModule) -> None:
        self.data = data

    def __len__(self) -> int:
        return self.data.steps_per_epoch

    def __iter__(self) -> Iterator[dict[str, Any]]:
        data = self.data
        epoch = 0 if data.trainer is None else data.trainer.current_epoch
        draw = np.random.default_rng([data.seed, epoch])
        rows = data.rows["train"]
        for _ in range(len(self)):
            picked = draw.choice(rows, data.batch_size, replace=len(rows) < data.batch_size)
            yield {"stage": "train", "rows": torch.from_numpy(picked), "seed": int(draw.integers(2**62))}


class _RowsInOrder:
    """Every row once."""

    def __init__(self, stage: str, rows: np.ndarray, batch_size: int) -> None:
        self.stage = stage
        self.batches = [rows[start : start + batch_size] for start in range(0, len(rows), batch_size)]

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return ({"stage": self.stage, "rows": torch.from_numpy(rows)} for rows in self.batches)
