"""The attention of one layer for one image, as a labelled grid."""

from jaxtyping import Float
from torch import Tensor

from thermal_landmarks.errors import ConfigError
from thermal_landmarks.models.channel_attention import ChannelAttentionLayer
from thermal_landmarks.models.network import LandmarkNetwork
from thermal_landmarks.models.vit import TransformerLayer
from thermal_landmarks.reporting.attention_maps import channel_attention, layer_inputs, rollout, token_attention
from thermal_landmarks.reporting.feature_maps import View
from thermal_landmarks.reporting.network_layers import NamedLayer, named_layers
from thermal_landmarks.reporting.visualisation_figures import Tile, range_of

_COLOURS = "inferno"


def attention_tiles(
    network: LandmarkNetwork, layer: NamedLayer, view: View, *, pixel: tuple[int, int] | None
) -> list[Tile]:
    """The view, and what the layer attends to.

    Among channels that is the D x D matrix and the focus of each pixel; among the patches of a transformer the
    attention of each head, and that of all layers up to this one rolled out.

    Args:
        network: The network.
        layer: Its layer of attention.
        view: What it sees.
        pixel: (x, y) in the view, whose attention is shown; None: the mean.

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
