"""Channel-wise attention as a layer (Baker 2023, Appendix A.2, eqs. 8, 10, 11).

In every pixel the D scalars of the channel vector attend to each other: q = Wq x, k = Wk x, v = Wv x. Normalising x
first is ours: with unnormalised features the products saturate the softmax.
"""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from thermal_landmarks.errors import ConfigError
from thermal_landmarks.models.attention_kernels import bahdanau_attention, luong_attention
from thermal_landmarks.models.layers import Normalisation, make_normalisation, require_number

Score = Literal["luong", "bahdanau", "bahdanau_shared"]


class ChannelAttentionLayer(nn.Module):
    """Self-attention among the channels of each pixel; the shape stays.

    The score is `luong` (q_i k_j), `bahdanau` (u_i tanh(q_i + k_j), u learned, one number a channel, which is ours) or
    `bahdanau_shared` (one u for all channels). `residual`: the result is added to the input. `bias` and `normalisation`
    are of the projections to queries, keys and values, and of their input.

    `chunk_megabytes` bounds the working memory on top of a few arrays of the input's size; at least 256 pixels are
    worked on at a time. None: what is fast on the device. `start_scale` is a factor of the projections' weights at the
    start; 1: variance 1 / D. Small ones give near-uniform attention and a small addition, which let gradients pass
    (measured: L models learn several times faster). Values that replace the input start with 1.

    Raises:
        ConfigError: If `chunk_megabytes` or `start_scale` is not positive.
    """

    def __init__(
        self,
        channels: int,
        *,
        score: Score,
        residual: bool = True,
        bias: bool = False,
        chunk_megabytes: float | None = None,
        normalisation: Normalisation = "batch",
        start_scale: float = 0.3,
    ) -> None:
        super().__init__()
        require_number("attention", start_scale=start_scale)
        if start_scale <= 0:
            raise ConfigError(f"The attention's start_scale must be positive, found {start_scale}.")
        if chunk_megabytes is not None:
            require_number("attention", chunk_megabytes=chunk_megabytes)
            if chunk_megabytes <= 0:
                raise ConfigError(f"The attention's chunk_megabytes must be positive, found {chunk_megabytes}.")
        self.score = score
        self.residual = residual
        self.chunk_bytes = None if chunk_megabytes is None else int(chunk_megabytes * 2**20)
        self.normalisation = make_normalisation(normalisation, channels)
        self.projection = nn.Conv2d(channels, 3 * channels, 1, bias=bias)  # Wq, Wk and Wv, stacked
        with torch.no_grad():
            queries_keys, values = self.projection.weight.split([2 * channels, channels])
            queries_keys.normal_(std=start_scale * channels**-0.5)
            values.normal_(std=(start_scale if residual else 1.0) * channels**-0.5)
            if self.projection.bias is not None:
                self.projection.bias.zero_()
        if score != "luong":
            self.scale = nn.Parameter(torch.ones(channels if score == "bahdanau" else 1))

    def forward(self, features: Float[Tensor, "b d h w"]) -> Float[Tensor, "b d h w"]:
        batch, channels, height, width = features.shape
        projected = self.projection(self.normalisation(features))
        planes = projected.float() if projected.dtype in (torch.bfloat16, torch.float16) else projected
        queries, keys, values = planes.movedim(1, 0).reshape(3, channels, -1)
        if self.score == "luong":
            attended = luong_attention(queries, keys, values, chunk_bytes=self.chunk_bytes)
        else:
            attended = bahdanau_attention(
                queries, keys, values, self.scale.expand(channels), chunk_bytes=self.chunk_bytes
            )
        attended = attended.reshape(channels, batch, height, width).movedim(0, 1)
        return features + attended.to(features.dtype) if self.residual else attended.to(features.dtype)
