"""Things of streets and walls that are shaped like heads on bodies, or hold round forms: posts, signs, dishes, posters.

As in `scene.things`, each is painted about one unit large around its origin.
"""

import numpy as np

from thermal_faces.randomness import chance, uniform
from thermal_faces.scene.easel import Easel


def post(easel: Easel, generator: np.random.Generator, ambient_c: float) -> None:
    """A bollard, a pillar, a gatepost or a street lamp: a shaft with a round head, lit or not."""
    shaft_c, head_k = ambient_c + uniform(generator, (-4, 9)), uniform(generator, (-4, 6))
    lit, thick, tall = chance(generator, 0.25), uniform(generator, (0.08, 0.4)), uniform(generator, (0.8, 1.4))
    head_c = ambient_c + uniform(generator, (8, 40)) if lit else shaft_c + head_k
    rim_k = uniform(generator, (-0.4, 0.15)) * abs(head_c - ambient_c)
    easel.limb((0, 0.45), (0, 2.6), (thick, 1.15 * thick), shaft_c, shaft_c - 1, rim_k=-0.5, folds_k=0.2)
    if chance(generator, 0.6):
        easel.box((0, 0.5), (1.4 * thick, 0.08), shaft_c + 0.5 * head_k, shaft_c)
    easel.ellipse((0, 0), (0.4, 0.4 * tall), head_c, rim_k=rim_k, roundness=uniform(generator, (2.0, 3.2)))
    if chance(generator, 0.4):
        level = uniform(generator, (-0.2, 0.25))
        easel.box((0, level), (0.36, 0.06), head_c + 0.4 * rim_k, head_c - 0.3 * rim_k)
    if chance(generator, 0.3):
        easel.ellipse((0, -0.42 * tall), (0.3, 0.07), shaft_c)


def sign(easel: Easel, generator: np.random.Generator, ambient_c: float) -> None:
    """A traffic sign or a notice on a pole: a plate with a border and marks, as cold as the sky or warm in the sun."""
    plate_c, mark_k = ambient_c + uniform(generator, (-9, 8)), uniform(generator, (-1.5, 1.5))
    easel.limb((0, 0), (0, 2.4), (0.05, 0.05), ambient_c - 1, ambient_c)
    shape = int(generator.integers(3))
    if shape == 0:
        easel.ellipse((0, 0), (0.5, 0.5), plate_c + mark_k)
        easel.ellipse((0, 0), (0.42, 0.42), plate_c)
    else:
        turn = 0.785 if shape == 1 else 0.0
        easel.box((0, 0), (0.45, 0.45), plate_c + mark_k, plate_c + mark_k, angle_rad=turn)
        easel.box((0, 0), (0.39, 0.39), plate_c, plate_c + 0.5, angle_rad=turn)
    for _ in range(int(generator.integers(0, 5))):
        x, y, a, b = generator.uniform([-0.2, -0.22, 0.03, 0.03], [0.2, 0.22, 0.2, 0.1])
        easel.box((x, y), (a, b), plate_c + mark_k, plate_c + mark_k)


def dish(easel: Easel, generator: np.random.Generator, ambient_c: float) -> None:
    """A parabolic antenna on a mast, seen from any side, with the receiver before it."""
    plate_c, deep_k = ambient_c + uniform(generator, (-12, 6)), uniform(generator, (-4, 4))
    wide, lean = uniform(generator, (0.3, 0.55)), uniform(generator, (-0.5, 0.5))
    easel.limb((0, 0.1), (0, 1.6), (0.06, 0.07), ambient_c, ambient_c)
    easel.ellipse((0, 0), (wide, 0.55), plate_c + 1, angle_rad=lean, rim_k=-deep_k)
    aside = uniform(generator, (-0.15, 0.15))
    easel.ellipse((aside, 0.05), (0.6 * wide, 0.33), plate_c + deep_k, angle_rad=lean, soft_px=4.0, opacity=0.7)
    arm_c = ambient_c + uniform(generator, (0, 6))
    easel.limb((0, 0.5), (0.6 * aside, 0.05), (0.03, 0.03), arm_c, arm_c)
    easel.ellipse((0.6 * aside, 0.05), (0.09, 0.08), arm_c + 2)


def trunk(easel: Easel, generator: np.random.Generator, ambient_c: float) -> None:
    """A tree's trunk or a stump near the camera, with bark, knots and boughs."""
    bark_c, thick = ambient_c + uniform(generator, (-2, 7)), uniform(generator, (0.2, 0.45))
    top = uniform(generator, (-2.5, -0.3))
    easel.limb((uniform(generator, (-0.3, 0.3)), top), (0, 2.0), (thick, 1.3 * thick), bark_c, bark_c - 1, folds_k=1.2,
               rim_k=-1.0)  # fmt: skip
    for _ in range(int(generator.integers(0, 4))):
        x, y, a, b = generator.uniform([-0.5, -0.6, 0.15, 0.2], [0.5, 1.0, 0.4, 0.5])
        easel.ellipse((x * thick, y), (a * thick, b * thick), bark_c + uniform(generator, (-2, 2)), soft_px=2.0)
    for _ in range(int(generator.integers(0, 3))):
        tip = (uniform(generator, (-1.5, 1.5)), uniform(generator, (-2.0, -0.5)))
        easel.limb((0, uniform(generator, (-0.5, 0.3))), tip, (0.35 * thick, 0.1), bark_c, bark_c - 1, folds_k=0.8)


def vent(easel: Easel, generator: np.random.Generator, ambient_c: float) -> None:
    """A grille, an outdoor unit or a fan behind bars, with warm or cold air."""
    air_c, frame_c = ambient_c + uniform(generator, (-8, 16)), ambient_c + uniform(generator, (-1, 2))
    wide, slats = uniform(generator, (0.4, 0.9)), int(generator.integers(3, 10))
    easel.box((0, 0), (wide + 0.06, 0.5), frame_c, frame_c)
    if chance(generator, 0.4):
        easel.ellipse((0, 0), (0.42, 0.42), air_c, rim_k=-0.3 * (air_c - ambient_c))
        easel.ellipse((0, 0), (0.12, 0.12), air_c + uniform(generator, (-3, 6)))
    else:
        easel.box((0, 0), (wide, 0.44), air_c, air_c - 1)
    for y in np.linspace(-0.4, 0.4, slats):
        easel.box((0, y), (wide, 0.18 / slats), frame_c, frame_c, opacity=0.8)


def poster(easel: Easel, generator: np.random.Generator, ambient_c: float) -> None:
    """A printed face, flat and as cold as the wall behind it; the little that it shows is the ink's emissivity."""
    paper_c, ink_k = ambient_c + uniform(generator, (-2, 2)), uniform(generator, (-0.9, 0.9))
    tall = uniform(generator, (1.1, 1.5))
    easel.box((0, 0), (0.55, 0.55 * tall), paper_c, paper_c + uniform(generator, (-0.3, 0.3)))
    easel.ellipse((0, 0.55 * tall - 0.16), (0.48, 0.16), paper_c - 0.4 * ink_k)
    easel.ellipse((0, -0.28), (0.3, 0.36), paper_c - 0.7 * ink_k)
    easel.ellipse((0, 0), (0.26, 0.26 * tall), paper_c + 0.4 * ink_k)
    for x in (-0.1, 0.1):
        easel.ellipse((x, -0.07), (0.05, 0.03), paper_c - ink_k)
    easel.box((0, 0.05), (0.025, 0.07), paper_c + 0.7 * ink_k, paper_c)
    easel.ellipse((0, 0.18), (0.09, 0.025), paper_c - 0.8 * ink_k)


STREET = {"post": post, "sign": sign, "dish": dish, "trunk": trunk, "vent": vent, "poster": poster}
