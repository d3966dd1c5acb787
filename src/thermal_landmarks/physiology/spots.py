"""Cold spots that come and go together at fixed places of the skin: open pores, also those below the camera's noise.

The patches of a recording are registered, so a pore stays under its pixel. What the patches have in common over time is
split into a few components (singular value decomposition, after motion's first-order traces are taken away), and these
are turned until one of their maps consists of spots: of all maps it has the most skewed values (independent component
analysis by skewness, Hyvarinen, Karhunen and Oja 2001, chapter 8). How deep its spots are is the perspiration.
"""

import numpy as np
from jaxtyping import Bool, Float
from scipy.ndimage import gaussian_filter

_FINE_PX = 0.12  # of the patch's height: what is wider is no spot
_COMPONENTS = 5
_ROUNDS = 60
_DEEPEST = 0.05  # share of the pixels whose mean stands for the depth of the spots


def depth_of_spots(
    patches: Float[np.ndarray, "time height width"],
    weight: Float[np.ndarray, " time"],
    inside: Bool[np.ndarray, "height width"],
) -> Float[np.ndarray, " time"]:
    """Mean depth of the spots over time, in the unit of the patches, around its mean.

    Args:
        patches: Registered, without missing values.
        weight: How far each is believed, above 0.
        inside: Which pixels belong to the region.
    """
    weight = weight / weight.max()
    sigma = max(1.5, _FINE_PX * float(np.ptp(np.flatnonzero(inside.any(axis=1)))))
    mean = np.average(patches, axis=0, weights=weight)
    change = np.stack([_fine(patch - mean, sigma)[inside] for patch in patches])
    change -= np.average(change, axis=0, weights=weight)
    motion, _ = np.linalg.qr(np.stack([_fine(trace, sigma)[inside] for trace in _traces(mean)], axis=1))
    change -= (change @ motion) @ motion.T
    _, size, maps = np.linalg.svd(change * np.sqrt(weight)[:, None], full_matrices=False)
    maps = maps[:_COMPONENTS][size[:_COMPONENTS] > 1e-9 * max(float(size[0]), 1e-30)]
    if not len(maps):
        return np.zeros(len(patches))
    spots = _most_skewed(maps)
    unit = np.sort(spots)[-max(1, round(_DEEPEST * len(spots))) :].mean()
    # A map of length 1 whose spots are `unit` high: the depth is what the change has of it.
    return -(change @ spots) * unit


def _fine(values: Float[np.ndarray, "height width"], sigma: float) -> Float[np.ndarray, "height width"]:
    return values - gaussian_filter(values, sigma)


def _traces(mean: Float[np.ndarray, "height width"]) -> list[Float[np.ndarray, "height width"]]:
    """How a patch changes when it is shifted, turned, stretched, blurred or warmed a little."""
    down, right = np.gradient(mean)
    y, x = np.mgrid[: mean.shape[0], : mean.shape[1]] / max(mean.shape) - 0.5
    second = [np.gradient(right, axis=1), np.gradient(down, axis=0), np.gradient(right, axis=0)]
    return [right, down, right * x, right * y, down * x, down * y, *second, mean]


def _most_skewed(maps: Float[np.ndarray, "component pixel"]) -> Float[np.ndarray, " pixel"]:
    """The mix of the maps, of length 1, whose values are skewed most, upwards."""
    white = maps * np.sqrt(maps.shape[1])
    best, most = maps[0], 0.0
    for start in np.eye(len(maps)):
        mix = start
        for _ in range(_ROUNDS):
            turned = white @ (mix @ white) ** 2
            length = np.linalg.norm(turned)
            if length < 1e-12:
                break
            turned /= length
            settled = abs(turned @ mix) > 1 - 1e-9
            mix = turned
            if settled:
                break
        skewness = float(((mix @ white) ** 3).mean())
        if abs(skewness) > most:
            best, most = np.sign(skewness) * (mix @ maps), abs(skewness)
    return best
