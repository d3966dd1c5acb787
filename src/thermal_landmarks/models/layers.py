"""The layers that roots, stems and branches repeat: convolution, ResNeXt, and the normalisations they share.

ResNeXt after Baker 2023, Appendix A.3, eq. 14: y = x + sum_i T_i(x), in its grouped-convolution form. Normalisation
and initial scaling are not in the paper; they keep deep stacks trainable.
"""

import math
from numbers import Integral, Real
from typing import Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor, nn

from thermal_landmarks.errors import ConfigError, require_choice
from thermal_landmarks.models.shapes import FeatureMap

Normalisation = Literal["batch", "group", "none"]
Activation = Literal["relu", "leaky_relu", "gelu", "silu"]
Shortcut = Literal["projection", "identity"]

_ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
}
_GROUP_CHANNELS = 8


def make_normalisation(name: Normalisation, channels: int) -> nn.Module:
    """Batch normalisation, group normalisation with groups of about 8 channels, or none."""
    require_choice("normalisation", name, get_args(Normalisation))
    if name == "batch":
        return nn.BatchNorm2d(channels)
    if name == "group":
        return nn.GroupNorm(math.gcd(channels, max(1, channels // _GROUP_CHANNELS)), channels)
    return nn.Identity()


def make_activation(name: Activation) -> nn.Module:
    """The activation of that name, in place where it can be."""
    require_choice("activation", name, _ACTIVATIONS)
    return nn.GELU() if name == "gelu" else _ACTIVATIONS[name](inplace=True)


def require_positive(component: str, **settings: int) -> None:
    """Refuse settings that are not whole numbers from 1 on, by a `ConfigError` that names component and setting."""
    for name, value in settings.items():
        if not is_whole(value) or value < 1:
            raise ConfigError(f"The {component}'s {name} must be a whole number of at least 1, found {value!r}.")


def require_number(component: str, **settings: float) -> None:
    """Refuse settings that are not finite numbers, by a `ConfigError` that names component, setting and value."""
    for name, value in settings.items():
        if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value):
            raise ConfigError(f"The {component}'s {name} must be a number, found {value!r}.")


def require_odd(component: str, kernel_size: int) -> None:
    """Refuse even kernels, which can't be centred on a pixel, by a `ConfigError`."""
    if not is_whole(kernel_size) or kernel_size < 1 or kernel_size % 2 == 0:
        raise ConfigError(f"The {component}'s kernel_size must be odd and positive, found {kernel_size!r}.")


def is_whole(value: object) -> bool:
    """Whether this is an integer; `true` is none."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def strided(component: str, shape: FeatureMap, *, channels: int, stride: int, remedy: str) -> FeatureMap:
    """Shape after a padded convolution with a stride; `remedy` is what to set where the map is too small for it.

    Raises:
        ConfigError: If the map has fewer pixels than the stride spans.
    """
    if min(shape.height, shape.width) < stride:
        raise ConfigError(
            f"The {component} shrinks by {stride} a map of only {shape.height}x{shape.width} pixels. "
            f"Set {remedy}, or a larger image size."
        )
    return FeatureMap(channels, -(-shape.height // stride), -(-shape.width // stride))


class ConvLayer(nn.Sequential):
    """Convolution (centred, zero padding), normalisation, activation."""

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
        convolution = nn.Conv2d(
            in_channels,
            out_channels,
            kernel_size,
            stride=stride,
            padding=kernel_size // 2,
            bias=normalisation == "none",
        )
        nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
        if convolution.bias is not None:
            nn.init.zeros_(convolution.bias)
        super().__init__(convolution, make_normalisation(normalisation, out_channels), make_activation(activation))


class ResNeXtLayer(nn.Module):
    """y = x + sum over `cardinality` paths T_i(x); each path: 1x1 down, kxk, 1x1 up.

    One grouped convolution computes all paths; the last 1x1 convolution sums them. Normalisation (with `none`: a bias)
    and activation follow the first two convolutions. Where stride or width change the shape, so that eq. 14 has no sum,
    `shortcut` says what is added: x after a strided 1x1 convolution (`projection`) or nothing (`identity`).
    `path_scale` is a factor of the last convolution's weights at the start, so that the sum starts close to its
    shortcut however many layers are stacked.

    Raises:
        ConfigError: If `shortcut` is unknown or `path_scale` is not positive.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        cardinality: int,
        bottleneck_width: int,
        kernel_size: int,
        stride: int = 1,
        normalisation: Normalisation,
        activation: Activation,
        shortcut: Shortcut = "projection",
        path_scale: float = 0.5,
    ) -> None:
        super().__init__()
        require_number("stem", path_scale=path_scale)
        if shortcut not in ("projection", "identity") or path_scale <= 0:
            raise ConfigError(
                "The stem's shortcut must be projection or identity and its path_scale positive, found "
                f"{shortcut!r} and {path_scale}."
            )
        inner = cardinality * bottleneck_width
        bias = normalisation == "none"
        self.down = nn.Conv2d(in_channels, inner, 1, bias=bias)
        self.down_normalisation = make_normalisation(normalisation, inner)
        self.middle = nn.Conv2d(
            inner, inner, kernel_size, stride=stride, padding=kernel_size // 2, groups=cardinality, bias=bias
        )
        self.middle_normalisation = make_normalisation(normalisation, inner)
        self.up = nn.Conv2d(inner, out_channels, 1)
        self.activation = make_activation(activation)
        self.shortcut: nn.Module | None = nn.Identity()
        if stride != 1 or in_channels != out_channels:
            self.shortcut = None
        if self.shortcut is None and shortcut == "projection":
            self.shortcut = nn.Conv2d(in_channels, out_channels, 1, stride=stride, bias=False)
        for convolution in (self.down, self.middle):
            nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
            if convolution.bias is not None:
                nn.init.zeros_(convolution.bias)
        with torch.no_grad():
            self.up.weight.mul_(path_scale)
        nn.init.zeros_(self.up.bias)  # type: ignore[arg-type]

    def forward(self, features: Float[Tensor, "b c h w"]) -> Float[Tensor, "b d p q"]:
        paths = self.activation(self.down_normalisation(self.down(features)))
        paths = self.activation(self.middle_normalisation(self.middle(paths)))
        total: Tensor = self.up(paths)
        return total if self.shortcut is None else self.shortcut(features) + total
