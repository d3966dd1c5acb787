"""Images in other resolutions: area mean to fewer pixels, bilinear or cubic to more."""

from functools import lru_cache

import numpy as np
from jaxtyping import Float

Taps = tuple[np.ndarray, np.ndarray]


def shrink(image: Float[np.ndarray, "height width"], size: tuple[int, int]) -> Float[np.ndarray, "rows columns"]:
    """Mean over the area that each pixel of the smaller image covers."""
    image = _along_rows(image, *_area_taps(image.shape[0], size[0]))
    return _along_columns(image, *_area_taps(image.shape[1], size[1]))


def enlarge(
    image: Float[np.ndarray, "rows columns"], size: tuple[int, int], *, cubic: bool = False
) -> Float[np.ndarray, "height width"]:
    """Bilinear or cubic (Catmull-Rom) interpolation; the frame's edges stay where they are."""
    taps = _cubic_taps if cubic else _linear_taps
    image = _along_columns(image, *taps(image.shape[1], size[1]))
    return _along_rows(image, *taps(image.shape[0], size[0]))


def _along_rows(image: np.ndarray, index: np.ndarray, weight: np.ndarray) -> np.ndarray:
    result = image[index[0]] * weight[0][:, None]
    for i, w in zip(index[1:], weight[1:], strict=True):
        part = image[i]
        part *= w[:, None]
        result += part
    return result


def _along_columns(image: np.ndarray, index: np.ndarray, weight: np.ndarray) -> np.ndarray:
    result = image.take(index[0], axis=1)
    result *= weight[0]
    for i, w in zip(index[1:], weight[1:], strict=True):
        part = image.take(i, axis=1)
        part *= w
        result += part
    return result


@lru_cache(maxsize=64)
def _area_taps(length: int, new: int) -> Taps:
    edges = np.arange(new + 1) * (length / new)
    index = np.floor(edges[:-1]).astype(np.intp) + np.arange(int(np.ceil(length / new)) + 1)[:, None]
    share = np.minimum(index + 1, edges[1:]) - np.maximum(index, edges[:-1])
    weight = np.clip(share, 0, None) * (new / length)
    used = weight.max(axis=1) > 1e-6
    return np.minimum(index, length - 1)[used], weight[used].astype(np.float32)


def _places(length: int, new: int) -> tuple[np.ndarray, np.ndarray]:
    place = (np.arange(new) + 0.5) * (length / new) - 0.5
    first = np.floor(place).astype(np.intp)
    return first, place - first


@lru_cache(maxsize=64)
def _linear_taps(length: int, new: int) -> Taps:
    first, part = _places(length, new)
    index = np.clip(first + np.arange(2)[:, None], 0, length - 1)
    return index, np.stack([1 - part, part]).astype(np.float32)


@lru_cache(maxsize=64)
def _cubic_taps(length: int, new: int) -> Taps:
    first, t = _places(length, new)
    index = np.clip(first + np.arange(-1, 3)[:, None], 0, length - 1)
    weight = [
        0.5 * (-t + 2 * t**2 - t**3),
        0.5 * (2 - 5 * t**2 + 3 * t**3),
        0.5 * (t + 4 * t**2 - 3 * t**3),
        0.5 * (t**3 - t**2),
    ]
    return index, np.stack(weight).astype(np.float32)
