"""Stems between a backbone and the LOTR branch: a 1x1 projection, alone or before deconvolutions that enlarge the map.

LOTR (arXiv 2109.10057, Table 1): LOTR-M projects to 64 channels; the others project to 256, then two
4x4 deconvolutions of 128 and 64 channels double height and width each. Normalisation and activation after a
deconvolution are not stated; the default is that of the source of such layers, Simple Baselines (arXiv 1804.06208).
"""

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, nn

from thermal_landmarks.errors import ConfigError
from thermal_landmarks.models.layers import (
    Activation,
    Normalisation,
    make_activation,
    make_normalisation,
    require_positive,
)
from thermal_landmarks.models.registry import STEMS
from thermal_landmarks.models.shapes import FeatureMap, Grid


@STEMS.register("projection")
class ProjectionStem(nn.Conv2d):
    """A 1x1 convolution."""

    def __init__(self, in_shape: FeatureMap, *, width: int) -> None:
        require_positive("stem", width=width)
        super().__init__(in_shape.channels, width, 1)
        self.out_shape = FeatureMap(width, in_shape.height, in_shape.width)
        self.grid = Grid(1.0)


@STEMS.register("deconvolution")
class DeconvolutionStem(nn.Module):
    """A 1x1 convolution, then transposed convolutions that double height and width, one for each entry of `channels`.

    Settings: `conf/stem/deconvolution.yaml`.

    Raises:
        ConfigError: If a setting is out of range.
    """

    def __init__(
        self,
        in_shape: FeatureMap,
        *,
        width: int,
        channels: Sequence[int],
        kernel_size: int,
        normalisation: Normalisation,
        activation: Activation,
    ) -> None:
        super().__init__()
        require_positive("stem", width=width, kernel_size=kernel_size)
        if kernel_size % 2:
            raise ConfigError(f"The stem's kernel_size must be even to double the map's size, found {kernel_size}.")
        if not isinstance(channels, Sequence) or isinstance(channels, str) or not channels:
            raise ConfigError(f"The stem's channels must be a list, one number a deconvolution, found {channels!r}.")
        layers: list[nn.Module] = [nn.Conv2d(in_shape.channels, width, 1)]
        for following in channels:
            require_positive("stem", channels=following)
            layers += [
                nn.ConvTranspose2d(
                    width,
                    following,
                    kernel_size,
                    stride=2,
                    padding=kernel_size // 2 - 1,
                    bias=normalisation == "none",
                ),
                make_normalisation(normalisation, following),
                make_activation(activation),
            ]
            width = following
        self.layers = nn.Sequential(*layers)
        growth = 2 ** len(channels)
        self.out_shape = FeatureMap(width, in_shape.height * growth, in_shape.width * growth)
        self.grid = Grid(1.0)
        for _ in channels:  # an even kernel spreads a cell evenly over the two that it becomes
            self.grid = self.grid.then(Grid(0.5, -0.25))

    def forward(self, features: Float[Tensor, "b c h w"]) -> Float[Tensor, "b d p q"]:
        enlarged: Tensor = self.layers(features)
        return enlarged
