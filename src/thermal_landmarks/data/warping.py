"""Resampling of whole batches of images by affine maps, on the device that they lie on."""

from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

Padding = Literal["border", "reflection", "cold"]


def compose(second: Float[Tensor, "batch 2 3"], first: Float[Tensor, "batch 2 3"]) -> Float[Tensor, "batch 2 3"]:
    """The map that does `first`, then `second`."""
    linear = second[:, :, :2] @ first
    return torch.cat([linear[:, :, :2], linear[:, :, 2:] + second[:, :, 2:]], dim=2)


def warp_batch(
    images: Float[Tensor, "batch channel height width"],
    matrices: Float[Tensor, "batch 2 3"],
    padding: Padding,
    *,
    size: tuple[int, int] | None = None,
) -> Float[Tensor, "batch channel new_height new_width"]:
    """Resample images bilinearly by maps from old to new pixels.

    Args:
        images: In [-1, 1].
        matrices: Maps.
        padding: What appears beyond the border: the nearest pixel, the mirrored image, or the coldest input value (-1).
        size: (height, width) of the result; None: that of the images.
    """
    height, width = images.shape[-2:]
    new_height, new_width = (height, width) if size is None else size
    linear = torch.linalg.inv(matrices[:, :, :2])
    offset = -linear @ matrices[:, :, 2:]
    # grid_sample counts from -1 to 1 between the outer edges of the outer pixels
    half, new_half = (
        torch.tensor([w / 2, h / 2], device=images.device) for w, h in ((width, height), (new_width, new_height))
    )
    theta_linear = linear * new_half[None, None, :] / half[None, :, None]
    theta_offset = ((linear @ (new_half - 0.5)[:, None] + offset).squeeze(-1) - (half - 0.5)) / half
    theta = torch.cat([theta_linear, theta_offset[:, :, None]], dim=2)
    grid = F.affine_grid(theta, [len(images), 1, new_height, new_width], align_corners=False)
    if padding == "cold":
        return F.grid_sample(images + 1, grid, padding_mode="zeros", align_corners=False) - 1
    return F.grid_sample(images, grid, padding_mode=padding, align_corners=False)
