"""Stems: feature map -> feature map, `depth` repeats of one layer or of an alternating pair (Baker 2023, section 3.1).

The paper gives the kinds of layers but not their sizes. Here the first `strided_repeats` repeats shrink the map by
`stride`, and each repeat after the first widens it by `width_growth` as long as it shrinks, so that the fully
connected head stays small; or `width` lists the channels of every repeat.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from jaxtyping import Float
from torch import Tensor, nn

from thermal_landmarks.errors import ConfigError
from thermal_landmarks.models.channel_attention import ChannelAttentionLayer, Score
from thermal_landmarks.models.layers import (
    Activation,
    ConvLayer,
    Normalisation,
    ResNeXtLayer,
    Shortcut,
    is_whole,
    require_number,
    require_odd,
    require_positive,
    strided,
)
from thermal_landmarks.models.registry import STEMS
from thermal_landmarks.models.shapes import FeatureMap, Grid


class Stem(nn.Module, ABC):
    """What all stems share: the plan of widths and strides, and running the repeats in order. Settings: `conf/stem/`.

    Raises:
        ConfigError: If a setting is out of range, or the map has fewer pixels than the strides span.
    """

    def __init__(
        self,
        in_shape: FeatureMap,
        *,
        depth: int,
        width: int | Sequence[int],
        width_growth: float,
        kernel_size: int,
        stride: int,
        strided_repeats: int,
        normalisation: Normalisation,
        activation: Activation,
        removed_repeats: int = 0,
    ) -> None:
        super().__init__()
        require_positive("stem", depth=depth, stride=stride)
        require_odd("stem", kernel_size)
        require_number("stem", width_growth=width_growth)
        if not is_whole(strided_repeats) or strided_repeats < 0 or width_growth <= 0:
            raise ConfigError(
                "The stem's strided_repeats must be a whole number of at least 0 and its width_growth must be "
                f"positive, found {strided_repeats!r} and {width_growth}."
            )
        if not is_whole(removed_repeats) or not 0 <= removed_repeats < depth:
            raise ConfigError(
                f"The stem's removed_repeats must leave at least one of its {depth} repeats (stem.depth), "
                f"found {removed_repeats!r}."
            )
        self._style: dict[str, Any] = {
            "kernel_size": kernel_size,
            "normalisation": normalisation,
            "activation": activation,
        }
        shape = in_shape
        self.grid = Grid(1.0)
        layers: list[nn.Module] = []
        widths = _widths(width, depth=depth, growth=width_growth, strided_repeats=strided_repeats)
        for repeat, channels in enumerate(widths[: depth - removed_repeats]):
            step = stride if repeat < strided_repeats else 1
            layers.extend(self.make_repeat(shape.channels, channels, stride=step))
            self.grid = self.grid.then(Grid(step))
            remedy = "a smaller stem.stride or stem.strided_repeats"
            shape = strided("stem", shape, channels=channels, stride=step, remedy=remedy)
        self.layers = nn.Sequential(*layers)
        self.out_shape = shape

    @abstractmethod
    def make_repeat(self, in_channels: int, out_channels: int, *, stride: int) -> list[nn.Module]:
        """The layers of one repeat."""

    def forward(self, features: Float[Tensor, "b c h w"]) -> Float[Tensor, "b d p q"]:
        result: Tensor = self.layers(features)
        return result

    def make_convolution(self, in_channels: int, out_channels: int, *, stride: int) -> ConvLayer:
        """A convolutional layer with this stem's settings."""
        return ConvLayer(in_channels, out_channels, stride=stride, **self._style)


def _widths(width: int | Sequence[int], *, depth: int, growth: float, strided_repeats: int) -> list[int]:
    if isinstance(width, Sequence) and not isinstance(width, str):
        for channels in width:
            require_positive("stem", width=channels)
        if len(width) != depth:
            raise ConfigError(
                f"The stem's width lists {len(width)} repeats, {list(width)}, but its depth is {depth}. "
                "Set both, or stem.width to one number."
            )
        return list(width)
    require_positive("stem", width=width)
    return [round(width * growth ** max(0, min(repeat, strided_repeats - 1))) for repeat in range(depth)]


@STEMS.register("conv")
class ConvStem(Stem):
    """Convolutional layers (the paper's models C). Settings: see `Stem`."""

    def make_repeat(self, in_channels: int, out_channels: int, *, stride: int) -> list[nn.Module]:
        return [self.make_convolution(in_channels, out_channels, stride=stride)]


@STEMS.register("resnext")
class ResNeXtStem(Stem):
    """ResNeXt layers (the paper's models R). Settings: see `Stem` and `ResNeXtLayer`."""

    def __init__(
        self,
        in_shape: FeatureMap,
        *,
        cardinality: int,
        bottleneck_width: int,
        shortcut: Shortcut = "projection",
        path_scale: float = 0.5,
        **shared: Any,
    ) -> None:
        require_positive("stem", cardinality=cardinality, bottleneck_width=bottleneck_width)
        self._paths: dict[str, Any] = {"cardinality": cardinality, "bottleneck_width": bottleneck_width}
        self._paths |= {"shortcut": shortcut, "path_scale": path_scale}
        super().__init__(in_shape, **shared)

    def make_repeat(self, in_channels: int, out_channels: int, *, stride: int) -> list[nn.Module]:
        return [self.make_resnext(in_channels, out_channels, stride=stride)]

    def make_resnext(self, in_channels: int, out_channels: int, *, stride: int) -> ResNeXtLayer:
        """A ResNeXt layer with this stem's settings."""
        return ResNeXtLayer(in_channels, out_channels, stride=stride, **self._style, **self._paths)


@STEMS.register("alt_conv_resnext")
class AlternatingConvResNeXtStem(ResNeXtStem):
    """Pairs of a (strided) convolution and a ResNeXt layer (the paper's models A). Settings: see `ResNeXtStem`."""

    def make_repeat(self, in_channels: int, out_channels: int, *, stride: int) -> list[nn.Module]:
        return [
            self.make_convolution(in_channels, out_channels, stride=stride),
            self.make_resnext(out_channels, out_channels, stride=1),
        ]


class AlternatingConvAttentionStem(Stem):
    """Pairs of a (strided) convolution and channel-wise attention. Settings: see `Stem` and `ChannelAttentionLayer`."""

    score: Score

    def __init__(
        self,
        in_shape: FeatureMap,
        *,
        residual: bool,
        chunk_megabytes: float | None,
        bias: bool = False,
        start_scale: float = 0.3,
        **shared: Any,
    ) -> None:
        self._attention: dict[str, Any] = {"residual": residual, "bias": bias, "start_scale": start_scale}
        self._attention["chunk_megabytes"] = chunk_megabytes
        super().__init__(in_shape, **shared)

    def make_repeat(self, in_channels: int, out_channels: int, *, stride: int) -> list[nn.Module]:
        return [
            self.make_convolution(in_channels, out_channels, stride=stride),
            ChannelAttentionLayer(
                out_channels, score=self.score, normalisation=self._style["normalisation"], **self._attention
            ),
        ]


@STEMS.register("alt_conv_luong")
class AlternatingConvLuongStem(AlternatingConvAttentionStem):
    """With Luong attention (the paper's models L). Settings: see `AlternatingConvAttentionStem`."""

    score = "luong"


@STEMS.register("alt_conv_bahdanau")
class AlternatingConvBahdanauStem(AlternatingConvAttentionStem):
    """With Bahdanau attention (the paper's models B); `shared_scale`: all channels share u, instead of one each."""

    def __init__(self, in_shape: FeatureMap, *, shared_scale: bool = False, **shared: Any) -> None:
        self.score = "bahdanau_shared" if shared_scale else "bahdanau"
        super().__init__(in_shape, **shared)
