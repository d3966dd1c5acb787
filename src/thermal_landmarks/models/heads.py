"""Heads: features of all components -> landmarks.

The paper's is flatten, dropout, fully connected, N x 2 (Baker 2023, section 3.1). `soft_argmax` keeps the places of the
features: one heat map a landmark, whose centre of mass is the landmark (integral regression, Sun et al. 2018, arXiv
1711.08229; Nibali et al. 2018, arXiv 1801.07372).
"""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from thermal_landmarks.errors import ConfigError
from thermal_landmarks.models.layers import is_whole, require_number
from thermal_landmarks.models.registry import HEADS
from thermal_landmarks.models.shapes import FeatureMap, Shape


@HEADS.register("fully_connected")
class FullyConnectedHead(nn.Module):
    """One linear layer from all features to all coordinates, without an activation.

    Its features are divided by the square root of their number, which is ours: a fully connected layer over 10,000
    features otherwise moves its output by several image widths in a single step of Adam.

    Args:
        in_shapes: Of each component's output.
        num_points: N.
        dropout: Probability that a feature is dropped while training.

    Raises:
        ConfigError: If `dropout` is not a number in [0, 1).
    """

    def __init__(self, in_shapes: Sequence[Shape], num_points: int, *, dropout: float) -> None:
        super().__init__()
        require_number("head", dropout=dropout)
        if not 0 <= dropout < 1:
            raise ConfigError(f"The head's dropout must lie in [0, 1), found {dropout}.")
        in_features = sum(math.prod(shape) for shape in in_shapes)
        self.num_points = num_points
        self.gain = in_features**-0.5
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(in_features, 2 * num_points)
        nn.init.normal_(self.linear.weight, std=0.1)
        nn.init.constant_(self.linear.bias, 0.5)

    def forward(self, features: Sequence[Float[Tensor, "b ..."]]) -> Float[Tensor, "b point 2"]:
        flat = torch.cat([part.flatten(1) for part in features], dim=1)
        # In full precision: bf16 would round points to steps of up to 2.5 pixels in an image of 640.
        with torch.autocast(flat.device.type, enabled=False):
            flat = self.dropout(flat.to(self.linear.weight.dtype)) * self.gain
            points: Tensor = self.linear(flat)
        return points.float().unflatten(1, (self.num_points, 2))

    def learn(
        self,
        features: Sequence[Float[Tensor, "b ..."]],
        target: Float[Tensor, "b point 2"],  # noqa: ARG002  (the heads' common signature)
        mask: Bool[Tensor, "b point"],  # noqa: ARG002
    ) -> tuple[Float[Tensor, "b point 2"], Float[Tensor, ""]]:
        """Landmarks, and no penalty of the head's own."""
        points = self(features)
        return points, points.new_zeros(())

    @torch.no_grad()
    def set_mean_shape(self, points: Float[Tensor, "point 2"]) -> None:
        """Start from these points (in [0, 1] image units), e.g. the mean of the training set."""
        self.linear.bias.copy_(points.flatten())


@HEADS.register("soft_argmax")
class SoftArgmaxHead(nn.Module):
    """One heat map a landmark from a 1x1 convolution; the landmark is the heat map's centre of mass.

    Args:
        in_shapes: Of each component's output: feature maps of one height and width.
        num_points: N.
        margin: Cells around the map in which a landmark may lie too, so that points at or beyond the image's border
            can be reached.
        dropout: Probability that a whole feature channel is dropped while training.
        heat_weight: Weight of the penalty on the form of the heat maps, which is added to the loss. Without it they
            learn slowly where the evidence is.
        heat_sigma: Standard deviation of the wanted heat maps, in cells.

    Raises:
        ConfigError: If a component gives tokens instead of a map, or a setting is out of range.
    """

    def __init__(
        self,
        in_shapes: Sequence[Shape],
        num_points: int,
        *,
        margin: int,
        dropout: float,
        heat_weight: float,
        heat_sigma: float,
    ) -> None:
        super().__init__()
        require_number("head", dropout=dropout, heat_weight=heat_weight, heat_sigma=heat_sigma)
        if not 0 <= dropout < 1 or not is_whole(margin) or margin < 0 or heat_weight < 0 or heat_sigma <= 0:
            raise ConfigError(
                "The head's dropout must lie in [0, 1), its margin must be a whole number of at least 0, heat_weight "
                f"at least 0 and heat_sigma positive, found {dropout}, {margin!r}, {heat_weight} and {heat_sigma}."
            )
        maps = [shape for shape in in_shapes if isinstance(shape, FeatureMap)]
        if len(maps) < len(in_shapes):
            raise ConfigError(
                f"The soft_argmax head needs feature maps, but the branch gives tokens (shape {tuple(in_shapes[0])}). "
                "Set head=fully_connected, or branch=none, luong or bahdanau."
            )
        _, height, width = maps[0]
        self.heat_weight = heat_weight
        self.cells = torch.tensor([width, height])
        self.sigma = heat_sigma
        self.dropout = nn.Dropout2d(dropout)
        self.heat = nn.Conv2d(sum(shape.channels for shape in maps), num_points, 1, padding=margin)
        nn.init.normal_(self.heat.weight, std=0.01)
        y = (torch.arange(-margin, height + margin) + 0.5) / height
        x = (torch.arange(-margin, width + margin) + 0.5) / width
        places = torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1)
        self.places: Tensor  # (cell, 2), [0, 1] image units
        self.register_buffer("places", places.flatten(0, 1), persistent=False)

    def forward(self, features: Sequence[Float[Tensor, "b c h w"]]) -> Float[Tensor, "b point 2"]:
        return self._centre(self._heat(features))

    def learn(
        self,
        features: Sequence[Float[Tensor, "b c h w"]],
        target: Float[Tensor, "b point 2"],
        mask: Bool[Tensor, "b point"],
    ) -> tuple[Float[Tensor, "b point 2"], Float[Tensor, ""]]:
        """Landmarks, and the weighted cross entropy between heat maps and Gaussians around the valid targets."""
        heat = self._heat(features)
        distance = (self.places - torch.where(mask[..., None], target, 0.5)[:, :, None]) * self.cells.to(target)
        wanted = (-0.5 / self.sigma**2 * distance.square().sum(dim=-1)).softmax(dim=2)
        entropy = -(wanted * heat.log_softmax(dim=2)).sum(dim=2)
        penalty = (entropy * mask).sum() / mask.sum().clamp(min=1)
        return self._centre(heat), self.heat_weight * penalty

    @torch.no_grad()
    def set_mean_shape(self, points: Float[Tensor, "point 2"]) -> None:
        """Does nothing: heat maps begin flat, and find a landmark wherever it is."""

    def _heat(self, features: Sequence[Tensor]) -> Float[Tensor, "b point cell"]:
        maps = self.dropout(features[0] if len(features) == 1 else torch.cat(list(features), dim=1))
        # In full precision, as in the fully connected head.
        with torch.autocast(maps.device.type, enabled=False):
            heat: Tensor = self.heat(maps.to(self.heat.weight.dtype))
        return heat.flatten(2).float()

    def _centre(self, heat: Tensor) -> Float[Tensor, "b point 2"]:
        with torch.autocast(heat.device.type, enabled=False):
            return heat.softmax(dim=2) @ self.places
