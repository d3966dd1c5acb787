"""A stem that looks at all sizes at once: down to coarse maps and, if wanted, up again with a shortcut at each level.

A feature pyramid (Lin et al. 2017, arXiv 1612.03144) of depthwise separable layers (Howard et al. 2017, arXiv
1704.04861), whose finest map alone is handed on: the finder needs small faces and the whole frame from one cheap pass.
"""

from collections.abc import Sequence
from typing import Any

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from thermal_landmarks.errors import ConfigError
from thermal_landmarks.models.layers import (
    Activation,
    ConvLayer,
    Normalisation,
    make_activation,
    make_normalisation,
    require_odd,
    require_positive,
    strided,
)
from thermal_landmarks.models.registry import STEMS
from thermal_landmarks.models.shapes import FeatureMap


class SeparableLayer(nn.Module):
    """Depthwise convolution, then a 1x1 convolution, each normalised; its input is added where the shape stays."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        kernel_size: int,
        stride: int = 1,
        normalisation: Normalisation,
        activation: Activation,
    ) -> None:
        super().__init__()
        bias = normalisation == "none"
        self.layers = nn.Sequential(
            nn.Conv2d(in_channels, in_channels, kernel_size, stride, kernel_size // 2, groups=in_channels, bias=bias),
            make_normalisation(normalisation, in_channels),
            nn.Conv2d(in_channels, out_channels, 1, bias=bias),
            make_normalisation(normalisation, out_channels),
        )
        self.adds = stride == 1 and in_channels == out_channels
        self.activation = make_activation(activation)

    def forward(self, features: Float[Tensor, "b c h w"]) -> Float[Tensor, "b d p q"]:
        result: Tensor = self.layers(features)
        activated: Tensor = self.activation(result + features if self.adds else result)
        return activated


@STEMS.register("pyramid")
class PyramidStem(nn.Module):
    """Levels of halved size and back; gives a map of the incoming size, or without the way back the coarsest.

    Without an `out_width` there is no way back. Settings: `conf/stem/pyramid.yaml`.

    Raises:
        ConfigError: If a setting is out of range, or the map has fewer pixels than the levels span.
    """

    def __init__(
        self,
        in_shape: FeatureMap,
        *,
        width: Sequence[int],
        depth: Sequence[int],
        out_width: int | None,
        kernel_size: int,
        normalisation: Normalisation,
        activation: Activation,
    ) -> None:
        super().__init__()
        if isinstance(width, int | str) or isinstance(depth, int | str) or len(width) != len(depth) or not width:
            raise ConfigError(
                f"The stem's width and depth must be lists with one number a level, found {width!r} and {depth!r}."
            )
        require_odd("stem", kernel_size)
        style: Any = {"normalisation": normalisation, "activation": activation}
        self.down = nn.ModuleList()
        self.across = nn.ModuleList()
        shape = in_shape
        for level, (channels, layers) in enumerate(zip(width, depth, strict=True)):
            require_positive("stem", width=channels, depth=layers)
            stride = 2 if level else 1
            before = shape.channels
            shape = strided("stem", shape, channels=channels, stride=stride, remedy="fewer levels in stem.width")
            first = SeparableLayer(before, channels, kernel_size=kernel_size, stride=stride, **style)
            others = (SeparableLayer(channels, channels, kernel_size=kernel_size, **style) for _ in range(layers - 1))
            self.down.append(nn.Sequential(first, *others))
        self.up = nn.ModuleList()
        self.out_shape = shape
        if out_width is None:
            return
        require_positive("stem", out_width=out_width)
        self.across.extend(ConvLayer(channels, out_width, kernel_size=1, **style) for channels in width)
        self.up.extend(
            SeparableLayer(out_width, out_width, kernel_size=kernel_size, **style) for _ in range(len(width) - 1)
        )
        self.out_shape = FeatureMap(out_width, in_shape.height, in_shape.width)

    def forward(self, features: Float[Tensor, "b c h w"]) -> Float[Tensor, "b d p q"]:
        levels: list[Tensor] = []
        for down in self.down:
            features = down(features)
            levels.append(features)
        if not self.across:
            return levels[-1]
        result: Tensor = self.across[-1](levels[-1])
        for level in range(len(levels) - 2, -1, -1):
            finer = self.across[level](levels[level])
            result = self.up[level](finer + F.interpolate(result, size=finer.shape[-2:], mode="nearest"))
        return result
