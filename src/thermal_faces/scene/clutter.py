"""What fills a scene around its people: landscape, things and animals, furniture before them, glass that mirrors."""

import math

import numpy as np
from jaxtyping import Bool

from thermal_faces.randomness import chance, uniform
from thermal_faces.ranges import ClutterRanges
from thermal_faces.scene.animals import ANIMALS
from thermal_faces.scene.easel import Easel
from thermal_faces.scene.shapes import paint_box, paint_ellipse, paint_limb
from thermal_faces.scene.things import THINGS


def paint_landscape(image: np.ndarray, generator: np.random.Generator, ambient_c: float) -> None:
    """Sky, ground, houses and trees over the background, in place."""
    height, width = image.shape
    horizon = height * uniform(generator, (0.05, 0.6))
    sky_k, ground_k = uniform(generator, (-35, -3)), uniform(generator, (-4, 12))
    soft = 0.01 * height
    paint_box(
        image, (width / 2, horizon / 2 - 2), (width, horizon / 2 + 2), (ambient_c + sky_k, ambient_c + 0.5 * sky_k)
    )
    ground = (ambient_c + 0.3 * ground_k, ambient_c + ground_k)
    paint_box(
        image, (width / 2, (horizon + height) / 2), (width, (height - horizon) / 2 + 1), ground,
        folds_k=uniform(generator, (0.2, 1.5)), soft_px=soft, opacity=0.85,
    )  # fmt: skip
    if chance(generator, 0.5):
        _paint_houses(image, generator, ambient_c, horizon)
    for _ in range(int(generator.integers(0, 6))):
        x, size = width * generator.random(), height * uniform(generator, (0.1, 0.7))
        leaf_c = ambient_c + uniform(generator, (-3, 3))
        foot = horizon + uniform(generator, (0, 0.15)) * height
        paint_limb(image, (x, foot), (x, foot - size), (0.04 * size + 0.5, 0.02 * size + 0.4), (leaf_c + 1, leaf_c))
        for _ in range(int(generator.integers(2, 6))):
            a, b, r, s = generator.uniform([-0.35, -1.2, 0.15, 0.12], [0.35, -0.5, 0.4, 0.35])
            paint_ellipse(
                image,
                (x + a * size, foot + b * size),
                (r * size, s * size),
                leaf_c,
                soft_px=0.06 * size + 1,
                folds_k=1.2,
            )


def _paint_houses(image: np.ndarray, generator: np.random.Generator, ambient_c: float, horizon: float) -> None:
    _height, width = image.shape
    for _ in range(int(generator.integers(1, 4))):
        wall_c, window_k = ambient_c + uniform(generator, (-2, 6)), uniform(generator, (-4, 8))
        x, half, tall = (
            width * generator.random(),
            width * uniform(generator, (0.08, 0.35)),
            horizon * uniform(generator, (0.3, 1)),
        )
        paint_box(image, (x, horizon - tall / 2), (half, tall / 2), (wall_c - 1, wall_c + 1), folds_k=0.2)
        across, down = int(generator.integers(2, 7)), int(generator.integers(1, 5))
        for i in range(across):
            for j in range(down):
                place = (x + half * ((2 * i + 1) / across - 1), horizon - tall * (j + 0.5) / down)
                paint_box(image, place, (0.3 * half / across, 0.25 * tall / down), (wall_c + window_k,) * 2)


def paint_things(
    image: np.ndarray, generator: np.random.Generator, ranges: ClutterRanges, ambient_c: float, *, empty: bool
) -> None:
    """Things and animals behind the people, in place; more of them where nobody is."""
    height, width = image.shape
    for kinds, limits in ((THINGS, ranges.things), (ANIMALS, ranges.animals)):
        count = round(max(uniform(generator, limits), 0.0) * (1.5 if empty else 1.0))
        names = list(kinds)
        for _ in range(count):
            name = names[int(generator.integers(len(names)))]
            low, high = (math.log(v) for v in ranges.thing_size)
            unit = height * math.exp(uniform(generator, (low, high)))
            mirrored, fold = chance(generator, 0.5), generator.integers(128, size=2)
            x, y = width * uniform(generator, (-0.05, 1.05)), height * uniform(generator, (0.0, 1.05))
            easel = Easel(
                image, x, y, -unit if mirrored else unit, 1.0 + 0.02 * unit * generator.random(),
                (int(fold[0]), int(fold[1])),
            )  # fmt: skip
            kinds[name](easel, generator, ambient_c)


def paint_in_front(image: np.ndarray, generator: np.random.Generator, ambient_c: float) -> None:
    """A table, a chair, a post, a plant or a car's door before the people, in place."""
    height, width = image.shape
    kind = str(generator.choice(["table", "chair", "post", "plant", "door"]))
    thing_c, folds_k = ambient_c + uniform(generator, (-2, 3)), uniform(generator, (0, 0.6))
    x, unit = width * generator.random(), height * uniform(generator, (0.1, 0.45))
    if kind == "table":
        top = height * uniform(generator, (0.62, 0.95))
        paint_box(image, (x, (top + height) / 2), (width * uniform(generator, (0.2, 1.0)), (height - top) / 2 + 2),
                  (thing_c, thing_c - 1), folds_k=folds_k)  # fmt: skip
        easel = Easel(image, x, top - 0.2 * unit, 0.5 * unit)
        THINGS["mug" if chance(generator, 0.5) else "screen"](easel, generator, ambient_c)
    elif kind == "chair":
        y = height * uniform(generator, (0.6, 1.0))
        paint_ellipse(image, (x, y + 0.4 * unit), (0.5 * unit, 0.7 * unit), thing_c, roundness=3.5, folds_k=folds_k)
        paint_box(image, (x, y + 1.5 * unit), (0.06 * unit, unit), (thing_c, thing_c))
    elif kind == "post":
        half = width * uniform(generator, (0.004, 0.04))
        paint_box(image, (x, height / 2), (half, height), (thing_c, thing_c + 1), folds_k=0.3 * folds_k)
    elif kind == "plant":
        for _ in range(int(generator.integers(5, 16))):
            turn, long = generator.uniform([-1.3, 0.3], [1.3, 1.0])
            tip = (x + unit * long * np.sin(turn), height - unit * 1.6 * long * np.cos(turn))
            paint_limb(image, (x, height + 2), tip, (0.03 * unit, 0.06 * unit), (thing_c, thing_c))
    else:
        top = height * uniform(generator, (0.55, 0.9))
        paint_box(image, (width / 2, top + height / 2), (width, height / 2), (thing_c, thing_c + 1))
        paint_limb(
            image,
            (x, top),
            (x + uniform(generator, (-0.3, 0.3)) * width, -5),
            (0.04 * height, 0.05 * height),
            (thing_c, thing_c),
        )


def paint_reflection(
    image: np.ndarray, people: Bool[np.ndarray, "height width"], generator: np.random.Generator, ambient_c: float
) -> None:
    """Mirrors the finished scene weakly in a pane of glass behind the people (the pixels that they cover), in place."""
    height, width = image.shape
    wide, tall = (uniform(generator, (0.3, 1.0)) for _ in range(2))
    left, top = (
        int(uniform(generator, (0, 1)) * (1 - share) * length) for share, length in ((wide, width), (tall, height))
    )
    rows, columns = slice(top, top + int(tall * height)), slice(left, left + int(wide * width))
    shift = int(width * uniform(generator, (-0.35, 0.35)))
    mirrored = np.roll(image[:, ::-1], shift, axis=1)[rows, columns]
    share = np.float32(uniform(generator, (0.05, 0.22)))
    pane = image[rows, columns]
    pane += np.where(people[rows, columns], np.float32(0), share * (mirrored - np.float32(ambient_c)))
