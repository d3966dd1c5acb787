"""Targets and errors of the points of a batch, in the units that losses and metrics are defined in."""

import torch
from jaxtyping import Float
from torch import Tensor

from thermal_landmarks.data.batch import Batch, to_unit


def image_size(batch: Batch) -> tuple[int, int]:
    """(height, width) of the batch's images."""
    height, width = batch["image"].shape[-2:]
    return height, width


def unit_target(batch: Batch) -> Float[Tensor, "batch point 2"]:
    """The true points in [0, 1] image units; 0 where masked."""
    target = to_unit(batch["points_px"], image_size(batch))
    return torch.where(batch["mask"][..., None], target, torch.zeros_like(target))


def point_errors_px(prediction: Float[Tensor, "batch point 2"], batch: Batch) -> Float[Tensor, "batch point"]:
    """Distance of each point from its target in pixels of the network's input; 0 where masked, even if not finite."""
    height, width = image_size(batch)
    error = prediction - unit_target(batch)
    return torch.hypot(error[..., 0] * width, error[..., 1] * height).masked_fill(~batch["mask"], 0)
