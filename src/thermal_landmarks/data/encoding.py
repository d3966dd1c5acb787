"""How the values of an image are stored as uint16, for training's cache and for a predictor that sees what it saw."""

from typing import NamedTuple

import numpy as np

from thermal_landmarks.data.annotation import ThermalImage

_KELVIN = 273.15
_HEADROOM = 32  # times the distance of the limits, stored on both sides of them


class Encoding(NamedTuple):
    """How stored uint16 become values: value = stored * scale + offset."""

    scale: float
    offset: float


def encoding_of(image: ThermalImage, limits: tuple[float, float]) -> Encoding:
    """How the values of this image are stored; a predictor stores them alike, so that it sees what training saw.

    Args:
        image: The whole image.
        limits: The values that become -1 and +1.
    """
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
