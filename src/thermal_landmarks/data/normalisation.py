"""The one step from temperatures or gray levels to the network's input range, and how values are stored as uint16.

Training's cache and a predictor store them alike, so that a predictor sees what training saw.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from thermal_landmarks.data.annotation import ThermalImage, Unit
from thermal_landmarks.errors import ConfigError, require_choice

_ROUNDING = 2.0**-20
"""Values nearer to each other than this fraction of them can't be told from rounding: float32 has 24 bits."""

_SMALLEST_C = 0.005
_SMALLEST_GRAY = 2.0**-100
"""Below it float32 can't hold a 65,535th of the difference, the step in which an image is stored."""

_KELVIN = 273.15
_HEADROOM = 32  # times the distance of the limits, stored on both sides of them

if TYPE_CHECKING:  # worker processes that decode images do without torch
    from jaxtyping import Float, Num
    from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class ValueRange:
    """Which values of an image become -1 and +1 at the network's input."""

    # `percentile` takes each image's own percentiles, `window` a fixed range for all images
    mode: Literal["percentile", "window"] = "percentile"
    percentiles: tuple[float, float] = (1.0, 99.0)  # lower and upper percentile (0-100) for `percentile`
    temperature_range_c: tuple[float, float] = (18.0, 40.0)  # range in degrees Celsius for `window`
    # Range in gray levels for `window` where an image has no temperatures
    gray_range: tuple[float, float] = (0.0, 255.0)

    def __post_init__(self) -> None:
        require_choice("data.normalisation.mode", self.mode, ("percentile", "window"))
        for name in ("percentiles", "temperature_range_c", "gray_range"):
            low, high = getattr(self, name)
            if not low < high:
                raise ConfigError(f"Normalisation {name} must rise, found [{low}, {high}].")
            if name != "percentiles" and high - low <= _ROUNDING * max(abs(low), abs(high)):
                raise ConfigError(f"Normalisation {name} [{low}, {high}] is too narrow. Widen it.")

    def limits(self, values: np.ndarray, unit: Unit) -> tuple[float, float]:
        """The values of this image, which must not be constant, that become -1 and +1.

        In float32, too, the upper is above the lower: where the percentiles are one value, since nearly all of the
        image has it, the darkest and the brightest value take their place.
        """
        if self.mode == "window":
            return self.temperature_range_c if unit == "celsius" else self.gray_range
        low, high = np.percentile(values[..., ::2, ::2], self.percentiles).astype(np.float32)
        if _indistinct(float(low), float(high), unit):
            low, high = values.min(), values.max()
        return float(low), float(high)


def is_constant(values: np.ndarray, unit: Unit) -> bool:
    """Whether an image's values are all one, apart from rounding: there is nothing to see in it."""
    return _indistinct(float(values.min()), float(values.max()), unit)


def _indistinct(low: float, high: float, unit: Unit) -> bool:
    least = _SMALLEST_C if unit == "celsius" else _SMALLEST_GRAY
    return high - low <= max(least, _ROUNDING * max(abs(low), abs(high)))


class Encoding(NamedTuple):
    """How stored uint16 become values: value = stored * scale + offset."""

    scale: float
    offset: float


def encoding_of(image: ThermalImage, limits: tuple[float, float]) -> Encoding:
    """How the values of this image are stored, of which the limits become -1 and +1."""
    if image.unit == "celsius" and limits[0] >= -_KELVIN and limits[1] <= 65535 / 100 - _KELVIN:
        return Encoding(0.01, -_KELVIN)  # hundredths of a kelvin: finer than any camera's noise
    values = image.values
    low, high = float(values.min()), float(values.max())
    if low >= 0 and high <= 65535 and (values == np.rint(values)).all():
        return Encoding(1 / 256, 0.0) if high <= 255 else Encoding(1.0, 0.0)
    beyond = _HEADROOM * (limits[1] - limits[0])  # a single pixel far away must not take the steps from the others
    low, high = max(low, limits[0] - beyond), min(high, limits[1] + beyond)
    return Encoding(float(np.float32(high - low) / np.float32(65535)), float(np.float32(low)))


def encode(values: np.ndarray, encoding: Encoding) -> np.ndarray:
    """Values as they are stored, uint16."""
    return np.rint((values - np.float32(encoding.offset)) / np.float32(encoding.scale)).clip(0, 65535).astype(np.uint16)


def normalise(
    values: Float[Tensor, "batch channel height width"],
    low: Float[Tensor, " batch"],
    high: Float[Tensor, " batch"],
    *,
    clip: bool = True,
) -> Float[Tensor, "batch channel height width"]:
    """Map each image's [low, high] to [-1, 1]; `clip` cuts off what lies outside."""
    middle, half = (low + high) / 2, (high - low) / 2
    # first the difference: the product of a large value and a large scale would lose the digits that differ
    mapped = (values - middle[:, None, None, None]).mul_((1 / half)[:, None, None, None])
    return mapped.clamp_(-1, 1) if clip else mapped


def normalise_stored(
    stored: Num[Tensor, "batch channel height width"],
    encoding: Float[Tensor, "batch 2"],
    limits: Float[Tensor, "batch 2"],
    *,
    clip: bool = True,
) -> Float[Tensor, "batch channel height width"]:
    """Decode stored values (value = stored * scale + offset) and normalise them, in one step."""
    low, high = ((limits - encoding[:, 1:]) / encoding[:, :1]).unbind(dim=1)
    return normalise(stored.float(), low, high, clip=clip)
