"""What is in front of the face (a hand, a cup, a telephone) and the head rest behind it."""

import numpy as np
from jaxtyping import Bool, Float

from thermal_faces.camera.planes import pixels_around, seen_on_plane
from thermal_faces.camera.resampling import enlarge
from thermal_faces.camera.view import View, turn
from thermal_faces.person import Person
from thermal_faces.portable_math import exp, hypot, power
from thermal_faces.randomness import rng
from thermal_faces.worn.wardrobe import Worn

_OCCLUDER_BEFORE_MM = 120.0
_REST_BEHIND_MM = -120.0


def paint_occluder(
    image: Float[np.ndarray, "height width"], person: Person, worn: Worn, view: View, ambient_c: float
) -> None:
    """Paints what is held in front of the face, in place."""
    rows, columns = pixels_around(_outline_px(worn, view), 4, image.shape)
    x_px, y_px = (np.arange(part.start, part.stop, dtype=np.float32) for part in (columns, rows))
    if not (len(x_px) and len(y_px)):
        return
    part = image[rows, columns]
    for cover, temperature_c in _occluder_layers(person, worn, view, x_px[None, :], y_px[:, None], ambient_c):
        part += cover * (temperature_c - part)


def hidden_by_occluder(
    person: Person, worn: Worn, view: View, places_px: Float[np.ndarray, "places 2"]
) -> Bool[np.ndarray, " places"]:
    """Which places of the picture lie behind what is held."""
    layers = _occluder_layers(person, worn, view, places_px[:, 0], places_px[:, 1], 20.0)
    return np.max([cover for cover, _ in layers], axis=0) > 0.5


def _place(worn: Worn) -> tuple[np.random.Generator, int, tuple[float, float], float]:
    """The generator of further draws, the side it comes from, where its tip is (mm), and how far it leans (rad)."""
    generator = rng(worn.key[0], *worn.key[1:], "held")
    side = 1 if generator.random() < 0.5 else -1
    x, y, lean = generator.uniform([-20, -40, 0.05], [62, 105, 0.9])
    return generator, side, (float(x), float(y)), float(lean)


def _outline_px(worn: Worn, view: View) -> Float[np.ndarray, "4 2"]:
    """Corners of the area that hand and arm can cover."""
    _, side, (tip_x, tip_y), lean = _place(worn)
    across, along = np.array([-75, 75, 75, -75]), np.array([-15, -15, 500, 500])
    x = np.cos(lean) * across + np.sin(lean) * along + tip_x
    y = np.cos(lean) * along - np.sin(lean) * across + tip_y
    corners = np.stack([side * x, y, np.full(4, _OCCLUDER_BEFORE_MM)], axis=-1).astype(np.float32)
    return view.project(turn(corners, view.body))


def _occluder_layers(
    person: Person, worn: Worn, view: View, x_px: np.ndarray, y_px: np.ndarray, ambient_c: float
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Cover and temperature of its parts, in the order of painting."""
    generator, side, (tip_x, tip_y), lean = _place(worn)
    warmth, skin_k, marks = generator.uniform([0.1, -3.0, -1], [0.7, 1.2, 1])
    sizes = generator.uniform(0.85, 1.15, 6)
    hot, hot_c, cold_c = generator.random() < 0.6, generator.uniform(38, 62), generator.uniform(4, 22)
    x, y = seen_on_plane(view, view.body, _OCCLUDER_BEFORE_MM, x_px, y_px)
    x, y = side * x - np.float32(tip_x), y - np.float32(tip_y)
    sine, cosine = np.float32(np.sin(lean)), np.float32(np.cos(lean))
    # Along the forearm (down and outwards) and across it.
    across, along = cosine * x - sine * y, sine * x + cosine * y
    soft = np.float32(max(1.2 / view.pixels_per_mm, 1.0))
    skin_c, cloth_c = person.forehead_c + skin_k, ambient_c + warmth * (person.forehead_c - ambient_c)

    def layer(distance: np.ndarray, temperature_c: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
        cover = np.clip(np.float32(0.5) - distance / soft, 0, 1)
        return cover.astype(np.float32), np.asarray(temperature_c, np.float32)

    hand_y = {"hand": 78.0, "cup": 50.0, "telephone": 70.0}[worn.occluder]
    palm = hypot(across / 40, (along - hand_y - 34) / 46) * 40 - 40
    arm = np.maximum(np.abs(across) - 26 - 0.06 * np.clip(along, 0, 300), hand_y + 40 - along)
    layers = [layer(np.minimum(palm, arm), np.float32(skin_c) + np.float32(0.01 * marks) * across)]
    layers.append(layer(np.maximum(arm - 6, hand_y + 130 - along), cloth_c))
    if worn.occluder == "hand":
        for i, (size, start) in enumerate(zip(sizes[:4], (-29, -10, 9, 28), strict=True)):
            tip = (10, 0, 4, 20)[i] * size
            # Fingertips are the coldest part.
            finger_c = np.float32(skin_c) - np.float32(1.5) * np.clip(1 - along / 80, 0, 1)
            layers.append(layer(_capsule(across, along, start * size, tip, hand_y + 30, 8.5), finger_c))
        layers.append(
            layer(_capsule(across - 0.6 * (hand_y + 50 - along), along, -34, hand_y - 8, hand_y + 50, 10), skin_c)
        )
        return layers
    thing_c = (hot_c if hot else cold_c) if worn.occluder == "cup" else ambient_c + 4 * sizes[5]
    half_width, height = (41 * sizes[4], 95 * sizes[5]) if worn.occluder == "cup" else (36, 150)
    thing = np.maximum(
        np.abs(across) - half_width - (0.06 * along if worn.occluder == "telephone" else -0.08 * along),
        np.abs(along - height / 2) - height / 2,
    )
    layers.append(layer(thing, np.float32(thing_c) - np.float32(0.02 * (thing_c - ambient_c)) * along / 10))
    for start in (20, 42, 64, 86):
        # Fingers come around its edge.
        finger = (
            hypot(
                np.maximum(np.abs(along - start * sizes[3]) - 1, 0),
                np.maximum(np.abs(across + 0.6 * half_width) - 22, 0),
            )
            - 8
        )
        layers.append(layer(finger, skin_c - 0.5))
    return layers


def _capsule(x: np.ndarray, y: np.ndarray, centre: float, top: float, bottom: float, radius: float) -> np.ndarray:
    outside = y - np.clip(y, np.float32(top + radius), np.float32(bottom))
    return hypot(x - np.float32(centre), outside) - np.float32(radius)


def paint_head_rest(
    image: Float[np.ndarray, "height width"], person: Person, worn: Worn, view: View, ambient_c: float
) -> None:
    """A chair's back or a head rest behind head and shoulders, in place."""
    generator = rng(worn.key[0], *worn.key[1:], "head rest")
    top, half_width, flare, warmth, roundness = generator.uniform([-90, 95, 0.0, 0.03, 2.0], [70, 290, 1.4, 0.4, 6.0])
    slots, slot_y, slot_x = generator.random() < 0.4, generator.uniform(40, 110), generator.uniform(0.55, 0.8)
    # Out of focus: every other pixel will do.
    height, width = image.shape
    x_px = (np.arange((width + 1) // 2, dtype=np.float32)[None, :] + 0.5) * (width / ((width + 1) // 2)) - 0.5
    y_px = (np.arange((height + 1) // 2, dtype=np.float32)[:, None] + 0.5) * (height / ((height + 1) // 2)) - 0.5
    x, y = seen_on_plane(view, view.body, _REST_BEHIND_MM, x_px, y_px)
    soft = np.float32(max(1.5 / view.pixels_per_mm, 2.0))
    side, down, roundness = np.abs(x), y - np.float32(top), np.float32(roundness)
    wide = np.float32(half_width) + np.float32(flare) * np.clip(down - 60, 0, 200)
    edge = power(np.abs(side / wide), roundness) + power(np.clip(1 - down / 90, 0, 2), roundness)
    edge = power(edge, 1 / roundness)
    distance = (edge - 1) * 80
    if slots:
        slot = hypot(np.maximum(np.abs(side - slot_x * half_width) - 16, 0), y - np.float32(slot_y)) - 12
        distance = np.maximum(distance, -slot)
    rest_k = np.float32(warmth * (person.forehead_c - ambient_c))
    # Warmed where the body leans on it, with a seam along its edge.
    glow = np.float32(0.35) * rest_k * exp(-((x / 120) ** 2) - ((y - 120) / 120) ** 2)
    seam = np.float32(0.25) * rest_k * exp(-(((distance + 14) / 5) ** 2))
    cover = np.clip(np.float32(0.5) - distance / soft, 0, 1)
    rest_c = np.float32(ambient_c) + rest_k + glow - seam
    cover, rest_c = (
        enlarge(np.broadcast_to(grid, x.shape).astype(np.float32), image.shape) for grid in (cover, rest_c)
    )
    image += cover * (rest_c - image)
