"""Losses on landmark coordinates: wing, smooth-wing, L1, L2 and smooth L1.

Wing follows Feng et al. 2018 (arXiv 1711.06753) with the reduction that fits the tables of arXiv 2311.08308: in [0, 1]
coordinates, summed over an image's 2N outputs, averaged over images. Smooth-wing follows LOTR (arXiv 2109.10057) with
the constant c2 that makes it continuous. Our addition: where points are masked, an image's sum is scaled up to 2N
outputs, so that values compare between images.
"""

import math
from abc import ABC, abstractmethod
from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from thermal_landmarks.errors import ConfigError

Coordinates = Literal["normalised", "pixel"]
Reduction = Literal["sum", "mean"]


class LandmarkLoss(nn.Module, ABC):
    """A penalty on each coordinate's error, reduced over the valid points of a batch.

    Args:
        coordinates: Errors are taken in [0, 1] image units (`normalised`) or in pixels of the network's input
            (`pixel`).
        reduction: Of the coordinates of one image: `sum` adds up the 2N outputs (scaled up to 2N where points are
            masked), `mean` averages over the valid ones. Images are averaged in both cases; images without any valid
            point don't count.

    Raises:
        ConfigError: If a setting has no such value.
    """

    def __init__(self, *, coordinates: Coordinates = "normalised", reduction: Reduction = "sum") -> None:
        super().__init__()
        if coordinates not in ("normalised", "pixel"):
            raise ConfigError(f"loss.coordinates is '{coordinates}'. Choose normalised or pixel.")
        if reduction not in ("sum", "mean"):
            raise ConfigError(f"loss.reduction is '{reduction}'. Choose sum or mean.")
        self.coordinates = coordinates
        self.reduction = reduction

    @abstractmethod
    def penalty(self, error: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        """The penalty of each signed error."""

    def forward(
        self,
        prediction: Float[Tensor, "batch point 2"],
        target: Float[Tensor, "batch point 2"],
        mask: Bool[Tensor, "batch point"],
        image_size: tuple[int, int],
    ) -> Float[Tensor, ""]:
        """The loss of a batch.

        Args:
            prediction: In [0, 1] image units.
            target: In [0, 1] image units; anything, NaN included, where masked.
            mask: True where the point is valid.
            image_size: (height, width) of the network's input, for errors in pixels.

        Returns:
            A scalar; 0 where the batch holds no valid point.
        """
        return average_over_images(self.per_image(prediction, target, mask, image_size), mask)

    def per_image(
        self,
        prediction: Float[Tensor, "batch point 2"],
        target: Float[Tensor, "batch point 2"],
        mask: Bool[Tensor, "batch point"],
        image_size: tuple[int, int],
    ) -> Float[Tensor, " batch"]:
        """The loss of each image; 0 where it has no valid point. Arguments as in `forward`."""
        valid = mask[..., None]
        # The target is replaced before the subtraction: a NaN that only the result drops would still poison gradients.
        error = prediction - torch.where(valid, target, torch.zeros_like(target))
        if self.coordinates == "pixel":
            height, width = image_size
            error = torch.stack((error[..., 0] * width, error[..., 1] * height), dim=-1)
        penalty = torch.where(valid, self.penalty(error), torch.zeros_like(error))
        mean = penalty.sum(dim=(1, 2)) / (2 * mask.sum(dim=1)).clamp(min=1)
        return mean * (2 * mask.shape[1]) if self.reduction == "sum" else mean


def average_over_images(per_image: Float[Tensor, " batch"], mask: Bool[Tensor, "batch point"]) -> Float[Tensor, ""]:
    """Mean over the images that have a valid point; 0 where none has."""
    counted = mask.any(dim=1)
    return (per_image * counted).sum() / counted.sum().clamp(min=1)


class Wing(LandmarkLoss):
    """Wing loss: `width * ln(1 + |x| / epsilon)` below `width`, linear above.

    Args:
        width: Where the logarithm ends, in the units of `coordinates`.
        epsilon: Curvature of the logarithm, in the same units.
        coordinates: See `LandmarkLoss`.
        reduction: See `LandmarkLoss`.
    """

    def __init__(
        self,
        *,
        width: float = 10.0,
        epsilon: float = 2.0,
        coordinates: Coordinates = "normalised",
        reduction: Reduction = "sum",
    ) -> None:
        super().__init__(coordinates=coordinates, reduction=reduction)
        _require_positive(width=width, epsilon=epsilon)
        self.width, self.epsilon = width, epsilon
        self.offset = width - width * math.log1p(width / epsilon)

    def penalty(self, error: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        size = error.abs()
        return torch.where(size < self.width, self.width * torch.log1p(size / self.epsilon), size - self.offset)


class SmoothWing(LandmarkLoss):
    """Smooth-wing loss: quadratic below `threshold`, logarithmic up to `width`, linear above.

    Value and slope are continuous at both joints; the slope reaches 1 at `width`.

    Args:
        width: Where the logarithm ends, in the units of `coordinates`.
        epsilon: Curvature of the logarithm, in the same units.
        threshold: Where the logarithm begins, in the same units; below `width`.
        coordinates: See `LandmarkLoss`.
        reduction: See `LandmarkLoss`.
    """

    def __init__(
        self,
        *,
        width: float = 10.0,
        epsilon: float = 2.0,
        threshold: float = 0.01,
        coordinates: Coordinates = "normalised",
        reduction: Reduction = "sum",
    ) -> None:
        super().__init__(coordinates=coordinates, reduction=reduction)
        _require_positive(width=width, epsilon=epsilon, threshold=threshold)
        if threshold >= width:
            raise ConfigError(f"loss.threshold is {threshold}; it must lie below loss.width = {width}.")
        self.width, self.epsilon, self.threshold = width, epsilon, threshold
        self.slope = (width + epsilon) / (2 * threshold * (epsilon + threshold))
        self.offset_linear = width - (width + epsilon) * math.log1p(width / epsilon)
        self.offset_log = (width + epsilon) * math.log1p(threshold / epsilon) - self.slope * threshold**2

    def penalty(self, error: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        size = error.abs()
        quadratic = self.slope * error.square()
        logarithm = (self.width + self.epsilon) * torch.log1p(size / self.epsilon) - self.offset_log
        linear = size - self.offset_linear - self.offset_log
        return torch.where(size < self.threshold, quadratic, torch.where(size <= self.width, logarithm, linear))


class L1(LandmarkLoss):
    """Absolute error."""

    def penalty(self, error: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        return error.abs()


class L2(LandmarkLoss):
    """Squared error."""

    def penalty(self, error: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        return error.square()


class SmoothL1(LandmarkLoss):
    """Quadratic `x^2 / (2 beta)` below `beta`, linear `|x| - beta / 2` above.

    Args:
        beta: Where the line begins, in the units of `coordinates`.
        coordinates: See `LandmarkLoss`.
        reduction: See `LandmarkLoss`.
    """

    def __init__(
        self, *, beta: float = 0.01, coordinates: Coordinates = "normalised", reduction: Reduction = "sum"
    ) -> None:
        super().__init__(coordinates=coordinates, reduction=reduction)
        _require_positive(beta=beta)
        self.beta = beta

    def penalty(self, error: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        size = error.abs()
        return torch.where(size < self.beta, error.square() / (2 * self.beta), size - self.beta / 2)


def _require_positive(**settings: float) -> None:
    for name, value in settings.items():
        if value <= 0:
            raise ConfigError(f"loss.{name} is {value}; it must be positive.")
