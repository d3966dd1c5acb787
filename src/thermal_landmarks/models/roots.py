"""Roots: image -> first feature map (Baker 2023, section 3.1).

The paper's root is two convolutions with stride 2, 480x640x3 -> 120x160x64. Normalisation is ours.
"""

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, nn

from thermal_landmarks.errors import ConfigError
from thermal_landmarks.models.layers import (
    Activation,
    ConvLayer,
    Normalisation,
    require_odd,
    require_positive,
    strided,
)
from thermal_landmarks.models.registry import ROOTS
from thermal_landmarks.models.shapes import FeatureMap, Grid


@ROOTS.register("paper")
class PaperRoot(nn.Module):
    """Convolutions with stride 2, one for each entry of `channels`. Settings: `conf/root/paper.yaml`.

    Raises:
        ConfigError: If the image has fewer pixels than the strides span, or a setting is out of range.
    """

    def __init__(
        self,
        in_shape: FeatureMap,
        *,
        channels: Sequence[int],
        kernel_size: int,
        normalisation: Normalisation,
        activation: Activation,
    ) -> None:
        super().__init__()
        if not isinstance(channels, Sequence) or isinstance(channels, str) or not channels:
            raise ConfigError(f"The root's channels must be a list, one number a convolution, found {channels!r}.")
        require_odd("root", kernel_size)
        layers: list[nn.Module] = []
        shape = in_shape
        for width in channels:
            require_positive("root", channels=width)
            layers.append(
                ConvLayer(
                    shape.channels,
                    width,
                    kernel_size=kernel_size,
                    stride=2,
                    normalisation=normalisation,
                    activation=activation,
                )
            )
            shape = strided("root", shape, channels=width, stride=2, remedy="fewer root.channels")
        self.layers = nn.Sequential(*layers)
        self.out_shape = shape
        self.grid = Grid(2.0 ** len(channels))  # odd kernels are centred, so the first cell is at the first pixel

    def forward(self, images: Float[Tensor, "b c h w"]) -> Float[Tensor, "b d p q"]:
        features: Tensor = self.layers(images)
        return features
