"""The batch that travels from the data to the network, and the coordinates it travels in."""

from collections.abc import Sequence
from typing import TypedDict

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor


class Batch(TypedDict):
    """A batch as the network, the loss and the metrics see it (after transfer, augmentation, normalisation).

    Points are in pixels of the network's input image, pixel centres at integers.
    """

    image: Float[Tensor, "batch channel height width"]
    points_px: Float[Tensor, "batch point 2"]
    mask: Bool[Tensor, "batch point"]  # False: the point is missing or out of the frame; loss and metrics ignore it
    inter_ocular_px: Float[Tensor, " batch"]  # outer eye corners in the source annotation; NaN where it has none
    box_px: Float[Tensor, "batch 2"]  # width and height of the rectangle around all annotated points
    pixel_size: Float[Tensor, " batch"]  # pixels of the original image per pixel of the network's input
    index: Int[Tensor, " batch"]  # the sample's row in its data set


def image_size(batch: Batch) -> tuple[int, int]:
    """(height, width) of the batch's images."""
    height, width = batch["image"].shape[-2:]
    return height, width


def annotated_px(batch: Batch) -> Float[Tensor, "batch point 2"]:
    """The batch's points, NaN where one is missing or out of the frame."""
    return batch["points_px"].masked_fill(~batch["mask"][..., None], torch.nan)


def numbers(values: Sequence[int], like: Tensor) -> Float[Tensor, " n"]:
    """Whole numbers as a tensor of `like`'s type and device; sizes that an exporter leaves open stay open."""
    if all(isinstance(value, int) for value in values):
        return like.new_tensor(values)
    return torch.stack([torch.scalar_tensor(value, dtype=like.dtype, device=like.device) for value in values])


def to_unit(points_px: Float[Tensor, "*batch 2"], size: tuple[int, int]) -> Float[Tensor, "*batch 2"]:
    """Pixels (centres at integers) to [0, 1] image units; `size` is (height, width)."""
    return (points_px + 0.5) / numbers(size[::-1], points_px)


def to_pixels(points: Float[Tensor, "*batch 2"], size: tuple[int, int]) -> Float[Tensor, "*batch 2"]:
    """[0, 1] image units to pixels (centres at integers); `size` is (height, width)."""
    return points * numbers(size[::-1], points) - 0.5
