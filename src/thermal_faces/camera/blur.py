"""Gaussian blur of an image, with the same result on every processor."""

import numpy as np
from jaxtyping import Float

from thermal_faces.portable_math import compiled, exp

_REACH = 2.5


def gaussian_blur(image: Float[np.ndarray, "height width"], deviation_px: float) -> Float[np.ndarray, "height width"]:
    """The image blurred in both directions by a kernel of 2.5 deviations; its border is repeated."""
    steps = np.arange(int(_REACH * deviation_px + 0.5) + 1)
    weights = exp(-0.5 * (steps / deviation_px) ** 2)
    weights /= weights[0] + 2 * weights[1:].sum()
    return _blur(np.ascontiguousarray(image, np.float32), weights.astype(np.float32))


@compiled("f4[:,::1](f4[:,::1], f4[::1])")
def _blur(image: np.ndarray, weights: np.ndarray) -> np.ndarray:
    height, width = image.shape
    reach = weights.size - 1
    blurred = np.empty_like(image)
    column = np.empty(width + 2 * reach, np.float32)
    for y in range(height):
        middle = column[reach : reach + width]
        for x in range(width):
            middle[x] = weights[0] * image[y, x]
        for step in range(1, reach + 1):
            above, below = image[max(y - step, 0)], image[min(y + step, height - 1)]
            for x in range(width):
                middle[x] += weights[step] * (above[x] + below[x])
        column[:reach] = middle[0]
        column[reach + width :] = middle[-1]
        target = blurred[y]
        for x in range(width):
            target[x] = weights[0] * middle[x]
        for step in range(1, reach + 1):
            before, after = column[reach - step :], column[reach + step :]
            for x in range(width):
                target[x] += weights[step] * (before[x] + after[x])
    return blurred
