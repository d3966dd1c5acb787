"""LOTR's head: the same small network turns each landmark's token into its point (arXiv 2109.10057).

Ours: it tells the point's distance from the training set's mean shape. All landmarks begin with nearly the same token,
so that points which must part from one place learn slowly, and with LAMB's small steps hardly at all. And it can follow
any branch: from a map, or from tokens that aren't those of landmarks, one attention draws a token for each landmark.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from thermal_landmarks.models.heads import LandmarkHead
from thermal_landmarks.models.layers import require_positive
from thermal_landmarks.models.registry import HEADS
from thermal_landmarks.models.shapes import Shape, Tokens


class LandmarkQueries(nn.Module):
    """A token for each landmark, drawn from a map or from other tokens by one attention with learned queries."""

    def __init__(self, shape: Shape, num_points: int) -> None:
        super().__init__()
        places, dim = _token(shape)
        self.queries = nn.Parameter(torch.randn(num_points, dim))
        self.positions = nn.Parameter(0.02 * torch.randn(places, dim))  # in values, too: they say where it was found
        self.key, self.value = (nn.Linear(dim, dim) for _ in range(2))

    def forward(self, features: Float[Tensor, "b ..."]) -> Float[Tensor, "b point dim"]:
        tokens = features.flatten(2).transpose(1, 2) if features.ndim == 4 else features
        placed = tokens + self.positions
        queries = self.queries.expand(len(tokens), -1, -1)
        return F.scaled_dot_product_attention(queries, self.key(placed), self.value(placed))


def _token(shape: Shape) -> Tokens:
    """How many places a map or a sequence has, and what is known of each."""
    return shape if isinstance(shape, Tokens) else Tokens(shape.height * shape.width, shape.channels)


@HEADS.register("per_query")
class PerQueryHead(LandmarkHead):
    """`depth` hidden layers with ReLU, then x and y by a linear one; an ensemble's tokens of a landmark are joined."""

    def __init__(self, in_shapes: Sequence[Shape], num_points: int, *, depth: int, width: int) -> None:
        super().__init__()
        require_positive("head", depth=depth, width=width)
        self.queries = nn.ModuleList(
            nn.Identity() if shape == Tokens(num_points, shape[-1]) else LandmarkQueries(shape, num_points)
            for shape in in_shapes
        )
        dims = [sum(_token(shape).dim for shape in in_shapes), *[width] * depth]
        layers: list[nn.Module] = []
        for before, after in pairwise(dims):
            layers += [nn.Linear(before, after), nn.ReLU(inplace=True)]
        self.hidden = nn.Sequential(*layers)
        self.point = nn.Linear(width, 2)
        nn.init.normal_(self.point.weight, std=0.01)
        nn.init.zeros_(self.point.bias)
        self.mean_shape: Tensor
        self.register_buffer("mean_shape", torch.full((num_points, 2), 0.5))

    def forward(self, features: Sequence[Float[Tensor, "b ..."]]) -> Float[Tensor, "b point 2"]:
        tokens = torch.cat([ask(part) for ask, part in zip(self.queries, features, strict=True)], dim=2)
        # In full precision, as in the fully connected head.
        with torch.autocast(tokens.device.type, enabled=False):
            points: Tensor = self.mean_shape + self.point(self.hidden(tokens.to(self.point.weight.dtype)))
        return points.float()

    @torch.no_grad()
    def set_mean_shape(self, points: Float[Tensor, "point 2"]) -> None:
        """Tell distances from these points (in [0, 1] image units), e.g. the mean of the training set."""
        self.mean_shape.copy_(points)
