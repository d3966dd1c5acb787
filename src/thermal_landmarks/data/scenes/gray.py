"""What the finder sees of an image: one byte a pixel, between the image's own darkest and brightest parts."""

import numpy as np
from jaxtyping import Shaped, UInt8

from thermal_landmarks.data.annotation import Unit

SKIN_RANGE_C = (0.0, 45.0)
"""What lies beyond is as cold, or as hot, as its ends: a kettle must not press all faces into a few levels."""

PERCENTILES = (0.5, 99.5)
SAMPLES = 20_000


def to_bytes(values: Shaped[np.ndarray, "height width"], unit: Unit) -> UInt8[np.ndarray, "height width"]:
    """An image in degrees Celsius or gray levels as bytes; its percentiles become 0 and 255."""
    values = np.asarray(values, dtype=np.float32)
    if unit == "celsius":
        values = values.clip(*SKIN_RANGE_C)
    step = max(1, int((values.size / SAMPLES) ** 0.5))
    low, high = np.percentile(values[::step, ::step], PERCENTILES)
    scale = 255 / max(float(high - low), 1e-3)
    return np.rint((values - low) * scale).clip(0, 255).astype(np.uint8)
