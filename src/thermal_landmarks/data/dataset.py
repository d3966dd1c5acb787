"""Rows of the cache as batches, and the order in which they come.

A batch is taken from memory in one indexing step. Order and random numbers are functions of (seed, epoch, row) alone,
so a resumed run sees exactly what the uninterrupted one would have seen.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
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


def rotated_triples(rows: int, range_deg: tuple[float, float], seed: int) -> Float[np.ndarray, "row 3"]:
    """Angles of the paper's augmentation: every image as it is, once turned to the left and once to the right.

    By an angle from the range, such as (20, 30), which the image keeps for the whole training.
    """
    angles = np.random.default_rng([seed, 1]).uniform(*range_deg, size=(rows, 2))
    return np.column_stack([np.zeros(rows), angles[:, 0], -angles[:, 1]]).astype(np.float32)


@dataclass(eq=False)
class LandmarkDataset(Dataset[RawBatch]):
    """Rows of a cache in one landmark scheme."""

    samples: CachedSamples
    rows: np.ndarray  # which rows of the cache, e.g. those of the training subjects
    landmarks: np.ndarray  # for each landmark of the wanted scheme, its index in the cache's scheme
    # How each image is turned each time that it occurs; None: every image once, as it is
    angle_deg: Float[np.ndarray, "row variant"] | None = None
    seed: int = 0  # of the augmentation
    once: bool = False  # whether every row counts once: one that comes again (see `Shard`) is masked

    @property
    def variants(self) -> int:
        """How often each image occurs."""
        return 1 if self.angle_deg is None else self.angle_deg.shape[1]

    @property
    def points_px(self) -> Float[np.ndarray, "row point 2"]:
        """Of each image, as it is, in pixels of the frame; NaN where missing."""
        return self.samples.points_px[self.rows][:, self.landmarks]

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
        angles = np.zeros(len(rows), np.float32) if self.angle_deg is None else self.angle_deg[position, variant]
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
            "rotation_deg": torch.from_numpy(angles),
            "seed": int(seed),
        }


@dataclass(eq=False)
class EpochSampler(Sampler[int]):
    """A shuffle that depends on seed and epoch alone, and tells the data set the epoch through the index.

    Each process takes every so-many-th row; the last rows are dropped to make shares even.
    """

    length: int  # of the data set
    seed: int  # of the order
    epoch: Callable[[], int]  # called at the start of each pass; gives the current epoch
    rank: int = 0  # which of the training processes this is
    processes: int = 1  # how many there are
    skip: int = 0  # rows of the next pass that were seen before a stop

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


@dataclass(eq=False)
class Shard(Sampler[int]):
    """One process's share of an evaluation, in order.

    Shares are made even by rows that come again under an index above the length; `LandmarkDataset(once=True)` masks
    these, so that every image is measured once whatever the number of processes.
    """

    length: int
    rank: int = 0
    processes: int = 1

    def __len__(self) -> int:
        return -(-self.length // self.processes)

    def __iter__(self) -> Iterator[int]:
        yield from range(self.rank, len(self) * self.processes, self.processes)


def whole_batch(batch: Any) -> RawBatch:
    """Collate function: the data set already gives whole batches."""
    return batch
