"""Landmark schemes: named, ordered sets of points, their mirror partners, and the maps between them.

Every scheme is written in terms of the 68 points of iBUG (300-W), the numbering that most data sets share;
68 and 69 stand for the pupils. Points that iBUG lacks have numbers of their own: 100 + i is point i of WFLW, 200 + i of
LaPa, 300 + i of JD-landmark, 400 + i of COFW. Left and right are the image's. `perinasal6` is this project's reading of
the "6 points surrounding" the upper lip (arXiv 2311.08308, section 4.1).
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from thermal_landmarks.errors import ConfigError

_IBUG_MIRROR_GROUPS = (
    tuple((i, 16 - i) for i in range(9)),  # jaw
    tuple((17 + i, 26 - i) for i in range(5)),  # brows
    ((31, 35), (32, 34)),  # nose
    ((36, 45), (37, 44), (38, 43), (39, 42), (40, 47), (41, 46)),  # eyes
    ((48, 54), (49, 53), (50, 52), (55, 59), (56, 58), (60, 64), (61, 63), (65, 67)),  # mouth
    ((68, 69),),  # pupils
    tuple((100 + i, 132 - i) for i in range(1, 16, 2)),  # jaw between the points of iBUG
    ((138, 150), (139, 149), (140, 148), (141, 147)),  # lower edge of the brows
    ((162, 170), (166, 174)),  # middle of the lids
    *(tuple((n + a, n + b) for a, b in ((55, 65), (56, 64), (57, 63), (74, 83))) for n in (200, 300)),  # see _points106
    ((405, 407), (418, 419)),  # see _COFW29
)
_MIRROR = {a: b for group in _IBUG_MIRROR_GROUPS for pair in group for a, b in (pair, pair[::-1])}
_OUTER_EYE_CORNERS = (36, 45)


@dataclass(frozen=True)
class Scheme:
    """A named, ordered set of landmarks."""

    name: str  # the name used in configs and files
    # For each landmark, its index among the 68 iBUG points, or a number above where iBUG lacks it
    ibug68: tuple[int, ...]
    landmark_names: tuple[str, ...]  # for each landmark, a readable name

    @property
    def num_points(self) -> int:
        return len(self.ibug68)

    @cached_property
    def flip_indices(self) -> np.ndarray:
        """Permutation (N,) that puts the points of a mirrored image back into the scheme's order."""
        position = {index: i for i, index in enumerate(self.ibug68)}
        return np.array([position[_MIRROR.get(index, index)] for index in self.ibug68])

    @property
    def outer_eye_corners(self) -> tuple[int, int] | None:
        """Indices of the two outer eye corners (inter-ocular distance), or None where the scheme lacks them."""
        if not set(_OUTER_EYE_CORNERS) <= set(self.ibug68):
            return None
        left, right = (self.ibug68.index(i) for i in _OUTER_EYE_CORNERS)
        return left, right

    def index_map(self, target: "Scheme") -> np.ndarray:
        """For each landmark of `target`, its index in this scheme.

        Raises:
            ConfigError: If this scheme lacks one of the target's landmarks.
        """
        missing = [n for n, i in zip(target.landmark_names, target.ibug68, strict=True) if i not in self.ibug68]
        if missing:
            raise ConfigError(
                f"Data in scheme '{self.name}' can't serve scheme '{target.name}': it has no {', '.join(missing)}. "
                f"Choose one of: {', '.join(s.name for s in SCHEMES.values() if set(s.ibug68) <= set(self.ibug68))}."
            )
        return np.array([self.ibug68.index(i) for i in target.ibug68])


def _numbered(name: str, prefix: str, ibug68: tuple[int, ...]) -> Scheme:
    """A scheme whose landmarks are known by their number in it, or where the prefix is `ibug`, among those."""
    return Scheme(name, ibug68, tuple(f"{prefix}_{i}" for i in (ibug68 if prefix == "ibug" else range(len(ibug68)))))


_WFLW98 = (
    *(i // 2 if i % 2 == 0 else 100 + i for i in range(33)),  # jaw
    *(*range(17, 22), *range(138, 142), *range(22, 27), *range(147, 151)),  # brows: upper edge, then lower edge
    *range(27, 36),  # nose
    *(36, 37, 162, 38, 39, 40, 166, 41),
    *(42, 43, 170, 44, 45, 46, 174, 47),
    *range(48, 70),  # mouth and pupils
)


def _points106(first: int) -> tuple[int, ...]:
    """LaPa's and JD-landmark's 106 points: WFLW's 98, the sides of the nose and the middle of each eye.

    Seen on LaPa's samples; public code gives JD-landmark the same mirror partners. The points that WFLW lacks count
    from `first`, so that the two data sets, whose annotators differ, don't pass for one another.
    """
    bridge, nose, eyes, mouth_and_pupils = _WFLW98[:55], _WFLW98[55:60], _WFLW98[60:76], _WFLW98[76:]
    own = {i: first + i for i in (55, 56, 57, 63, 64, 65, 74, 83)}
    sides = (own[55], own[56], own[57], *nose, own[63], own[64], own[65])
    return (*bridge, *sides, *eyes[:8], own[74], *eyes[8:], own[83], *mouth_and_pupils)


# COFW's own order, seen on its samples. Its sides of the nose are the wings' outer edges, which iBUG lacks.
_COFW29 = (
    *(17, 26, 21, 22, 19, 405, 24, 407),  # brows: outer ends, inner ends, then upper and lower edge of each
    *(36, 45, 39, 42, 162, 166, 170, 174, 68, 69),  # eyes: corners, upper and lower lid of each, pupils
    *(418, 419, 30, 33),  # nose: wings, tip, base
    *(48, 54, 51, 62, 66, 57),  # mouth: corners, then the lips from above
    8,
)

_FACE16 = {
    "brow_left": 19,
    "brow_right": 24,
    "eye_left_outer": 36,
    "eye_left_inner": 39,
    "eye_right_inner": 42,
    "eye_right_outer": 45,
    "nasion": 27,
    "nose_tip": 30,
    "ala_left": 31,
    "subnasale": 33,
    "ala_right": 35,
    "mouth_left": 48,
    "upper_lip": 51,
    "mouth_right": 54,
    "lower_lip": 57,
    "chin": 8,
}
_PERINASAL6 = ("ala_left", "subnasale", "ala_right", "mouth_left", "upper_lip", "mouth_right")

SCHEMES = {
    scheme.name: scheme
    for scheme in (
        Scheme("perinasal6", tuple(_FACE16[n] for n in _PERINASAL6), _PERINASAL6),
        Scheme("face16", tuple(_FACE16.values()), tuple(_FACE16)),
        _numbered("sftl54", "ibug", (*range(48), 48, 51, 54, 57, 62, 66)),
        _numbered("ibug68", "ibug", tuple(range(68))),
        _numbered("tfake70", "ibug", tuple(range(70))),
        _numbered("wflw98", "wflw", _WFLW98),
        _numbered("jd106", "jd", _points106(300)),
        _numbered("lapa106", "lapa", _points106(200)),
        _numbered("cofw29", "cofw", _COFW29),
    )
}


def get_scheme(name: str) -> Scheme:
    """The scheme of that name.

    Raises:
        ConfigError: If there is none; the message lists the known ones.
    """
    if name not in SCHEMES:
        raise ConfigError(f"Unknown landmark scheme '{name}'. Known: {', '.join(SCHEMES)}.")
    return SCHEMES[name]


def schemes_of(*counts: int) -> str:
    """A sentence for messages on the schemes with one of these numbers of points; empty where there is none."""
    named = [f"{scheme.name} ({scheme.num_points})" for scheme in SCHEMES.values() if scheme.num_points in counts]
    return f" Schemes of as many points: {', '.join(named)}." if named else ""
