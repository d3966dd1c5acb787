"""What the camera adds: blur, vignetting, fixed pattern, temporal noise, rounding."""

import numpy as np
from jaxtyping import Float

from thermal_landmarks.data.synthetic.blur import gaussian_blur
from thermal_landmarks.data.synthetic.randomness import uniform
from thermal_landmarks.data.synthetic.ranges import SensorRanges


def record(
    generator: np.random.Generator,
    ranges: SensorRanges,
    scene_c: Float[np.ndarray, "height width"],
    *,
    temporal: np.random.Generator | None = None,
) -> Float[np.ndarray, "height width"]:
    """The temperatures that the camera reports for a scene.

    Args:
        generator: Source of what belongs to the camera (and of the noise of a still image).
        ranges: What may be drawn.
        scene_c: What the camera sees, in degrees Celsius.
        temporal: Source of this frame's noise, where one camera records many frames.
    """
    height, width = scene_c.shape
    blur_px = uniform(generator, ranges.blur_px) * height / 480
    noise_k, pattern_k, vignette_k = (
        np.float32(uniform(generator, limits)) for limits in (ranges.noise_k, ranges.pattern_k, ranges.vignette_k)
    )
    image = gaussian_blur(scene_c, blur_px) if blur_px > 0.25 else scene_c
    x = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    image = image - vignette_k * np.float32(0.5) * (x * x + y * y)
    image += pattern_k * generator.standard_normal((1, width), dtype=np.float32)
    if temporal is None:
        # In one image, the pattern of the pixels and the noise are one.
        noise_k, temporal = np.sqrt(noise_k * noise_k + pattern_k * pattern_k), generator
    else:
        image += pattern_k * generator.standard_normal((height, width), dtype=np.float32)
    image += noise_k * temporal.standard_normal((height, width), dtype=np.float32)
    step = np.float32(ranges.step_k)
    return (np.rint(image / step) * step).astype(np.float32) if ranges.step_k > 0 else image
