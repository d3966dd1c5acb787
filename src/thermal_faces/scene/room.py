"""The room behind the person: walls, furniture, windows, lamps and other people, at any temperature."""

import numpy as np
from jaxtyping import Float

from thermal_faces.noise import smooth_noise
from thermal_faces.portable_math import exp
from thermal_faces.randomness import chance, uniform
from thermal_faces.ranges import SceneRanges
from thermal_faces.scene.bystanders import paint_bystander

# Of a wall's unevenness: blots, upright and level streaks, fine clutter.
_TEXTURES = ((5, 6), (4, 40), (30, 5), (36, 48))


def draw_ambient_c(generator: np.random.Generator, ranges: SceneRanges) -> float:
    """Temperature of the room: as a rule below that of skin, at times near it or above."""
    room_c, hot_c, outdoors_c = (
        uniform(generator, r) for r in (ranges.ambient_c, ranges.hot_room_c, ranges.outdoors_c)
    )
    hot, outdoors = chance(generator, ranges.hot_room), chance(generator, ranges.outdoors)
    return outdoors_c if outdoors else hot_c if hot else room_c


def paint_room(
    generator: np.random.Generator, ranges: SceneRanges, ambient_c: float, size: tuple[int, int]
) -> Float[np.ndarray, "height width"]:
    """Background in degrees Celsius; what is drawn doesn't depend on the size."""
    height, width = size
    # Coordinates in frame heights, so that the same scene appears at any size.
    x = (np.arange(width, dtype=np.float32)[None, :] + np.float32(0.5)) / height
    y = (np.arange(height, dtype=np.float32)[:, None] + np.float32(0.5)) / height
    slope_x, slope_y = (uniform(generator, ranges.gradient_k) * sign for sign in generator.choice([-1, 1], 2))
    texture, texture_k = _TEXTURES[generator.integers(len(_TEXTURES))], uniform(generator, ranges.texture_k)
    room = np.float32(texture_k) * smooth_noise(generator, height, width, texture)
    room += np.float32(ambient_c) + np.float32(slope_x) * (x - np.float32(0.66))
    room += np.float32(slope_y) * (y - np.float32(0.5))
    for _ in range(round(uniform(generator, ranges.objects))):
        _paint_thing(room, x, y, generator, uniform(generator, ranges.object_k))
    for probability, limits in (
        (ranges.warm_object, ranges.warm_object_k),
        (ranges.cold_object, ranges.cold_object_k),
    ):
        seen, warmer_k = chance(generator, probability), uniform(generator, limits)
        largest = uniform(generator, (0.1, 0.6))
        if seen:
            _paint_box(room, x, y, generator, warmer_k, largest)
    if chance(generator, ranges.lamp):
        for _ in range(generator.integers(1, 5)):
            _paint_lamp(room, x, y, generator, uniform(generator, ranges.lamp_k))
    if chance(generator, ranges.bystander):
        for _ in range(generator.integers(1, 4)):
            paint_bystander(room, x, y, generator, ranges, ambient_c)
    return room


def _paint_thing(
    room: np.ndarray, x: np.ndarray, y: np.ndarray, generator: np.random.Generator, warmer_k: float
) -> None:
    kind = generator.choice(["box", "step", "bar", "bars"], p=[0.45, 0.25, 0.2, 0.1])
    if kind == "box":
        _paint_box(room, x, y, generator, warmer_k, 0.7)
        return
    upright, place, width = bool(generator.integers(2)), generator.random(), 0.004 + 0.03 * generator.random()
    along = (x / np.float32(1.33)) if upright else y
    distance = along - np.float32(place)
    softness = np.float32(0.004 + 0.012 * generator.random())
    if kind == "step":
        cover = np.clip(distance / softness, 0, 1)
    else:
        count = 1 if kind == "bar" else generator.integers(3, 9)
        gap = np.float32(width * (2 + 3 * generator.random()))
        nearest = gap * np.clip(np.rint(distance / gap), 0, np.float32(count - 1))
        cover = np.clip((np.float32(width / 2) - np.abs(distance - nearest)) / softness + np.float32(0.5), 0, 1)
    room += np.float32(warmer_k) * cover


def _paint_box(
    room: np.ndarray, x: np.ndarray, y: np.ndarray, generator: np.random.Generator, warmer_k: float, largest: float
) -> None:
    """A rectangle, at times with a frame of its own temperature."""
    centre_x, centre_y = 1.33 * generator.random(), generator.random()
    half_width, half_height = (0.02 + largest * generator.random(2)) / 2
    softness = np.float32(0.004 + 0.012 * generator.random())
    frame_k, frame = uniform(generator, (-1.5, 1.5)), 0.01 + 0.02 * generator.random()
    framed = chance(generator, 0.4)
    for outward, added_k in ((frame, frame_k), (0.0, warmer_k - frame_k)) if framed else ((0.0, warmer_k),):
        across = np.clip((half_width + outward - np.abs(x - np.float32(centre_x))) / softness, 0, 1)
        down = np.clip((half_height + outward - np.abs(y - np.float32(centre_y))) / softness, 0, 1)
        columns, rows = np.flatnonzero(across), np.flatnonzero(down)
        if len(columns) and len(rows):
            part = room[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
            added = across[:, columns[0] : columns[-1] + 1] * down[rows[0] : rows[-1] + 1]
            part += np.float32(added_k) * added.astype(np.float32)


def _paint_lamp(
    room: np.ndarray, x: np.ndarray, y: np.ndarray, generator: np.random.Generator, warmer_k: float
) -> None:
    centre_x, centre_y = 1.33 * generator.random(), generator.random()
    radius, flatness = 0.004 + 0.02 * generator.random() ** 2, 0.5 + generator.random()
    across = exp(np.float32(-0.5 / radius**2) * (x - np.float32(centre_x)) ** 2)
    down = exp(np.float32(-0.5 / (radius * flatness) ** 2) * (y - np.float32(centre_y)) ** 2)
    columns, rows = np.flatnonzero(across > 1e-4), np.flatnonzero(down > 1e-4)
    if len(columns) and len(rows):
        part = room[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        part += np.float32(warmer_k) * across[:, columns] * down[rows]
