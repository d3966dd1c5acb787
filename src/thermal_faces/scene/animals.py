"""Animals: warm blobs with heads, ears and legs, from the side or looking at the camera."""

import numpy as np

from thermal_faces.randomness import chance, uniform
from thermal_faces.scene.easel import Easel


def quadruped(easel: Easel, generator: np.random.Generator, ambient_c: float) -> None:
    """A dog, a cat, a horse, a sheep from the side."""
    coat_c = max(ambient_c + uniform(generator, (2, 12)), ambient_c + 1)
    skin_c = max(uniform(generator, (29, 37)), coat_c + 1)
    fur_k, leg, neck = 0.08 * (coat_c - ambient_c), uniform(generator, (0.3, 0.95)), uniform(generator, (0.1, 0.6))
    thick = uniform(generator, (0.16, 0.36))
    for x in (-0.6, -0.45, 0.42, 0.58):
        step = uniform(generator, (-0.12, 0.12))
        easel.limb((x, 0.1), (x + step, 0.1 + leg), (0.13, 0.05), coat_c, coat_c - 0.2 * (coat_c - ambient_c))
    easel.limb((-0.65, -0.1), (-1.0, uniform(generator, (-0.5, 0.4))), (0.06, 0.03), coat_c, ambient_c + 1)
    easel.limb((-0.55, 0), (0.55, -0.02), (thick, thick * 1.1), coat_c, coat_c + 1, folds_k=fur_k)
    head = (0.7 + 0.3 * neck, -0.25 - neck)
    easel.limb((0.55, -0.1), head, (0.2, 0.13), coat_c, coat_c + 1, folds_k=fur_k)
    drop = uniform(generator, (0.02, 0.3))
    easel.limb(head, (head[0] + uniform(generator, (0.15, 0.4)), head[1] + drop), (0.16, 0.08), skin_c - 2, skin_c - 6)
    for x in (-0.06, 0.05):
        easel.limb((head[0] + x, head[1] - 0.1), (head[0] + 1.6 * x, head[1] - 0.3), (0.05, 0.02), skin_c, coat_c)
    easel.ellipse((head[0] + 0.06, head[1] - 0.03), (0.035, 0.03), skin_c + 2)


def muzzle(easel: Easel, generator: np.random.Generator, ambient_c: float) -> None:
    """An animal's head from the front: pointed ears, hot eyes, a cold nose; with or without its body."""
    coat_c = ambient_c + uniform(generator, (2, 11))
    skin_c = max(uniform(generator, (31, 37)), coat_c + 1)
    fur_k, wide = 0.08 * (coat_c - ambient_c), uniform(generator, (0.8, 1.15))
    if chance(generator, 0.7):
        easel.limb((0, 0.5), (0, 1.5), (0.4, 0.55), coat_c, coat_c - 1, folds_k=fur_k)
        for x in (-0.25, 0.25):
            easel.limb((x, 1.2), (x, 2.0), (0.14, 0.11), coat_c, coat_c - 2)
    hanging = chance(generator, 0.4)
    for side in (-1, 1):
        tip = (side * 0.62 * wide, 0.2) if hanging else (side * 0.42 * wide, -0.85)
        easel.limb((side * 0.34 * wide, -0.3), tip, (0.16, 0.1 if hanging else 0.02), skin_c - 2, coat_c)
    easel.ellipse((0, 0), (0.5 * wide, 0.48), coat_c, folds_k=fur_k, rim_k=-0.15 * (coat_c - ambient_c))
    long = uniform(generator, (0.15, 0.5))
    easel.limb((0, 0.1), (0, 0.1 + long), (0.2, 0.17), skin_c - 3, skin_c - 5)
    for side in (-1, 1):
        easel.ellipse((side * 0.22 * wide, -0.08), (0.075, 0.06), skin_c)
    easel.ellipse((0, 0.12 + long), (0.09, 0.065), min(ambient_c + 3, skin_c - 6))


def bird(easel: Easel, generator: np.random.Generator, ambient_c: float) -> None:
    """A hen, a pigeon, a parrot."""
    coat_c = ambient_c + uniform(generator, (2, 9))
    easel.limb((-0.35, 0.05), (0.2, 0), (0.22, 0.3), coat_c - 1, coat_c, folds_k=0.6)
    easel.limb((-0.4, 0), (-0.9, -0.15), (0.14, 0.04), coat_c - 1, ambient_c + 1)
    easel.limb((0.25, -0.1), (0.4, -0.5), (0.16, 0.12), coat_c, coat_c + 5)
    easel.limb((0.45, -0.5), (0.62, -0.46), (0.06, 0.02), coat_c + 7, coat_c + 3)
    for x in (-0.05, 0.1):
        easel.limb((x, 0.25), (x, 0.55), (0.03, 0.03), coat_c + 8, coat_c)


ANIMALS = {"quadruped": quadruped, "muzzle": muzzle, "bird": bird}
