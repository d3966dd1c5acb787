"""The attention of one layer for one image: its numbers, and a labelled grid of them.

Among channels as of Baker 2023, Appendix A.2, eqs. 8, 10, 11; among the patches of a vision transformer also rolled out
through the layers (Abnar and Zuidema 2020, arXiv 2005.00928).
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

from thermal_landmarks.errors import ConfigError
from thermal_landmarks.models.channel_attention import ChannelAttentionLayer
from thermal_landmarks.models.network import LandmarkNetwork
from thermal_landmarks.models.vit import TransformerLayer
from thermal_landmarks.reporting.layers.network_layers import NamedLayer, View, named_layers
from thermal_landmarks.reporting.layers.tiles import Tile, range_of

_COLOURS = "inferno"
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
    """The attention among channels that a layer computes without storing it: at a pixel (row, column), or the mean."""
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


def attention_tiles(
    network: LandmarkNetwork, layer: NamedLayer, view: View, *, pixel: tuple[int, int] | None
) -> list[Tile]:
    """The view, and what the layer attends to from a pixel (x, y) of the view, or on average.

    Among channels that is the D x D matrix and the focus of each pixel; among the patches of a transformer the
    attention of each head, and that of all layers up to this one rolled out.

    Raises:
        ConfigError: If the pixel lies outside the view.
    """
    height, width = view.values.shape[-2:]
    if pixel is not None and not (0 <= pixel[0] < width and 0 <= pixel[1] < height):
        raise ConfigError(f"pixel={list(pixel)} lies outside the network's input, {width} wide and {height} high.")
    gray = view.values[0, 0].cpu().numpy()
    seen = Tile(gray, "input and landmarks", points_px=view.points_px, pixel=pixel, labels=("x", "y"))
    if isinstance(layer.module, ChannelAttentionLayer):
        return [seen, *_among_channels(network, layer, layer.module, view, pixel)]
    tiles = [seen]
    for title, weights in _among_patches(network, layer, view, pixel).items():
        shown = weights.numpy()
        title = f"{title}: {range_of(shown)}"
        tiles.append(Tile(shown, title, under=gray, cover=layer.cover, colours=_COLOURS))
    return tiles


def attention_title(layer: NamedLayer, image: str, pixel: tuple[int, int] | None) -> str:
    """One line on what `attention_tiles` shows."""
    if isinstance(layer.module, ChannelAttentionLayer):
        return f"Attention among channels, {image}. Focus: 0 where it is even, 1 where each channel attends to one"
    whose = "mean over all patches" if pixel is None else f"of the patch at {pixel[0]}, {pixel[1]}"
    return f"Attention to the patches of {image}, {whose}"


def _among_channels(
    network: LandmarkNetwork,
    layer: NamedLayer,
    module: ChannelAttentionLayer,
    view: View,
    pixel: tuple[int, int] | None,
) -> list[Tile]:
    (features,) = layer_inputs(network, [module], view.values)
    place = None if pixel is None else _cell(layer, pixel, view, (features.shape[2], features.shape[3]))
    matrix, focus = (values.numpy() for values in channel_attention(module, features, pixel=place))
    whose = "mean over all pixels" if pixel is None else f"pixel {pixel[0]}, {pixel[1]}"
    gray = view.values[0, 0].cpu().numpy()
    return [
        Tile(matrix, f"{whose}: {range_of(matrix)}", colours=_COLOURS, labels=("attends to channel", "channel")),
        Tile(focus, f"focus of each pixel: {range_of(focus)}", under=gray, colours=_COLOURS),
    ]


def _among_patches(
    network: LandmarkNetwork, layer: NamedLayer, view: View, pixel: tuple[int, int] | None
) -> dict[str, Float[Tensor, "row column"]]:
    assert layer.grid is not None
    modules = [other.module for other in named_layers(network).values() if other.part == layer.part]
    modules = modules[: modules.index(layer.module) + 1]
    attentions = [
        token_attention(module, tokens)
        for module, tokens in zip(modules, layer_inputs(network, modules, view.values), strict=True)
        if isinstance(module, TransformerLayer)
    ]
    maps = {f"head {i}": weights for i, weights in enumerate(attentions[-1])}
    maps[f"{layer.part}.0 to {layer.name}, rolled out"] = rollout(attentions)
    if pixel is None:
        return {name: weights.mean(dim=0).view(layer.grid) for name, weights in maps.items()}
    row, column = _cell(layer, pixel, view, layer.grid)
    return {name: weights[row * layer.grid[1] + column].view(layer.grid) for name, weights in maps.items()}


def _cell(layer: NamedLayer, pixel: tuple[int, int], view: View, grid: tuple[int, int]) -> tuple[int, int]:
    """(row, column) of the layer's output that covers a pixel (x, y) of the view."""
    height, width = view.values.shape[-2:]
    row = (pixel[1] + 0.5) / (height * layer.cover[0]) * grid[0]
    column = (pixel[0] + 0.5) / (width * layer.cover[1]) * grid[1]
    return int(row), int(column)
