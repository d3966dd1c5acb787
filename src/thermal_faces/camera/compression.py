"""Lossy compression as JPEG does it: cosine transform of blocks of 8 by 8 pixels, quantised."""

import numpy as np
from jaxtyping import Float

_BASIS = np.array(
    [[np.sqrt((1 if k else 0.5) / 4) * np.cos((2 * n + 1) * k * np.pi / 16) for n in range(8)] for k in range(8)]
)


def compressed(gray: Float[np.ndarray, "height width"], step: float) -> Float[np.ndarray, "height width"]:
    """Gray levels after compression and decompression; `step` quantises the coarsest pattern, finer ones more."""
    height, width = gray.shape
    padded = np.pad(gray, ((0, -height % 8), (0, -width % 8)), mode="edge")
    # Places inside a block come first, so that each of them is one array.
    blocks = np.ascontiguousarray(padded.reshape(padded.shape[0] // 8, 8, -1, 8).transpose(1, 3, 0, 2))
    down, across = np.mgrid[:8, :8]
    quantum = (step * (1 + 0.7 * (down + across))).astype(np.float32)[..., None, None]
    pattern = _mixed(_mixed(blocks, _BASIS).swapaxes(0, 1), _BASIS)
    pattern = np.rint(pattern / quantum) * quantum
    blocks = _mixed(_mixed(pattern, _BASIS.T).swapaxes(0, 1), _BASIS.T)
    image = blocks.transpose(2, 0, 3, 1).reshape(padded.shape)
    return np.rint(np.clip(image[:height, :width], 0, 255))


def _mixed(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Sums over the first axis, one addition after the other: the same on every machine."""
    result = np.zeros_like(values)
    for k in range(8):
        for n in range(8):
            result[k] += np.float32(weights[k, n]) * values[n]
    return result
