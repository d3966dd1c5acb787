"""The attention of a network's layers: among channels (Baker 2023, Appendix A.2, eqs. 8, 10, 11) and among the patches
of a vision transformer, there also rolled out through the layers (Abnar and Zuidema 2020, arXiv 2005.00928).
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

from thermal_landmarks.models.channel_attention import ChannelAttentionLayer
from thermal_landmarks.models.network import LandmarkNetwork
from thermal_landmarks.models.vit import TransformerLayer

_PIXELS_AT_ONCE = 1024  # each holds a D x D matrix


class ChannelAttention(NamedTuple):
    """Attention among the channels of a map."""

    # Row i: how channel i attends to each channel, averaged over the pixels, or of the chosen pixel
    matrix: Float[Tensor, "query key"]
    # Of each pixel: 0 where every channel attends to all channels alike, 1 where each attends to a single one (one
    # minus the mean entropy of the rows, as a fraction of the highest)
    focus: Float[Tensor, "row column"]


@torch.inference_mode()
def layer_inputs(
    network: LandmarkNetwork, modules: Sequence[nn.Module], images: Float[Tensor, "batch channel height width"]
) -> list[Tensor]:
    """What arrives at each of these layers of the network."""
    inputs: list[Tensor] = []
    handles = [m.register_forward_pre_hook(lambda _, arrived: inputs.append(arrived[0].clone())) for m in modules]
    try:
        network(images)
    finally:
        for handle in handles:
            handle.remove()
    return inputs


@torch.inference_mode()
def channel_attention(
    layer: ChannelAttentionLayer,
    features: Float[Tensor, "1 channel row column"],
    *,
    pixel: tuple[int, int] | None = None,
) -> ChannelAttention:
    """The attention among channels that the layer computes without storing it.

    Args:
        layer: The layer.
        features: What arrives at it.
        pixel: (row, column) whose matrix is given; None: the mean over all pixels.
    """
    _, channels, rows, columns = features.shape
    planes = layer.projection(layer.normalisation(features))[0].flatten(1).float()
    queries, keys, _ = planes.split(channels)
    total, focus = torch.zeros(channels, channels), torch.empty(rows * columns)
    for start in range(0, rows * columns, _PIXELS_AT_ONCE):
        part = slice(start, start + _PIXELS_AT_ONCE)
        weights = _weights(layer, queries[:, part], keys[:, part])
        total += weights.sum(dim=2).cpu()
        entropy = torch.special.entr(weights).sum(dim=1).mean(dim=0)
        focus[part] = (1 - entropy / math.log(max(channels, 2))).cpu()
    if pixel is None:
        matrix = total / (rows * columns)
    else:
        place = pixel[0] * columns + pixel[1]
        matrix = _weights(layer, queries[:, place : place + 1], keys[:, place : place + 1])[..., 0].cpu()
    return ChannelAttention(matrix, focus.view(rows, columns))


@torch.inference_mode()
def token_attention(layer: TransformerLayer, tokens: Float[Tensor, "1 token dim"]) -> Float[Tensor, "head query key"]:
    """The attention of each head among tokens: rows sum to 1."""
    projected = layer.projection(layer.attention_normalisation(tokens))
    queries, keys, _ = rearrange(projected, "1 t (n heads d) -> n heads t d", n=3, heads=layer.heads).float()
    scores = queries @ keys.transpose(1, 2) / math.sqrt(queries.shape[2])
    return scores.softmax(dim=2).cpu()


def rollout(attentions: Sequence[Float[Tensor, "head query key"]]) -> Float[Tensor, "query token"]:
    """How much of each token reaches each token after these layers: half of it by attention, half by the residual."""
    reach = torch.eye(attentions[0].shape[-1])
    for attention in attentions:
        reach = (attention.mean(dim=0) @ reach + reach) / 2
    return reach


def _weights(
    layer: ChannelAttentionLayer, queries: Float[Tensor, "query pixel"], keys: Float[Tensor, "key pixel"]
) -> Float[Tensor, "query key pixel"]:
    if layer.score == "luong":
        scores = queries[:, None] * keys[None]
    else:
        scores = layer.scale[:, None, None] * torch.tanh(queries[:, None] + keys[None])
    return scores.softmax(dim=1)
