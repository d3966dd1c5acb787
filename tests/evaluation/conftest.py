"""Batches without images."""

from collections.abc import Callable

import pytest
import torch

from thermal_landmarks.data.batch import Batch


@pytest.fixture
def make_batch() -> Callable[..., Batch]:
    """A random batch of images of height 30 and width 40 with six points; `missing` of them masked with NaN targets.

    `first` is the number of its first image in the data set.
    """

    def make(images: int = 5, *, seed: int = 0, missing: float = 0.3, points: int = 6, first: int = 0) -> Batch:
        generator = torch.Generator().manual_seed(seed)
        points_px = torch.rand(images, points, 2, generator=generator) * torch.tensor([40.0, 30.0]) - 0.5
        mask = torch.rand(images, points, generator=generator) >= missing
        return {
            "image": torch.rand(images, 1, 30, 40, generator=generator),
            "points_px": points_px.masked_fill(~mask[..., None], torch.nan),
            "mask": mask,
            "inter_ocular_px": torch.rand(images, generator=generator) * 10 + 10,
            "box_px": torch.rand(images, 2, generator=generator) * 10 + 15,
            "pixel_size": torch.rand(images, generator=generator) + 1,
            "index": torch.arange(first, first + images),
        }

    return make
