"""What all heads of landmarks share, and the paper's: flatten, dropout, fully connected (Baker 2023, section 3.1)."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Literal, get_args

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from thermal_landmarks.errors import ConfigError, require_choice
from thermal_landmarks.models.layers import require_number
from thermal_landmarks.models.registry import HEADS
from thermal_landmarks.models.shapes import Shape

Start = Literal["image_centre", "glorot"]


class LandmarkHead(nn.Module, ABC):
    """From the components' outputs to N points in [0, 1] image units."""

    @abstractmethod
    def forward(self, features: Sequence[Float[Tensor, "b ..."]]) -> Float[Tensor, "b point 2"]:
        """Landmarks."""

    def forward_train(
        self,
        features: Sequence[Float[Tensor, "b ..."]],
        target: Float[Tensor, "b point 2"],  # noqa: ARG002  (for heads that have a penalty)
        mask: Bool[Tensor, "b point"],  # noqa: ARG002
    ) -> tuple[Float[Tensor, "b point 2"], Float[Tensor, ""]]:
        """Landmarks, and the penalty that the head wants to be added to the loss; here none."""
        points = self(features)
        return points, points.new_zeros(())

    def set_mean_shape(self, points: Float[Tensor, "point 2"]) -> None:
        """Start from these points (in [0, 1] image units), e.g. the mean of the training set; here nothing changes."""


@HEADS.register("fully_connected")
class FullyConnectedHead(LandmarkHead):
    """One linear layer from all features to all coordinates, without an activation.

    Two things are ours. Its features are divided by the square root of their number (`scaled`): a fully connected layer
    over 10,000 features otherwise moves its output by several image widths in a single step of Adam. And its points
    start close to the image's centre, by small weights and a bias of 0.5; with `glorot` (Glorot & Bengio 2010) they
    start around the image's upper left corner. Settings: `conf/head/fully_connected.yaml`.

    Raises:
        ConfigError: If `dropout` is not a number in [0, 1), or `start` is unknown.
    """

    def __init__(
        self,
        in_shapes: Sequence[Shape],
        num_points: int,
        *,
        dropout: float,
        scaled: bool = True,
        start: Start = "image_centre",
    ) -> None:
        super().__init__()
        require_number("head", dropout=dropout)
        if not 0 <= dropout < 1:
            raise ConfigError(f"The head's dropout must lie in [0, 1), found {dropout}.")
        require_choice("head.start", start, get_args(Start))
        in_features = sum(shape.values for shape in in_shapes)
        self.num_points = num_points
        self.gain = in_features**-0.5 if scaled else 1.0
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(in_features, 2 * num_points)
        if start == "glorot":
            nn.init.xavier_uniform_(self.linear.weight)
            nn.init.zeros_(self.linear.bias)
        else:
            nn.init.normal_(self.linear.weight, std=0.1)
            nn.init.constant_(self.linear.bias, 0.5)

    def forward(self, features: Sequence[Float[Tensor, "b ..."]]) -> Float[Tensor, "b point 2"]:
        flat = torch.cat([part.flatten(1) for part in features], dim=1)
        # In full precision: bf16 would round points to steps of up to 2.5 pixels in an image of 640.
        with torch.autocast(flat.device.type, enabled=False):
            flat = self.dropout(flat.to(self.linear.weight.dtype)) * self.gain
            points: Tensor = self.linear(flat)
        return points.float().unflatten(1, (self.num_points, 2))

    @torch.no_grad()
    def set_mean_shape(self, points: Float[Tensor, "point 2"]) -> None:
        """Start from these points (in [0, 1] image units), e.g. the mean of the training set."""
        self.linear.bias.copy_(points.flatten())
