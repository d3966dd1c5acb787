"""Landmark schemes: named, ordered sets of points, their mirror partners, and the maps between them.

Every scheme is written in terms of the 68 points of iBUG (300-W), the numbering that most data sets share;
68 and 69 stand for the pupils that T-FAKE adds. Left and right are the image's. `perinasal6` is this
project's reading of the "6 points surrounding" the upper lip (arXiv 2311.08308, section 4.1).
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
)
_MIRROR = {a: b for group in _IBUG_MIRROR_GROUPS for pair in group for a, b in (pair, pair[::-1])}
_OUTER_EYE_CORNERS = (36, 45)


@dataclass(frozen=True)
class Scheme:
    """A named, ordered set of landmarks.

    Attributes:
        name: The name used in configs and files.
        ibug68: For each landmark, its index among the 68 iBUG points (68 and 69: pupils).
        landmark_names: For each landmark, a readable name.
    """

    name: str
    ibug68: tuple[int, ...]
    landmark_names: tuple[str, ...]

    @property
    def num_points(self) -> int:
        return len(self.ibug68)

    @cached_property
    def mirror_order(self) -> np.ndarray:
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


def _numbered(name: str, ibug68: tuple[int, ...]) -> Scheme:
    return Scheme(name, ibug68, tuple(f"ibug_{i}" for i in ibug68))


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
        _numbered("sftl54", (*range(48), 48, 51, 54, 57, 62, 66)),
        _numbered("ibug68", tuple(range(68))),
        _numbered("tfake70", tuple(range(70))),
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
