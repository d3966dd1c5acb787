"""Heads: features -> landmarks. The paper's is flatten, dropout, fully connected, N x 2 (Baker 2023, section 3.1)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from thermal_landmarks.errors import ConfigError
from thermal_landmarks.models.layers import require_number
from thermal_landmarks.models.registry import HEADS


@HEADS.register("fully_connected")
class FullyConnectedHead(nn.Module):
    """One linear layer from all features to all coordinates, without an activation.

    Its features are divided by the square root of their number, which is ours: a fully connected layer over 10,000
    features otherwise moves its output by several image widths in a single step of Adam.

    Args:
        in_features: Number of flattened features.
        num_points: N.
        dropout: Probability that a feature is dropped while training.

    Raises:
        ConfigError: If `dropout` is not a number in [0, 1).
    """

    def __init__(self, in_features: int, num_points: int, *, dropout: float) -> None:
        super().__init__()
        require_number("head", dropout=dropout)
        if not 0 <= dropout < 1:
            raise ConfigError(f"The head's dropout must lie in [0, 1), found {dropout}.")
        self.num_points = num_points
        self.gain = in_features**-0.5
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(in_features, 2 * num_points)
        nn.init.normal_(self.linear.weight, std=0.1)
        nn.init.constant_(self.linear.bias, 0.5)

    def forward(self, features: Float[Tensor, "b feature"]) -> Float[Tensor, "b point 2"]:
        # In full precision: bf16 would round points to steps of up to 2.5 pixels in an image of 640.
        with torch.autocast(features.device.type, enabled=False):
            features = self.dropout(features.to(self.linear.weight.dtype)) * self.gain
            points: Tensor = self.linear(features)
        return points.float().unflatten(1, (self.num_points, 2))

    @torch.no_grad()
    def set_mean_shape(self, points: Float[Tensor, "point 2"]) -> None:
        """Start from these points (in [0, 1] image units), e.g. the mean of the training set."""
        self.linear.bias.copy_(points.flatten())
