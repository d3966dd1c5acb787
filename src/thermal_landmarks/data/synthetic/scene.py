"""The room behind the person."""

import numpy as np
from jaxtyping import Float

from thermal_landmarks.data.synthetic.exact import hypot
from thermal_landmarks.data.synthetic.noise import smooth_noise
from thermal_landmarks.data.synthetic.randomness import chance, uniform
from thermal_landmarks.data.synthetic.ranges import SceneRanges


def paint_room(
    generator: np.random.Generator, ranges: SceneRanges, ambient_c: float, size: tuple[int, int]
) -> Float[np.ndarray, "height width"]:
    """Background in degrees Celsius; what is drawn doesn't depend on the size."""
    height, width = size
    # Coordinates in frame heights, so that the same scene appears at any size.
    x = (np.arange(width, dtype=np.float32)[None, :] + np.float32(0.5)) / height
    y = (np.arange(height, dtype=np.float32)[:, None] + np.float32(0.5)) / height
    slope_x, slope_y = (uniform(generator, ranges.gradient_k) * sign for sign in generator.choice([-1, 1], 2))
    room = np.float32(ambient_c) + np.float32(slope_x) * (x - np.float32(0.66)) + np.float32(slope_y) * (y - 0.5)
    room = room + np.float32(0.15) * smooth_noise(generator, height, width, (5, 6))
    for _ in range(round(uniform(generator, ranges.objects))):
        _paint_box(room, x, y, generator, uniform(generator, ranges.object_k))
    warm, warm_k = chance(generator, ranges.warm_object), uniform(generator, ranges.warm_object_k)
    if warm:
        _paint_box(room, x, y, generator, warm_k, largest=0.25)
    if chance(generator, ranges.bystander):
        _paint_bystander(room, x, y, generator)
    return room.astype(np.float32)


def _paint_box(
    room: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    generator: np.random.Generator,
    warmer_k: float,
    largest: float = 0.7,
) -> None:
    centre_x, centre_y = 1.33 * generator.random(), generator.random()
    half_width, half_height = (0.02 + largest * generator.random(2)) / 2
    softness = 0.004 + 0.012 * generator.random()
    across = np.clip((half_width - np.abs(x - np.float32(centre_x))) / np.float32(softness), 0, 1)
    down = np.clip((half_height - np.abs(y - np.float32(centre_y))) / np.float32(softness), 0, 1)
    room += (warmer_k * across).astype(np.float32) * down.astype(np.float32)


def _paint_bystander(room: np.ndarray, x: np.ndarray, y: np.ndarray, generator: np.random.Generator) -> None:
    centre_x, centre_y = 1.33 * generator.random(), 0.15 + 0.6 * generator.random()
    radius = 0.03 + 0.06 * generator.random()
    face_c, cloth_c = 31 + 3 * generator.random(), 24 + 5 * generator.random()
    softness = np.float32(0.15 + 0.3 * generator.random())
    across, down = (x - np.float32(centre_x)) / np.float32(radius), (y - np.float32(centre_y)) / np.float32(radius)
    shoulders = np.maximum(np.abs(across) - 2.2, hypot(across / 2.2, np.minimum(down - 3.4, 0) / 1.8) - 1)
    head = hypot(across, down / np.float32(1.35)) - 1
    for distance, temperature in ((shoulders, cloth_c), (head, face_c)):
        cover = np.clip(np.float32(0.5) - distance / softness, 0, 1).astype(np.float32)
        room += cover * (np.float32(temperature) - room)
