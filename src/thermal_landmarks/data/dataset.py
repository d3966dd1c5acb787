"""Rows of the cache as batches, and the order in which they come.

A batch is taken from memory in one indexing step. Order and random numbers are functions of (seed, epoch, row) alone,
so a resumed run sees exactly what the uninterrupted one would have seen.
"""

from collections.abc import Callable, Iterator
from typing import Any, TypedDict

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from thermal_landmarks.data.cache import CachedSamples


class RawBatch(TypedDict):
    """A batch as it leaves the cache: stored values, before augmentation and normalisation."""

    stored: Int[Tensor, "batch channel height width"]  # uint16; value = stored * encoding[0] + encoding[1]
    encoding: Float[Tensor, "batch 2"]
    limits: Float[Tensor, "batch 2"]
    points_px: Float[Tensor, "batch point 2"]
    mask: Bool[Tensor, "batch point"]
    inter_ocular_px: Float[Tensor, " batch"]
    box_px: Float[Tensor, "batch 2"]
    pixel_size: Float[Tensor, " batch"]
    index: Int[Tensor, " batch"]
    rotation_deg: Float[Tensor, " batch"]  # of the paper's stored variants; 0 where the image is as it is
    seed: int  # for the random numbers of this batch's augmentation


class RotatedTriples:
    """The paper's augmentation: every image as it is, once rotated to the left and once to the right.

    Args:
        rows: How many images there are.
        range_deg: Smallest and largest angle, e.g. (20, 30).
        seed: Each image keeps its two angles for the whole training.
    """

    def __init__(self, rows: int, range_deg: tuple[float, float], seed: int) -> None:
        angles = np.random.default_rng([seed, 1]).uniform(*range_deg, size=(rows, 2))
        self.angle_deg = np.column_stack([np.zeros(rows), angles[:, 0], -angles[:, 1]]).astype(np.float32)


class LandmarkDataset(Dataset[RawBatch]):
    """Rows of a cache in one landmark scheme.

    Args:
        samples: The cache.
        rows: Which of its rows, e.g. those of the training subjects.
        landmarks: For each landmark of the wanted scheme, its index in the cache's scheme.
        triples: The stored rotations, or None for each image as it is.
        seed: Of the augmentation.
        once: Every row counts once: one that comes again (see `Shard`) is masked.
    """

    def __init__(
        self,
        samples: CachedSamples,
        rows: np.ndarray,
        landmarks: np.ndarray,
        *,
        triples: RotatedTriples | None = None,
        seed: int = 0,
        once: bool = False,
    ) -> None:
        self.samples = samples
        self.rows = rows
        self.landmarks = landmarks
        self.angle_deg = np.zeros((len(rows), 1), np.float32) if triples is None else triples.angle_deg
        self.seed = seed
        self.once = once

    @property
    def variants(self) -> int:
        """How often each image occurs."""
        return self.angle_deg.shape[1]

    def __len__(self) -> int:
        return len(self.rows) * self.variants

    def __getitem__(self, index: int) -> RawBatch:
        return self.__getitems__([index])

    def __getitems__(self, indices: list[int]) -> RawBatch:
        """One batch; an index above the length belongs to a later epoch (see `EpochSampler`)."""
        epoch_row = np.asarray(indices)
        position, variant = np.divmod(epoch_row % len(self), self.variants)
        rows = self.rows[position]
        points = self.samples.points_px[rows][:, self.landmarks]
        mask = ~np.isnan(points).any(axis=-1)
        if self.once:
            mask &= (epoch_row < len(self))[:, None]
        images = self.samples.images[rows]
        seed = np.random.SeedSequence([self.seed, int(epoch_row[0])]).generate_state(1, np.uint64)[0] >> np.uint64(1)
        return {
            "stored": torch.from_numpy(images if images.ndim == 4 else images[:, None]),
            "encoding": torch.from_numpy(self.samples.encoding[rows]),
            "limits": torch.from_numpy(self.samples.limits[rows]),
            "points_px": torch.from_numpy(np.nan_to_num(points)),
            "mask": torch.from_numpy(mask),
            "inter_ocular_px": torch.from_numpy(self.samples.inter_ocular_px[rows]),
            "box_px": torch.from_numpy(self.samples.box_px[rows]),
            "pixel_size": torch.from_numpy(self.samples.pixel_size[rows]),
            "index": torch.from_numpy(rows),
            "rotation_deg": torch.from_numpy(self.angle_deg[position, variant]),
            "seed": int(seed),
        }


class EpochSampler(Sampler[int]):
    """A shuffle that depends on seed and epoch alone, and tells the data set the epoch through the index.

    Args:
        length: Of the data set.
        seed: Of the order.
        epoch: Called at the start of each pass; gives the current epoch.
        rank: Which of the training processes this is.
        processes: How many there are; each takes every so-many-th row, the last rows are dropped to make shares even.
    """

    def __init__(self, length: int, *, seed: int, epoch: Callable[[], int], rank: int = 0, processes: int = 1) -> None:
        self.length = length
        self.seed = seed
        self.epoch = epoch
        self.rank = rank
        self.processes = processes
        self.skip = 0  # rows of the next pass that were seen before a stop

    def __len__(self) -> int:
        return self.length // self.processes

    def __iter__(self) -> Iterator[int]:
        epoch, skip, self.skip = self.epoch(), self.skip, 0
        order = np.random.default_rng([self.seed, 2, epoch]).permutation(self.length) + epoch * self.length
        yield from order[self.rank :: self.processes][: len(self)].tolist()[skip:]


class ResumableLoader(DataLoader[RawBatch]):
    """A loader that goes on in the middle of an epoch; Lightning keeps its state in checkpoints."""

    _batches = 0
    _resume_at = 0

    def __iter__(self) -> Iterator[RawBatch]:  # type: ignore[override]
        self._batches, self._resume_at = self._resume_at, 0
        if isinstance(self.sampler, EpochSampler):
            self.sampler.skip = self._batches * (self.batch_size or 1)
        for batch in super().__iter__():
            self._batches += 1
            yield batch

    def state_dict(self) -> dict[str, Any]:
        """How many batches of this epoch are done."""
        return {"batches": self._batches % len(self)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Leave out so many batches of the next pass."""
        self._resume_at = state["batches"]


class Shard(Sampler[int]):
    """One process's share of an evaluation, in order.

    Shares are made even by rows that come again under an index above the length; `LandmarkDataset(once=True)` masks
    these, so that every image is measured once whatever the number of processes.
    """

    def __init__(self, length: int, *, rank: int = 0, processes: int = 1) -> None:
        self.length = length
        self.rank = rank
        self.processes = processes

    def __len__(self) -> int:
        return -(-self.length // self.processes)

    def __iter__(self) -> Iterator[int]:
        yield from range(self.rank, len(self) * self.processes, self.processes)


def whole_batch(batch: Any) -> RawBatch:
    """Collate function: the data set already gives whole batches."""
    return batch
