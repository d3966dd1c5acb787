"""What the camera adds: its resolution, blur, drift, shading, fixed pattern, noise, sharpening, rounding."""

import numpy as np
from jaxtyping import Float

from thermal_faces.camera.blur import gaussian_blur
from thermal_faces.camera.resampling import enlarge, shrink
from thermal_faces.noise import smooth_noise
from thermal_faces.portable_math import power
from thermal_faces.randomness import chance, uniform
from thermal_faces.ranges import SensorRanges

_FRAME_ROWS = 480


def record(
    generator: np.random.Generator,
    ranges: SensorRanges,
    scene_c: Float[np.ndarray, "height width"],
    ambient_c: float,
    *,
    temporal: np.random.Generator | None = None,
) -> Float[np.ndarray, "height width"]:
    """The temperatures in degrees Celsius that the camera reports for a scene.

    `temporal` is the source of this frame's noise, where one camera records many frames.
    """
    size = scene_c.shape
    interpolated, native_rows = chance(generator, ranges.interpolated), uniform(generator, ranges.native_height_px)
    if not interpolated:
        native_rows = _FRAME_ROWS
    cubic, moved = chance(generator, 0.5), chance(generator, ranges.motion)
    motion_px, motion_rad = uniform(generator, ranges.motion_px), uniform(generator, (0, np.pi))
    blur_px, gain, offset_k = (uniform(generator, pair) for pair in (ranges.blur_px, ranges.gain, ranges.offset_k))
    sharpened, sharpening = chance(generator, ranges.sharpened), uniform(generator, ranges.sharpening)
    sharpening_px = uniform(generator, (0.8, 2.0))
    step_k = _between(generator, ranges.step_k)

    image = _with_motion(scene_c, motion_px * size[0] / _FRAME_ROWS, motion_rad) if moved else scene_c
    rows = min(round(native_rows), size[0])
    if rows < size[0]:
        image = shrink(image, (rows, max(round(size[1] * rows / size[0]), 1)))
    image = _blurred(image, blur_px * rows / native_rows)
    image = image * np.float32(gain) + np.float32(offset_k + (1 - gain) * ambient_c)
    _add_unevenness(image, generator, ranges, temporal)
    if sharpened:
        image += np.float32(sharpening) * (image - _blurred(image, sharpening_px * rows / native_rows))
    if rows < size[0]:
        image = enlarge(image, size, cubic=cubic)
    return _rounded(image, step_k)


def _add_unevenness(
    image: np.ndarray, generator: np.random.Generator, ranges: SensorRanges, temporal: np.random.Generator | None
) -> None:
    """Vignette, shading, stripes, noise and replaced pixels, in place."""
    rows, columns = image.shape
    noise_k, columns_k, rows_k, vignette_k, shading_k = (
        np.float32(uniform(generator, limits))
        for limits in (ranges.noise_k, ranges.pattern_k, ranges.pattern_k, ranges.vignette_k, ranges.shading_k)
    )
    image += shading_k * smooth_noise(generator, rows, columns, (2, 3))
    dead = round(uniform(generator, ranges.dead_pixels))
    down, across = (generator.random(dead) for _ in range(2))
    x = np.linspace(-1, 1, columns, dtype=np.float32)[None, :]
    y = np.linspace(-1, 1, rows, dtype=np.float32)[:, None]
    # The stripes come last but the noise: their number is that of the pixels.
    stripes = columns_k * generator.standard_normal((1, columns), dtype=np.float32)
    stripes -= vignette_k * np.float32(0.5) * x * x
    image += stripes
    image += rows_k * generator.standard_normal((rows, 1), dtype=np.float32) - vignette_k * np.float32(0.5) * y * y
    if temporal is None:
        # In one image, the pattern of the pixels and the noise are one.
        noise_k, temporal = np.sqrt(noise_k * noise_k + columns_k * columns_k), generator
    else:
        image += columns_k * generator.standard_normal((rows, columns), dtype=np.float32)
    noise = temporal.standard_normal((rows, columns), dtype=np.float32)
    noise *= noise_k
    image += noise
    place_y, place_x = (down * rows).astype(np.intp), (across * columns).astype(np.intp)
    image[place_y, place_x] = image[place_y, np.maximum(place_x - 1, 0)]


def _blurred(image: np.ndarray, deviation_px: float) -> np.ndarray:
    return image if deviation_px < 0.25 else gaussian_blur(image, deviation_px)


def _with_motion(image: np.ndarray, length_px: float, direction_rad: float) -> np.ndarray:
    """Mean along a short line that is centred on each pixel."""
    reach = int(np.ceil(length_px / 2)) + 1
    padded = np.pad(image, reach, mode="edge")
    total = np.zeros_like(image)
    steps = np.linspace(-0.5, 0.5, 2 * reach - 1) * length_px
    for step in steps:
        top, left = (reach + round(step * part) for part in (np.sin(direction_rad), np.cos(direction_rad)))
        total += padded[top : top + image.shape[0], left : left + image.shape[1]]
    return total / np.float32(len(steps))


def _between(generator: np.random.Generator, limits: tuple[float, float]) -> float:
    """Between the limits, with every order of magnitude alike; 0 stays 0."""
    low, high = limits
    share = generator.random()
    return float(low * power(high / low, share)) if low > 0 else float(high * share)


def _rounded(image: np.ndarray, step_k: float) -> Float[np.ndarray, "height width"]:
    if step_k <= 0:
        return image
    image = np.rint(image * np.float32(1 / step_k))
    image *= np.float32(step_k)
    return image
