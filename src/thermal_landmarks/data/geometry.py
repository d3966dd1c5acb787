"""Affine maps between an original image and the network's input image, and warping by them.

All coordinates are pixels with centres at integers, x before y; sizes are (height, width). A matrix is float64 (2, 3)
and maps a point (x, y, 1) of the original image to the network's input.
"""

import numpy as np
from jaxtyping import Float, Shaped

_ROUNDS = 5  # of the alignment to the mean shape


def fit_matrix(
    original_size: tuple[int, int],
    target_size: tuple[int, int],
    *,
    box_px: tuple[float, float, float, float] | None = None,
    margin: float = 0.0,
) -> np.ndarray:
    """The matrix that fits an image, or a box (x_min, y_min, x_max, y_max) in it, into the target size.

    `margin` is added on each side of the box, as a fraction of its larger side.

    Returns:
        float64 (2, 3). The aspect ratio is kept; what the target has to spare shows more of the image or its border.
    """
    if box_px is None:
        centre = np.array([original_size[1], original_size[0]]) / 2 - 0.5
        extent = np.array([original_size[1], original_size[0]], dtype=float)
    else:
        low, high = np.array(box_px[:2]), np.array(box_px[2:])
        centre = (low + high) / 2
        extent = high - low + 2 * margin * (high - low).max()
    target = np.array([target_size[1], target_size[0]], dtype=float)
    scale = (target / extent).min()
    shift = target / 2 - 0.5 - scale * centre
    return np.column_stack([np.eye(2) * scale, shift])


def similarity_matrix(points_px: Float[np.ndarray, "point 2"], target_px: Float[np.ndarray, "point 2"]) -> np.ndarray:
    """The similarity (turn, size, shift; no mirroring) that brings points nearest to target points.

    Least squares over the points, in complex numbers: target = a points + b.

    Returns:
        float64 (2, 3).

    Raises:
        ValueError: If there are fewer than two different points, or fewer different targets.
    """
    z, w = ((p[:, 0] + 1j * p[:, 1]).astype(np.complex128) for p in (np.asarray(points_px), np.asarray(target_px)))
    from_middle, to_middle = z - z.mean(), w - w.mean()
    energy = (np.abs(from_middle) ** 2).sum()
    a = (from_middle.conj() * to_middle).sum() / energy if energy > 0 else 0
    if not abs(a) > 0:
        raise ValueError("A similarity needs at least two different points and targets that are not all the same.")
    b = w.mean() - a * z.mean()
    return np.array([[a.real, -a.imag, b.real], [a.imag, a.real, b.imag]])


def mean_shape(points: Float[np.ndarray, "face point 2"]) -> Float[np.ndarray, "point 2"]:
    """The mean of shapes after generalised Procrustes alignment (Gower 1975): middle at 0, root mean square size 1.

    Faces with missing points (NaN) are left out unless all are so; then each point's mean over the faces that have it
    is taken without alignment. The tilt is that of the mean of the given shapes.
    """
    z = points[..., 0] + 1j * points[..., 1]
    complete = z[~np.isnan(z).any(axis=1)]
    if not len(complete):
        mean = mean_of_each_point(z)
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


def mean_of_each_point(points: Shaped[np.ndarray, "face point *xy"]) -> Shaped[np.ndarray, "point *xy"]:
    """Over the faces that have it; where no face has a point, the mean of all. Missing ones are NaN."""
    known = ~np.isnan(points)
    count = known.sum(axis=0)
    mean = np.where(known, points, 0).sum(axis=0) / np.maximum(count, 1)
    return np.where(count > 0, mean, np.nanmean(points, axis=(0, 1)))


def _unit(z: np.ndarray) -> np.ndarray:
    z = z - z.mean(axis=-1, keepdims=True)
    return z / np.sqrt((np.abs(z) ** 2).mean(axis=-1, keepdims=True))


def transform_points(points_px: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Points (..., 2) carried by a matrix (2, 3); float32. NaN stays NaN."""
    return (points_px @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32)


def invert_matrix(matrix: np.ndarray) -> np.ndarray:
    """The matrix (2, 3) that undoes a matrix (2, 3)."""
    linear = np.linalg.inv(matrix[:, :2])
    return np.column_stack([linear, -linear @ matrix[:, 2]])


def pixel_size(matrix: np.ndarray) -> float:
    """Pixels of the original image per pixel of the network's input."""
    return float(1 / np.sqrt(abs(np.linalg.det(matrix[:, :2]))))


def warp_image(values: np.ndarray, matrix: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resample an image (height, width) or (channel, height, width) by a matrix; float32 of `size`.

    Bilinear, after a Gaussian blur where the image shrinks; beyond the border the nearest pixel is repeated.
    """
    from scipy import ndimage  # 0.3 s that a prediction does without

    values = np.asarray(values, dtype=np.float32)
    if values.ndim == 3:
        return np.stack([warp_image(channel, matrix, size) for channel in values])
    if values.shape == size and np.allclose(matrix, np.eye(2, 3), atol=1e-9):
        return values
    shrink = pixel_size(matrix)
    if shrink > 1:
        values = ndimage.gaussian_filter(values, sigma=(shrink - 1) / 2, mode="nearest", truncate=3)
    inverse = invert_matrix(matrix)[::-1]  # to (row, column) order
    return ndimage.affine_transform(
        values, inverse[:, 1::-1], offset=inverse[:, 2], output_shape=size, order=1, mode="nearest"
    )
