"""LOTR's transformer: an encoder over the pixels of a map, a decoder over learned landmark queries.

Watchareeruetai et al. 2022 (arXiv 2109.10057), after DETR (arXiv 2005.12872): layers normalise last, and a 2-D sine
encoding of the place is added to queries and keys of the encoder and to the decoder's keys of the memory, never to
values. The learned queries are the decoder's input.
"""

import math
from typing import Any

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

from thermal_landmarks.errors import ConfigError
from thermal_landmarks.models.layers import require_number, require_positive
from thermal_landmarks.models.registry import BRANCHES
from thermal_landmarks.models.shapes import FeatureMap, Tokens

Sequence = Float[Tensor, "b token dim"]

_TEMPERATURE = 10000.0


def sine_positions(height: int, width: int, dim: int) -> Float[Tensor, "pixel dim"]:
    """DETR's encoding of the places of a map, row by row: the first half of the channels tells y, the second x.

    Sines and cosines alternate. Their arguments are the place, counted from 1 and divided by the map's size, times
    2 pi and times a falling series of frequencies.
    """
    half = dim // 2
    frequencies = _TEMPERATURE ** (-torch.arange(0, half, 2) / half)

    def along(length: int) -> Tensor:
        angles = 2 * math.pi / length * torch.arange(1, length + 1)[:, None] * frequencies
        return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)

    y = along(height)[:, None].expand(-1, width, -1)
    x = along(width).expand(height, -1, -1)
    return torch.cat([y, x], dim=-1).flatten(0, 1)


class Attention(nn.Module):
    """Multi-head attention with a projection each for queries, keys, values and result."""

    def __init__(self, dim: int, *, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value, self.output = (nn.Linear(dim, dim) for _ in range(4))

    def forward(self, queries: Float[Tensor, "b query dim"], keys: Sequence, values: Sequence) -> Tensor:
        def split(tokens: Tensor) -> Tensor:
            return rearrange(tokens, "b t (heads d) -> b heads t d", heads=self.heads)

        attended = F.scaled_dot_product_attention(
            split(self.query(queries)), split(self.key(keys)), split(self.value(values))
        )
        result: Tensor = self.output(rearrange(attended, "b heads t d -> b t (heads d)"))
        return result


class FeedForward(nn.Sequential):
    """Two linear layers with a ReLU between them."""

    def __init__(self, dim: int, *, width: int) -> None:
        super().__init__(nn.Linear(dim, width), nn.ReLU(inplace=True), nn.Linear(width, dim))


class EncoderLayer(nn.Module):
    """Self-attention and feed-forward, each added to its input and then normalised."""

    def __init__(self, dim: int, *, heads: int, ffn_width: int, dropout: float) -> None:
        super().__init__()
        self.attention = Attention(dim, heads=heads)
        self.feed_forward = FeedForward(dim, width=ffn_width)
        self.norms = nn.ModuleList(nn.LayerNorm(dim) for _ in range(2))
        self.dropout = nn.Dropout(dropout)

    def forward(self, tokens: Sequence, positions: Float[Tensor, "token dim"]) -> Sequence:
        placed = tokens + positions
        tokens = self.norms[0](tokens + self.dropout(self.attention(placed, placed, tokens)))
        result: Tensor = self.norms[1](tokens + self.dropout(self.feed_forward(tokens)))
        return result


class DecoderLayer(nn.Module):
    """Attention among the landmarks, attention to the memory, feed-forward: each added, then normalised."""

    def __init__(self, dim: int, *, heads: int, ffn_width: int, dropout: float) -> None:
        super().__init__()
        self.self_attention = Attention(dim, heads=heads)
        self.cross_attention = Attention(dim, heads=heads)
        self.feed_forward = FeedForward(dim, width=ffn_width)
        self.norms = nn.ModuleList(nn.LayerNorm(dim) for _ in range(3))
        self.dropout = nn.Dropout(dropout)

    def forward(
        self, landmarks: Float[Tensor, "b point dim"], memory: Sequence, positions: Float[Tensor, "token dim"]
    ) -> Float[Tensor, "b point dim"]:
        attended = self.self_attention(landmarks, landmarks, landmarks)
        landmarks = self.norms[0](landmarks + self.dropout(attended))
        attended = self.cross_attention(landmarks, memory + positions, memory)
        landmarks = self.norms[1](landmarks + self.dropout(attended))
        result: Tensor = self.norms[2](landmarks + self.dropout(self.feed_forward(landmarks)))
        return result


@BRANCHES.register("lotr")
class LotrBranch(nn.Module):
    """Encoder and decoder of the same depth; the result is one token a landmark, in the scheme's order.

    The channels of the incoming map are the length of a token; dropout is of the result of each attention and
    feed-forward, before it is added. Settings: `conf/branch/lotr.yaml`.

    Raises:
        ConfigError: If the channels can't be divided among heads and sines, or a setting is out of range.
    """

    def __init__(
        self,
        in_shape: FeatureMap,
        num_points: int,
        *,
        depth: int,
        heads: int,
        ffn_width: int,
        dropout: float,
        query_std: float,
    ) -> None:
        super().__init__()
        require_positive("branch", depth=depth, heads=heads, ffn_width=ffn_width)
        require_number("branch", dropout=dropout, query_std=query_std)
        if not 0 <= dropout < 1 or query_std <= 0:
            raise ConfigError(
                "The branch's dropout must lie in [0, 1) and its query_std be positive, found "
                f"{dropout} and {query_std}."
            )
        dim = in_shape.channels
        if dim % heads or dim % 4:
            raise ConfigError(
                f"The lotr branch makes tokens of the stem's {dim} channels (shape {tuple(in_shape)}), which "
                f"branch.heads={heads} and 4 (sine and cosine of x and y) must divide. Set another stem.width (of "
                "stem=deconvolution: the last of stem.channels) or branch.heads."
            )
        sizes: dict[str, Any] = {"heads": heads, "ffn_width": ffn_width, "dropout": dropout}
        self.encoder = nn.ModuleList(EncoderLayer(dim, **sizes) for _ in range(depth))
        self.decoder = nn.ModuleList(DecoderLayer(dim, **sizes) for _ in range(depth))
        for parameter in self.parameters():
            if parameter.ndim > 1:
                nn.init.xavier_uniform_(parameter)
        self.queries = nn.Parameter(torch.randn(num_points, dim) * query_std)
        self.positions: Tensor
        self.register_buffer("positions", sine_positions(in_shape.height, in_shape.width, dim), persistent=False)
        self.out_shape = Tokens(num_points, dim)

    def forward(self, features: Float[Tensor, "b dim h w"]) -> Float[Tensor, "b point dim"]:
        memory = features.flatten(2).transpose(1, 2)
        for layer in self.encoder:
            memory = layer(memory, self.positions)
        landmarks = self.queries.repeat(len(features), 1, 1)
        for layer in self.decoder:
            landmarks = layer(landmarks, memory, self.positions)
        return landmarks
