"""Bodies below the head: torso, arms and legs of people who stand, walk or sit, as rounded cones in perspective.

Body frame as the head's: x to the image's right, y down, z to the front; the origin lies between the ears.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from thermal_faces.camera.view import View, turn
from thermal_faces.randomness import chance, uniform
from thermal_faces.scene.shapes import paint_limb

_SHOULDER = (178.0, 272.0, -28.0)
_HIP = (88.0, 700.0, -15.0)
_BEHIND_MM = 25.0  # what lies less far in front than this is hidden by the torso


@dataclass(frozen=True)
class Limb:
    """One part of a body."""

    ends_mm: Float[np.ndarray, "2 3"]  # (2, 3) in the body's frame
    radii_mm: tuple[float, float]  # at both ends
    temperatures_c: tuple[float, float]  # at both ends
    folds_k: float  # strength of the pattern of its cloth
    trunk: bool = False  # whether it lies inside the torso and the neck, and is never in front of them


@dataclass(frozen=True)
class Body:
    """The limbs of a person in one scene, and where the pattern of their cloth begins."""

    limbs: tuple[Limb, ...]
    fold: tuple[int, int]

    def draw_over(self, image: Float[np.ndarray, "height width"], view: View, scale: float, *, front: bool) -> None:
        """Paints what lies behind the torso, or what lies in front of it, in place: far limbs first."""
        if not self.limbs:
            return
        ends = np.stack([limb.ends_mm for limb in self.limbs]) * np.float32(scale)
        turned = turn(ends.astype(np.float32), view.body)
        points = view.project(turned)
        pixels = view.focal_px * scale / np.maximum(view.distance_mm - turned[..., 2], 80.0)
        nearness = turned[..., 2].mean(axis=1)
        for i in np.argsort(nearness, kind="stable"):
            limb = self.limbs[i]
            if (nearness[i] > _BEHIND_MM * scale and not limb.trunk) != front:
                continue
            (x0, y0), (x1, y1) = points[i].tolist()
            paint_limb(
                image,
                (x0, y0),
                (x1, y1),
                (limb.radii_mm[0] * float(pixels[i, 0]), limb.radii_mm[1] * float(pixels[i, 1])),
                limb.temperatures_c,
                soft_px=max(1.0, 4 * float(pixels[i, 0])),
                rim_k=-0.25 * abs(limb.folds_k) - 0.3,
                folds_k=limb.folds_k,
                fold=self.fold,
            )


def draw_body(
    generator: np.random.Generator, posture: str, *, skin_c: float, neck_c: float, cloth_c: float, ambient_c: float
) -> Body:
    """A body in clothes, `standing`, `walking` or `sitting`; thick clothes and cold hands are as cool as the air."""
    excess = skin_c - ambient_c
    bare_arms, bare_legs = chance(generator, 0.45), chance(generator, 0.2)
    arm_c, hand_c = (
        skin_c - uniform(generator, (0.3, 3.0)),
        skin_c - uniform(generator, (0.5, 7.0)) * min(excess / 12, 1),
    )
    legs_c = ambient_c + uniform(generator, (0.15, 0.75)) * excess
    shoes_c = ambient_c + uniform(generator, (0.05, 0.5)) * excess
    sleeve_c = cloth_c + uniform(generator, (-0.1, 0.06)) * excess
    folds_k = uniform(generator, (0.02, 0.09)) * excess
    width, girth = uniform(generator, (0.88, 1.12)), uniform(generator, (0.85, 1.3))
    limbs = [
        _limb((0, 25, -38), (0, 170, -32), (46, 54), neck_c - 0.4, neck_c, 0.0, trunk=True),
        _limb((0, 330, -45), (0, 620, -35), (118 * girth, 125 * girth), cloth_c, cloth_c, folds_k, trunk=True),
        _limb(
            (-60, 690, -30), (60, 690, -30), (100 * girth, 100 * girth), legs_c + 0.4, legs_c + 0.4, folds_k, trunk=True
        ),
    ]
    gaits = {"standing": (0.0, 0.08), "walking": (0.15, 0.55), "sitting": (1.2, 1.55)}
    swing = uniform(generator, gaits[posture])
    shin_c = skin_c - uniform(generator, (1.0, 4.0)) if bare_legs else legs_c - 0.06 * excess
    coat = chance(generator, 0.2) and posture != "sitting"
    for side in (-1, 1):
        lift = swing if posture == "sitting" else swing * side
        limbs += _leg(side, lift, posture, girth, (legs_c, shin_c, shoes_c), folds_k, uniform(generator, (0.7, 1.5)))
        kind = str(generator.choice(["hanging", "folded", "hip", "raised", "forward"], p=_ARMS[posture]))
        limbs += _arm(
            generator, side, kind, -lift if posture == "walking" else 0.0, width, 0.5 * (girth + 1),
            (sleeve_c, arm_c if bare_arms else sleeve_c, hand_c), folds_k,
        )  # fmt: skip
    if coat:
        hem = uniform(generator, (850, 1250))
        limbs.append(_limb((0, 560, 0), (0, hem, 0), (150 * girth, 215), cloth_c, cloth_c - 0.1 * excess, folds_k))
    return Body(tuple(limbs), (int(generator.integers(128)), int(generator.integers(128))))


_ARMS = {
    "standing": (0.55, 0.12, 0.12, 0.05, 0.16),
    "walking": (0.82, 0.02, 0.02, 0.04, 0.1),
    "sitting": (0.15, 0.2, 0.05, 0.1, 0.5),
}


def _leg(
    side: int,
    lift: float,
    posture: str,
    girth: float,
    temperatures_c: tuple[float, float, float],
    folds_k: float,
    spread: float,
) -> list[Limb]:
    thigh_c, shin_c, shoe_c = temperatures_c
    hip = np.array([side * _HIP[0], *_HIP[1:]])
    knee = hip + np.array(
        [side * 12 * spread * (6 if posture == "sitting" else 1), 430 * np.cos(lift), 430 * np.sin(lift)]
    )
    # A knee bends backwards only.
    bend = 0.05 if posture == "sitting" else lift - 0.5 * abs(lift)
    ankle = knee + np.array([side * 8, 420 * np.cos(bend), 420 * np.sin(bend)])
    toe = ankle + np.array([side * 30, 35, 120])
    return [
        _limb(hip, knee, (88 * girth, 62 * girth), thigh_c + 0.3, thigh_c, folds_k),
        _limb(knee, ankle, (60 * girth, 42), thigh_c if shin_c == thigh_c else shin_c, shin_c, folds_k),
        _limb(ankle, toe, (44, 36), shoe_c, shoe_c - 0.3, 0.0),
    ]


def _arm(
    generator: np.random.Generator,
    side: int,
    kind: str,
    swing: float,
    width: float,
    girth: float,
    temperatures_c: tuple[float, float, float],
    folds_k: float,
) -> list[Limb]:
    sleeve_c, forearm_c, hand_c = temperatures_c
    shoulder = np.array([side * _SHOULDER[0] * width, *_SHOULDER[1:]])
    out, along, forward = generator.uniform(0, 1, 3)
    # Directions of upper arm and forearm: outwards, down, forward.
    directions = {
        "hanging": ((0.12 + 0.2 * out, 1, swing), (0.02 + 0.15 * out, 1, 0.25 + swing)),
        "folded": ((0.25 + 0.2 * out, 1, 0.25), (-1, -0.1 + 0.2 * along, 0.55)),
        "hip": ((0.75, 1, -0.2), (-0.7, 0.8, 0.3)),
        "raised": ((0.9, 0.4 - 0.9 * along, 0.3), (0.3 - 0.8 * out, -1, 0.4)),
        "forward": ((0.15 + 0.3 * out, 1, 0.35), (-0.25 * out, 0.5 * along - 0.1, 1)),
    }[kind]
    upper, lower = (np.array([side * d[0], d[1], d[2]]) / np.linalg.norm(d) for d in directions)
    elbow = shoulder + 285 * upper
    wrist = elbow + 245 * lower
    tip = wrist + 120 * (lower + np.array([0, 0.1 * forward, 0])) / np.linalg.norm(lower)
    bare = forearm_c != sleeve_c
    return [
        _limb(shoulder, elbow, (64 * girth, 48 * girth), sleeve_c, sleeve_c, folds_k),
        _limb(
            elbow,
            wrist,
            (44 * girth, 31),
            forearm_c,
            0.5 * (forearm_c + hand_c) if bare else forearm_c,
            folds_k * (not bare),
        ),
        _limb(wrist, tip, (34, 26), hand_c, hand_c - 0.8, 0.0),
    ]


def _limb(
    start: object,
    end: object,
    radii: tuple[float, float],
    start_c: float,
    end_c: float,
    folds_k: float,
    *,
    trunk: bool = False,
) -> Limb:
    return Limb(np.array([start, end], np.float32), radii, (start_c, end_c), folds_k, trunk)
