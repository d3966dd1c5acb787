"""Layers of a network by name, what the network sees of an image, and the feature maps that they make of it.

Names follow the network: `root.1`, `stem.7`, `branch.0`, counted from 0; in an ensemble `components.2.stem.7`. `head`
is the heat maps of a soft-argmax head, one channel a landmark.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, NamedTuple

import numpy as np
import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

from thermal_landmarks.data.annotation import ThermalImage
from thermal_landmarks.data.batch import to_pixels
from thermal_landmarks.data.preprocessing import Box
from thermal_landmarks.errors import ConfigError
from thermal_landmarks.inference.predictor import Predictor
from thermal_landmarks.models.channel_attention import ChannelAttentionLayer
from thermal_landmarks.models.layers import ConvLayer, ResNeXtLayer
from thermal_landmarks.models.network import LandmarkNetwork
from thermal_landmarks.models.soft_argmax import SoftArgmaxHead
from thermal_landmarks.models.stems import Stem
from thermal_landmarks.models.vit import TransformerLayer, VisionTransformerBranch

CONVOLUTIONAL = (ConvLayer, ResNeXtLayer)
ATTENTION = (ChannelAttentionLayer, TransformerLayer)
_KINDS: dict[type[nn.Module], str] = {
    ConvLayer: "convolution",
    ResNeXtLayer: "ResNeXt",
    ChannelAttentionLayer: "channel attention",
    TransformerLayer: "transformer",
}
_CHOICES = ("last", "second_to_last")


@dataclass(frozen=True)
class NamedLayer:
    """A layer that can be looked at."""

    name: str  # as typed
    kind: str  # in words
    module: nn.Module  # the layer
    grid: tuple[int, int] | None = None  # (rows, columns) of a transformer's tokens; None for layers of feature maps
    # (vertically, horizontally): what the output covers of the network's input; above 1 where patches reach beyond it
    cover: tuple[float, float] = (1.0, 1.0)
    margin: int = 0  # cells around the output that are left out, since they lie beyond the input

    @property
    def part(self) -> str:
        """What the layer belongs to: its name without the number."""
        return self.name.rpartition(".")[0]

    @contextmanager
    def recording(self) -> Iterator[list[Float[Tensor, "batch channel row column"]]]:
        """A list that gets the layer's output at every pass through the network.

        Of a convolutional layer that is the value before its activation, which has a slope everywhere; tokens become
        a map of patches.
        """
        outputs: list[Tensor] = []

        def keep(module: nn.Module, inputs: object, output: Tensor) -> None:  # noqa: ARG001  (PyTorch's signature)
            if self.grid is not None:
                output = rearrange(output, "b (row column) d -> b d row column", row=self.grid[0])
            if self.margin:
                output = output[..., self.margin : -self.margin, self.margin : -self.margin]
            outputs.append(output.clone())  # an activation may overwrite the output in place

        source = self.module[1] if isinstance(self.module, ConvLayer) else self.module
        handle = source.register_forward_hook(keep)
        try:
            yield outputs
        finally:
            handle.remove()


def named_layers(network: LandmarkNetwork) -> dict[str, NamedLayer]:
    """All layers that can be looked at, by name, in the order of computation."""
    found: dict[str, NamedLayer] = {}
    for path, module in network.named_modules():
        kind = next((words for layer, words in _KINDS.items() if isinstance(module, layer)), None)
        if kind is None:
            continue
        name = re.sub(r"components\.(\d+)\.(\d)", _component_name, path).replace(".layers.", ".")
        if len(network.components) == 1:
            name = name.removeprefix("components.0.")
        patches = _patches(network, path) if isinstance(module, TransformerLayer) else {}
        found[name] = NamedLayer(name, kind, module, **patches)
    if isinstance(network.head, SoftArgmaxHead):
        found["head"] = NamedLayer("head", "heat maps", network.head.heat, margin=int(network.head.heat.padding[0]))
    return found


def find_layer(network: LandmarkNetwork, name: str, *, kinds: tuple[type[nn.Module], ...] = ()) -> NamedLayer:
    """The layer that `layer=` means.

    Args:
        network: The network.
        name: A layer's name, or `last` or `second_to_last`: of the convolutional and ResNeXt layers of root and stem
            in the order of computation, as in Figures 3 and 4 of the paper (in an ensemble: of its first component).
            Where attention is asked for, of the attention layers of stem and branch.
        kinds: Only layers of these classes; none: all.

    Raises:
        ConfigError: If there is no such layer; lists those that there are.
    """
    layers = {n: layer for n, layer in named_layers(network).items() if not kinds or isinstance(layer.module, kinds)}
    if not layers:
        raise ConfigError("This network has no attention layer. Choose a checkpoint with one, or what=features.")
    if name in layers:
        return layers[name]
    if name in _CHOICES:
        wanted = kinds or CONVOLUTIONAL
        first = [
            layer
            for layer in layers.values()
            if isinstance(layer.module, wanted)
            and (not layer.name.startswith("components.") or "components.0." in layer.name)
        ]
        place = _CHOICES.index(name) + 1
        if len(first) < place:
            raise ConfigError(f"layer={name}: the network has only one such layer. {_listed(layers)}")
        return first[-place]
    close = get_close_matches(name, layers, n=1)
    hint = f" Did you mean '{close[0]}'?" if close else ""
    raise ConfigError(f"layer={name}: there is no such layer.{hint} {_listed(layers)}")


def _listed(layers: Mapping[str, NamedLayer]) -> str:
    lines = "\n".join(f"  {layer.name:<12} {layer.kind}" for layer in layers.values())
    return f"Choose last, second_to_last or one of:\n{lines}"


def _component_name(match: re.Match[str]) -> str:
    return f"components.{match[1]}.{('stem', 'branch')[int(match[2])]}"


def _patches(network: LandmarkNetwork, path: str) -> dict[str, Any]:
    stem, branch = network.get_submodule(".".join(path.split(".")[:2])).children()
    assert isinstance(stem, Stem)
    assert isinstance(branch, VisionTransformerBranch)
    size, (_, height, width) = branch.encoder.patch_size, stem.out_shape
    grid = (-(-height // size), -(-width // size))
    return {"grid": grid, "cover": (grid[0] * size / height, grid[1] * size / width)}


class View(NamedTuple):
    """One look of a network at an image."""

    values: Float[Tensor, "1 channel height width"]  # the network's input
    points_px: Float[np.ndarray, "point 2"]  # the landmarks that the network finds in it, in its pixels


def look_at(predictor: Predictor, image: ThermalImage, *, look: int = -1, box_px: Box | None = None) -> View:
    """What the network sees when it predicts an image's landmarks.

    Of a network that looks several times (`cascade`), look 0 is that at the whole frame, -1 the last one.

    Raises:
        ConfigError: If there is no such look.
        DataError: If the image can't be used.
    """
    views: list[View] = []

    def keep(module: nn.Module, inputs: tuple[Tensor], points: Tensor) -> None:  # noqa: ARG001
        height, width = inputs[0].shape[-2:]
        points_px = to_pixels(points.float(), (height, width)).cpu().numpy()
        views.extend(View(inputs[0][row : row + 1].clone(), points_px[row]) for row in range(len(points_px)))

    handle = predictor.network.register_forward_hook(keep)
    try:
        predictor(image, boxes_px=box_px)
    finally:
        handle.remove()
    if not -len(views) <= look < len(views):
        raise ConfigError(f"look={look}: this network looks {len(views)} times. Choose 0 to {len(views) - 1}, or -1.")
    return views[look]


@torch.inference_mode()
def feature_maps(
    network: LandmarkNetwork, layer: NamedLayer, images: Float[Tensor, "batch channel height width"]
) -> Float[Tensor, "batch feature row column"]:
    """The output of one layer; of a convolutional layer before its activation."""
    with layer.recording() as outputs:
        network(images)
    return outputs[0].cpu()
