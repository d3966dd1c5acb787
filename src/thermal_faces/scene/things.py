"""Things that a finder could take for a face or a person: hot vessels, lamps, radiators, screens, round pictures, ...

Each is painted about one unit large around its origin; `THINGS` names them all.
"""

from collections.abc import Callable

import numpy as np

from thermal_faces.randomness import chance, uniform
from thermal_faces.scene.easel import Easel
from thermal_faces.scene.street import STREET

Painter = Callable[[Easel, np.random.Generator, float], None]


def kettle(easel: Easel, generator: np.random.Generator, ambient_c: float) -> None:
    """A hot belly with spout, handle and lid; at times it shines and steams."""
    hot_c = uniform(generator, (38, 98))
    cool_c = ambient_c + 0.35 * (hot_c - ambient_c)
    tall = uniform(generator, (0.7, 1.4))
    easel.limb((0.25, 0.1), (0.68, -0.25), (0.12, 0.06), hot_c, cool_c)
    for end in ((-0.62, -0.1), (-0.45, 0.3)):
        easel.limb((-0.3, -0.3 * tall), end, (0.05, 0.05), cool_c, cool_c)
    easel.ellipse((0, 0), (0.42, 0.42 * tall), hot_c, rim_k=0.3 * (ambient_c - hot_c), roundness=2.6)
    if chance(generator, 0.5):
        level = uniform(generator, (-0.3, 0.2))
        easel.box((0, level - 0.15), (0.34, 0.12), cool_c, hot_c, soft_px=3.0, opacity=0.6)
    easel.ellipse((0, -0.42 * tall), (0.2, 0.07), cool_c)
    if chance(generator, 0.4):
        easel.limb((0.1, -0.6), (0.3, -1.4), (0.1, 0.4), hot_c - 10, ambient_c + 2, soft_px=12.0, opacity=0.3)


def mug(easel: Easel, generator: np.random.Generator, ambient_c: float) -> None:
    """A cup or a glass, hot or cold, with a handle."""
    cup_c = uniform(generator, (3, 15)) if chance(generator, 0.3) else uniform(generator, (34, 70))
    for side in (-0.1, 0.2):
        easel.limb((0.3, side), (0.58, 0.05), (0.06, 0.06), 0.5 * (cup_c + ambient_c), 0.5 * (cup_c + ambient_c))
    easel.box((0, 0), (0.36, 0.48), cup_c + 1, cup_c - 2)
    easel.ellipse((0, -0.48), (0.36, 0.1), cup_c + 0.15 * (cup_c - ambient_c))


def radiator(easel: Easel, generator: np.random.Generator, ambient_c: float) -> None:
    """Ribs or a panel, with warm air above."""
    hot_c = ambient_c + uniform(generator, (6, 38))
    ribs, wide = int(generator.integers(5, 16)), uniform(generator, (0.6, 1.6))
    easel.box((0, -0.9), (wide, 0.5), ambient_c, ambient_c + 3, soft_px=10.0, opacity=0.5)
    easel.box((0, 0), (wide, 0.5), hot_c, hot_c - 4, opacity=0.8)
    if chance(generator, 0.6):
        for x in np.linspace(-wide, wide, ribs):
            easel.limb((x, -0.5), (x, 0.5), (0.04, 0.04), hot_c + 4, hot_c - 1)


def lamp(easel: Easel, generator: np.random.Generator, ambient_c: float) -> None:
    """A bulb, with or without a shade and a stand, and the wall that it warms."""
    hot_c = uniform(generator, (40, 130))
    easel.ellipse((0, 0), (0.9, 0.9), ambient_c + 4, soft_px=0.5 * abs(easel.unit_px) + 1, opacity=0.5)
    if chance(generator, 0.5):
        easel.limb((0, 0.3), (0, 2.2), (0.03, 0.04), ambient_c + 2, ambient_c)
        easel.limb(
            (0, -0.25), (0, 0.35), (0.25, 0.5), hot_c - 0.5 * (hot_c - ambient_c), hot_c - 0.6 * (hot_c - ambient_c)
        )
    easel.ellipse((0, 0.1), (0.25, 0.3), hot_c, soft_px=2.0)


def screen(easel: Easel, generator: np.random.Generator, ambient_c: float) -> None:
    """A monitor, a television or a laptop."""
    warm_c = ambient_c + uniform(generator, (2, 16))
    wide = uniform(generator, (0.55, 1.0))
    easel.box((0, 0), (wide, 0.55), ambient_c + 1, ambient_c + 2)
    easel.box((0, 0), (0.94 * wide, 0.5), warm_c, warm_c + uniform(generator, (-2, 5)))
    for _ in range(int(generator.integers(0, 4))):
        x, y, half = generator.uniform([-0.7, -0.3, 0.05], [0.7, 0.3, 0.3])
        easel.box((x * wide, y), (half, 0.5 * half), warm_c + 3, warm_c + 2, soft_px=4.0, opacity=0.6)
    if chance(generator, 0.5):
        easel.box((0, 0.75), (0.08, 0.25), ambient_c + 1, ambient_c + 1)
    else:
        easel.box((0.1, 0.68), (1.05 * wide, 0.12), warm_c + 6, ambient_c + 3)


def window(easel: Easel, generator: np.random.Generator, ambient_c: float) -> None:
    """Panes that mirror a cold sky or let the sun in, with frames and a curtain."""
    pane_c = ambient_c + (uniform(generator, (-18, -3)) if chance(generator, 0.6) else uniform(generator, (3, 14)))
    frame_c = ambient_c + uniform(generator, (-3, 2))
    wide, panes = uniform(generator, (0.5, 1.2)), int(generator.integers(1, 4))
    easel.box((0, 0), (wide + 0.06, 0.86), frame_c, frame_c)
    for i in range(panes):
        x = wide * ((2 * i + 1) / panes - 1)
        for y in (-0.4, 0.4):
            easel.box((x, y), (wide / panes - 0.03, 0.37), pane_c - 1, pane_c + 1)
    if chance(generator, 0.35):
        side = 1 if chance(generator, 0.5) else -1
        easel.box((side * wide, 0.1), (0.3, 1.0), ambient_c + 1, ambient_c - 1, folds_k=0.8)


def dial(easel: Easel, generator: np.random.Generator, ambient_c: float) -> None:
    """A round thing with spots inside: a clock, a stove's plate, a speaker, a picture of a ball, a plate of food."""
    disc_c = ambient_c + uniform(generator, (2, 30)) * (1 if chance(generator, 0.8) else -0.3)
    tall = uniform(generator, (0.8, 1.35))
    rim_k = uniform(generator, (-0.5, 0.4)) * (disc_c - ambient_c)
    easel.ellipse((0, 0), (0.5, 0.5 * tall), disc_c, rim_k=rim_k, folds_k=0.05 * (disc_c - ambient_c))
    for _ in range(int(generator.integers(0, 6))):
        x, y, a, b = generator.uniform([-0.3, -0.3, 0.03, 0.03], [0.3, 0.3, 0.16, 0.16])
        easel.ellipse((x, y * tall), (a, b), disc_c + uniform(generator, (-0.5, 0.3)) * (disc_c - ambient_c))


def pipes(easel: Easel, generator: np.random.Generator, ambient_c: float) -> None:
    """Hot or cold pipes with bends and valves."""
    pipe_c, thick = ambient_c + uniform(generator, (-8, 40)), uniform(generator, (0.03, 0.12))
    x, y = -2.0, uniform(generator, (-0.5, 0.5))
    for _ in range(int(generator.integers(2, 6))):
        end = (
            (x + uniform(generator, (0, 2.5)), y)
            if chance(generator, 0.5)
            else (x, y + uniform(generator, (-1.5, 2.5)))
        )
        easel.limb((x, y), end, (thick, thick), pipe_c, pipe_c - 1, rim_k=-0.2 * (pipe_c - ambient_c))
        x, y = end
        if chance(generator, 0.4):
            easel.ellipse((x, y), (2.2 * thick, 2.2 * thick), pipe_c + 2)


def car(easel: Easel, generator: np.random.Generator, ambient_c: float) -> None:
    """A vehicle from the side or from the front, with a warm bonnet, hot wheels and cold panes."""
    body_c, hot_c = ambient_c + uniform(generator, (-3, 6)), ambient_c + uniform(generator, (6, 35))
    pane_c, tyre_c = ambient_c + uniform(generator, (-12, 3)), ambient_c + uniform(generator, (3, 20))
    if chance(generator, 0.6):
        easel.ellipse((-0.1, -0.25), (0.75, 0.42), body_c, roundness=2.5)
        easel.ellipse((-0.1, -0.3), (0.62, 0.27), pane_c, roundness=2.8)
        easel.box((0, 0.1), (1.35, 0.28), body_c, body_c - 1)
        easel.box((1.0, 0.0), (0.34, 0.16), hot_c, body_c + 2, soft_px=4.0)
        for x in (-0.85, 0.85):
            easel.ellipse((x, 0.4), (0.24, 0.24), tyre_c, rim_k=-3.0)
            easel.ellipse((x, 0.4), (0.1, 0.1), tyre_c + 8)
        return
    easel.ellipse((0, -0.35), (0.6, 0.4), body_c, roundness=3.0)
    easel.ellipse((0, -0.38), (0.52, 0.27), pane_c, roundness=3.0)
    easel.ellipse((0, 0.15), (0.8, 0.34), body_c + 1, roundness=4.0)
    easel.box((0, 0.18), (0.45, 0.14), hot_c, hot_c - 3, soft_px=3.0)
    for x in (-0.6, 0.6):
        easel.ellipse((x, 0.1), (0.14, 0.1), hot_c - 2)
        easel.box((x, 0.5), (0.12, 0.16), tyre_c, tyre_c)


def hand(easel: Easel, generator: np.random.Generator, ambient_c: float) -> None:
    """A hand alone, with its forearm."""
    skin_c = max(uniform(generator, (27, 35.5)), ambient_c - 2)
    tip_k = uniform(generator, (-5, 1.0))
    lean = uniform(generator, (-0.8, 0.8))
    easel.limb((lean, 1.9), (0, 0.55), (0.3, 0.2), skin_c, skin_c, rim_k=-0.6)
    easel.ellipse((0, 0.1), (0.32, 0.42), skin_c, rim_k=-0.6)
    spread = uniform(generator, (0.3, 1.3))
    for i, long in enumerate((0.5, 0.62, 0.66, 0.58)):
        turn = spread * (i - 1.6) * 0.3
        x = 0.17 * (i - 1.5)
        curl = long * uniform(generator, (0.5, 1.0))
        easel.limb(
            (x, -0.2), (x + curl * np.sin(turn), -0.25 - curl * np.cos(turn)), (0.09, 0.07), skin_c, skin_c + tip_k
        )
    easel.limb((-0.25, 0.2), (-0.62, -0.2), (0.11, 0.08), skin_c, skin_c + tip_k)


def feet(easel: Easel, generator: np.random.Generator, ambient_c: float) -> None:
    """Two bare soles, or the prints that they leave."""
    warmth = uniform(generator, (0.15, 1.0))
    sole_c = ambient_c + warmth * (31 - ambient_c) + uniform(generator, (-2, 2))
    for side in (-1, 1):
        easel.limb((side * 0.4, 0.5), (side * 0.42, -0.3), (0.2, 0.26), sole_c, sole_c + 1, rim_k=-0.5)
        for toe in range(5):
            x = side * (0.22 + 0.1 * toe)
            easel.ellipse((x, -0.62 + 0.05 * toe), (0.07, 0.08), sole_c - 2 * warmth)


def pillow(easel: Easel, generator: np.random.Generator, ambient_c: float) -> None:
    """A pillow, a chair or a bed that somebody has warmed."""
    cloth_c = ambient_c + uniform(generator, (-1, 2))
    warm_k, tall = uniform(generator, (1, 8)), uniform(generator, (0.5, 1.2))
    easel.ellipse((0, 0), (0.75, 0.75 * tall), cloth_c, roundness=uniform(generator, (2.2, 6)), folds_k=0.5)
    for _ in range(int(generator.integers(1, 3))):
        x, y, a, b = generator.uniform([-0.25, -0.25, 0.2, 0.2], [0.25, 0.25, 0.45, 0.5])
        easel.ellipse((x, y * tall), (a, b), cloth_c + warm_k, soft_px=0.3 * abs(easel.unit_px) + 1, opacity=0.9)


def bottle(easel: Easel, generator: np.random.Generator, ambient_c: float) -> None:
    """A bottle, a vase or a lantern: a body with a neck and a round top, like a bust."""
    body_c = ambient_c + uniform(generator, (-10, 20))
    easel.limb((0, 0.0), (0, 1.0), (0.3, 0.34), body_c, body_c - 1, rim_k=-0.1 * (body_c - ambient_c))
    easel.limb((0, -0.6), (0, 0.0), (0.12, 0.16), body_c, body_c)
    if chance(generator, 0.5):
        easel.ellipse((0, -0.75), (0.22, 0.26), body_c + uniform(generator, (-1, 3)))


def fire(easel: Easel, generator: np.random.Generator, ambient_c: float) -> None:
    """Flames, an oven, an engine: hot blots."""
    hot_c = ambient_c + uniform(generator, (20, 150))
    for _ in range(int(generator.integers(3, 9))):
        x, y, a, b, heat = generator.uniform([-0.5, -0.5, 0.06, 0.1, 0.2], [0.5, 0.5, 0.35, 0.5, 1])
        easel.ellipse((x, y), (a, b), ambient_c + heat * (hot_c - ambient_c), soft_px=0.12 * abs(easel.unit_px) + 1)


THINGS: dict[str, Painter] = {
    "kettle": kettle, "mug": mug, "radiator": radiator, "lamp": lamp, "screen": screen, "window": window, "dial": dial,
    "pipes": pipes, "car": car, "hand": hand, "feet": feet, "pillow": pillow, "bottle": bottle, "fire": fire,
    **STREET,
}  # fmt: skip
