"""Other people in the background: head and shoulders with hair and the pattern of a face, sharp or out of focus."""

import numpy as np

from thermal_faces.portable_math import hypot
from thermal_faces.randomness import chance, uniform
from thermal_faces.ranges import SceneRanges


def paint_bystander(
    room: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    generator: np.random.Generator,
    ranges: SceneRanges,
    ambient_c: float,
) -> None:
    """Paints one person over the room, in place; parts may lie outside the frame. x and y are in frame heights."""
    centre_x, centre_y = uniform(generator, (-0.05, 1.38)), uniform(generator, (0.05, 0.9))
    radius, face_c = uniform(generator, ranges.bystander_size), uniform(generator, ranges.bystander_face_c)
    hair_c, cloth_c = (ambient_c + uniform(generator, (0.15, 0.75)) * (face_c - ambient_c) for _ in range(2))
    softness = np.float32(0.06 + 0.5 * generator.random() ** 2)
    turned, tilt, hair_edge = (
        uniform(generator, (-0.6, 0.6)),
        uniform(generator, (-0.3, 0.3)),
        uniform(generator, (-1, -0.4)),
    )
    long_hair, glasses = chance(generator, 0.35), chance(generator, 0.25)
    marks = generator.uniform(-1, 1, 6)
    columns = np.flatnonzero(np.abs(x[0] - centre_x) < 4.4 * radius)
    rows = np.flatnonzero((y[:, 0] > centre_y - 2.2 * radius) & (y[:, 0] < centre_y + 40 * radius))
    if not (len(columns) and len(rows)):
        return
    view = room[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    u = ((x[:, columns] - np.float32(centre_x)) / np.float32(radius)).astype(np.float32)
    v = ((y[rows] - np.float32(centre_y)) / np.float32(radius)).astype(np.float32)

    def paint(distance: np.ndarray, temperature_c: float, opacity: float = 1.0) -> None:
        cover = np.clip(np.float32(0.5) - distance / softness, 0, 1) * np.float32(opacity)
        part = view[: distance.shape[0]]
        part += cover * (np.float32(temperature_c) - part)

    shoulders = np.maximum(np.abs(u) - 2.75 - 0.03 * v, 2.1 - v + 0.014 * (u * u) * (u * u))
    if long_hair:
        paint(np.maximum(hypot(u / 1.25, np.minimum(v, 0) / 1.5) - 1, v - 2.4), hair_c)
    paint(np.maximum(np.abs(u) - 0.62, np.abs(v - 1.6) - 1), face_c - 0.4)
    paint(shoulders, cloth_c)
    paint(np.maximum(np.abs(shoulders + 0.5) - 0.12, np.abs(u) - 1.6), cloth_c + 1.5 * marks[0])
    # The rest is the head: the rows above the shoulders.
    v = v[: int((v[:, 0] < 2).sum())]
    if not len(v):
        return
    u = u + np.float32(tilt) * v
    head = hypot(u, v / np.float32(1.38)) - 1
    paint(hypot(u / 1.1, (v + 0.12) / np.float32(1.45)) - 1, hair_c)
    paint(np.maximum(head, hair_edge + 0.25 * (u - turned) ** 2 - v), face_c)
    face_u = u - np.float32(turned)

    def paint_inside(distance: np.ndarray, temperature_c: float) -> None:
        paint(np.maximum(distance, head), temperature_c, 0.65)

    paint_inside(hypot(face_u / 0.24, (v - 0.4) / 0.4) - 1, face_c - 2 + 1.5 * marks[1])
    side = np.abs(face_u)
    paint_inside(hypot((side - 0.5) / 0.3, (v - 0.5) / 0.35) - 1, face_c - 0.8 + 0.8 * marks[2])
    if glasses:
        paint(hypot((side - 0.42) / 0.34, (v + 0.02) / 0.24) - 1, ambient_c + 0.2 * (face_c - ambient_c))
    else:
        paint_inside(hypot((side - 0.4) / 0.24, v / 0.12) - 1, face_c + 0.8 * marks[3])
    paint_inside(hypot(face_u / 0.36, (v - 0.86) / 0.09) - 1, face_c + 1.2 * marks[4])
