"""Losses on landmark coordinates: wing, smooth-wing, L1, L2 and smooth L1.

Wing follows Feng et al. 2018 (arXiv 1711.06753) with the reduction that fits the tables of arXiv 2311.08308: in [0, 1]
coordinates, summed over an image's 2N outputs, averaged over images. Smooth-wing follows LOTR (arXiv 2109.10057) with
the constant c2 that makes it continuous. Our addition: where points are masked, an image's sum is scaled up to 2N
outputs, so that values compare between images.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Literal, get_args

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

from thermal_landmarks.errors import ConfigError, require_choice
from thermal_landmarks.own_parts import load_own_parts

Coordinates = Literal["normalised", "pixel"]
Reduction = Literal["sum", "mean"]

PENALTIES: dict[str, Callable[..., Tensor]] = {}
"""What `loss.penalty` may be: functions of the signed errors, with their settings as keyword arguments."""


def penalty(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Make a function a penalty that a loss can have, by its name."""
    PENALTIES[function.__name__] = function
    return function


@penalty
def wing(error: Float[Tensor, "*shape"], *, width: float = 10.0, epsilon: float = 2.0) -> Float[Tensor, "*shape"]:
    """`width * ln(1 + |x| / epsilon)` below `width`, linear above; both are in the units of the errors."""
    size = error.abs()
    beyond = width - width * math.log1p(width / epsilon)
    return torch.where(size < width, width * torch.log1p(size / epsilon), size - beyond)


@penalty
def smooth_wing(
    error: Float[Tensor, "*shape"], *, width: float = 10.0, epsilon: float = 2.0, threshold: float = 0.01
) -> Float[Tensor, "*shape"]:
    """Quadratic below `threshold`, logarithmic up to `width`, linear above; all are in the units of the errors.

    Value and slope are continuous at both joints; the slope reaches 1 at `width`.

    Raises:
        ConfigError: If `threshold` isn't below `width`.
    """
    if threshold >= width:
        raise ConfigError(f"loss.threshold is {threshold}; it must lie below loss.width = {width}.")
    size = error.abs()
    slope = (width + epsilon) / (2 * threshold * (epsilon + threshold))
    offset = (width + epsilon) * math.log1p(threshold / epsilon) - slope * threshold**2
    logarithm = (width + epsilon) * torch.log1p(size / epsilon) - offset
    linear = size - width + (width + epsilon) * math.log1p(width / epsilon) - offset
    return torch.where(size < threshold, slope * error.square(), torch.where(size <= width, logarithm, linear))


@penalty
def l1(error: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """The absolute error."""
    return error.abs()


@penalty
def l2(error: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """The squared error."""
    return error.square()


@penalty
def smooth_l1(error: Float[Tensor, "*shape"], *, beta: float = 0.01) -> Float[Tensor, "*shape"]:
    """Quadratic `x^2 / (2 beta)` below `beta`, linear `|x| - beta / 2` above; `beta` in the units of the errors."""
    return F.smooth_l1_loss(error, torch.zeros_like(error), reduction="none", beta=beta)


class LandmarkLoss(nn.Module):
    """A penalty on each coordinate's error, reduced over the valid points of a batch. Settings: `conf/loss/`.

    `sum` adds up the 2N outputs of an image (scaled up to 2N where points are masked), `mean` averages over the valid
    ones. Images are averaged in both cases; images without any valid point don't count.

    Raises:
        ConfigError: If a setting has no such value.
    """

    def __init__(
        self,
        *,
        penalty: str = "wing",
        coordinates: Coordinates = "normalised",
        reduction: Reduction = "sum",
        **settings: float,
    ) -> None:
        super().__init__()
        if penalty not in PENALTIES:
            load_own_parts()
        require_choice("loss.penalty", penalty, PENALTIES)
        require_choice("loss.coordinates", coordinates, get_args(Coordinates))
        require_choice("loss.reduction", reduction, get_args(Reduction))
        for name, value in settings.items():
            if value <= 0:
                raise ConfigError(f"loss.{name} is {value}; it must be positive.")
        self.coordinates = coordinates
        self.reduction = reduction
        self.penalty = partial(PENALTIES[penalty], **settings)
        self.penalty(torch.zeros(1))  # so that settings that it doesn't take are refused here

    def forward(
        self,
        prediction: Float[Tensor, "batch point 2"],
        target: Float[Tensor, "batch point 2"],
        mask: Bool[Tensor, "batch point"],
        image_size: tuple[int, int],
    ) -> Float[Tensor, ""]:
        """The loss of a batch, 0 where it holds no valid point.

        Points are in [0, 1] image units; a masked target may be anything, NaN included. `image_size` (height, width) is
        that of the network's input, for errors in pixels.

        Returns:
            A scalar; 0 where the batch holds no valid point.
        """
        valid = mask[..., None]
        # The target is replaced before the subtraction: a NaN that only the result drops would still poison gradients.
        error = prediction - torch.where(valid, target, torch.zeros_like(target))
        if self.coordinates == "pixel":
            height, width = image_size
            error = torch.stack((error[..., 0] * width, error[..., 1] * height), dim=-1)
        penalty = torch.where(valid, self.penalty(error), torch.zeros_like(error))
        mean = penalty.sum(dim=(1, 2)) / (2 * mask.sum(dim=1)).clamp(min=1)
        per_image = mean * (2 * mask.shape[1]) if self.reduction == "sum" else mean
        counted = mask.any(dim=1)
        return (per_image * counted).sum() / counted.sum().clamp(min=1)
