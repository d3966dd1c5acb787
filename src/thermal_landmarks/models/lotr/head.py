"""LOTR's head: the same small network turns each landmark's token into its point (arXiv 2109.10057).

Ours: it tells the point's distance from the training set's mean shape. All landmarks begin with nearly the same token,
so that points which must part from one place learn slowly, and with LAMB's small steps hardly at all.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn

from thermal_landmarks.errors import ConfigError
from thermal_landmarks.models.heads import LandmarkHead
from thermal_landmarks.models.layers import require_positive
from thermal_landmarks.models.registry import HEADS
from thermal_landmarks.models.shapes import Shape, Tokens


@HEADS.register("per_query")
class PerQueryHead(LandmarkHead):
    """Hidden layers with ReLU, then two linear outputs, x and y; an ensemble's tokens of a landmark are joined.

    Args:
        in_shapes: Of each component's output: one token a landmark.
        num_points: N.
        depth: Number of hidden layers.
        width: Of each.

    Raises:
        ConfigError: If a component's output isn't one token a landmark, or a setting is out of range.
    """

    def __init__(self, in_shapes: Sequence[Shape], num_points: int, *, depth: int, width: int) -> None:
        super().__init__()
        require_positive("head", depth=depth, width=width)
        for shape in in_shapes:
            if not isinstance(shape, Tokens) or shape.count != num_points:
                found = "tokens" if isinstance(shape, Tokens) else "a feature map"
                raise ConfigError(
                    f"The per_query head needs one token for each of {num_points} landmarks, but the branch gives "
                    f"{found} of shape {tuple(shape)}. Set branch=lotr, or head=fully_connected."
                )
        dims = [sum(shape[1] for shape in in_shapes), *[width] * depth]
        layers: list[nn.Module] = []
        for before, after in pairwise(dims):
            layers += [nn.Linear(before, after), nn.ReLU(inplace=True)]
        self.hidden = nn.Sequential(*layers)
        self.point = nn.Linear(width, 2)
        nn.init.normal_(self.point.weight, std=0.01)
        nn.init.zeros_(self.point.bias)
        self.mean_shape: Tensor
        self.register_buffer("mean_shape", torch.full((num_points, 2), 0.5))

    def forward(self, features: Sequence[Float[Tensor, "b point dim"]]) -> Float[Tensor, "b point 2"]:
        tokens = torch.cat(list(features), dim=2)
        # In full precision, as in the fully connected head.
        with torch.autocast(tokens.device.type, enabled=False):
            points: Tensor = self.mean_shape + self.point(self.hidden(tokens.to(self.point.weight.dtype)))
        return points.float()

    @torch.no_grad()
    def set_mean_shape(self, points: Float[Tensor, "point 2"]) -> None:
        """Tell distances from these points (in [0, 1] image units), e.g. the mean of the training set."""
        self.mean_shape.copy_(points)
