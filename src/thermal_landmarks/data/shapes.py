"""Statistics of landmark shapes, free of position, size and tilt."""

import numpy as np
from jaxtyping import Float

_ROUNDS = 5


def mean_shape(points: Float[np.ndarray, "face point 2"]) -> Float[np.ndarray, "point 2"]:
    """The mean of shapes after generalised Procrustes alignment (Gower 1975): middle at 0, root mean square size 1.

    Faces with missing points (NaN) are left out unless all are so; then each point's mean over the faces that have it
    is taken without alignment. The tilt is that of the mean of the given shapes.
    """
    z = points[..., 0] + 1j * points[..., 1]
    complete = z[~np.isnan(z).any(axis=1)]
    if not len(complete):
        count = (~np.isnan(z)).sum(axis=0)
        mean = np.where(count > 0, np.nansum(z, axis=0) / np.maximum(count, 1), np.nanmean(z))
    else:
        shapes = _unit(complete)
        mean = shapes.mean(axis=0)
        upright = mean
        for _ in range(_ROUNDS):
            turn = (shapes.conj() * mean).sum(axis=1)
            mean = _unit((shapes * (turn / np.abs(turn))[:, None]).mean(axis=0))
        turn = (mean.conj() * upright).sum()
        mean = mean * turn / np.abs(turn)
    mean = _unit(mean)
    return np.stack([mean.real, mean.imag], axis=-1).astype(np.float32)


def _unit(z: np.ndarray) -> np.ndarray:
    z = z - z.mean(axis=-1, keepdims=True)
    return z / np.sqrt((np.abs(z) ** 2).mean(axis=-1, keepdims=True))
