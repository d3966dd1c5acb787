"""Regions of skin: polygons whose corners are landmarks with an offset, and those of one's own from a YAML file."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from thermal_landmarks.data.schemes import SCHEMES
from thermal_landmarks.errors import ConfigError

Corner = tuple[str, float, float]
"""A landmark of `face16`, and the way from it to the right and down, in distances of the outer eye corners."""


def _around(landmark: str, right: float, down: float, half: float) -> list[Corner]:
    return [(landmark, right + half * x, down + half * y) for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1))]


REGIONS: dict[str, list[Corner]] = {
    "perinasal": [
        *(("ala_left", -0.05, 0.07), ("subnasale", 0.0, 0.05), ("ala_right", 0.05, 0.07)),
        *(("mouth_right", 0.0, -0.06), ("upper_lip", 0.0, -0.05), ("mouth_left", 0.0, -0.06)),
    ],
    "nostril_left": [
        *(("ala_left", 0.0, -0.01), ("subnasale", -0.03, -0.03)),
        *(("subnasale", -0.03, 0.05), ("ala_left", 0.0, 0.08)),
    ],
    "nostril_right": [
        *(("subnasale", 0.03, -0.03), ("ala_right", 0.0, -0.01)),
        *(("ala_right", 0.0, 0.08), ("subnasale", 0.03, 0.05)),
    ],
    "nose_tip": _around("nose_tip", 0.0, 0.0, 0.07),
    "forehead": [
        *(("brow_left", 0.05, -0.35), ("brow_right", -0.05, -0.35)),
        *(("brow_right", -0.05, -0.12), ("brow_left", 0.05, -0.12)),
    ],
    "eye_corner_left": _around("eye_left_inner", 0.03, 0.0, 0.06),
    "eye_corner_right": _around("eye_right_inner", -0.03, 0.0, 0.06),
    "cheek_left": _around("eye_left_outer", 0.08, 0.42, 0.1),
    "cheek_right": _around("eye_right_outer", -0.08, 0.42, 0.1),
}
"""The regions that are measured wherever the landmarks allow it; left and right are the image's."""


def available(names: Sequence[str]) -> dict[str, list[Corner]]:
    """Those of `REGIONS` whose landmarks are among these."""
    return {region: corners for region, corners in REGIONS.items() if {corner[0] for corner in corners} <= set(names)}


def read_regions(path: Path) -> dict[str, list[Corner]]:
    """Regions of one's own from a YAML file: `NAME: [[LANDMARK, RIGHT, DOWN], ...]`.

    Raises:
        ConfigError: If it can't be read, or holds something else.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"regions={path}: can't be read as YAML ({error}).") from error
    return checked_regions(content, place=str(path))


def checked_regions(content: object, *, place: str = "regions") -> dict[str, list[Corner]]:
    """Regions of one's own as polygons, from a mapping of names to corners that stands at a place.

    Raises:
        ConfigError: If it is something else, an unknown landmark is named, or a polygon has too few corners.
    """
    if not isinstance(content, Mapping):
        raise ConfigError(f"{place} should hold lines of the form 'NAME: [[LANDMARK, RIGHT, DOWN], ...]'.")
    return {str(name): _checked(f"{place}: {name}", corners) for name, corners in content.items()}


def _checked(place: str, corners: object) -> list[Corner]:
    names = SCHEMES["face16"].landmark_names
    if not isinstance(corners, Sequence) or isinstance(corners, str) or len(corners) < 3:
        raise ConfigError(f"{place} should be a list of three or more corners [LANDMARK, RIGHT, DOWN], not {corners}.")
    checked: list[Corner] = []
    for corner in corners:
        match corner:
            case [str(landmark), int() | float() as right, int() | float() as down] if landmark in names:
                checked.append((landmark, float(right), float(down)))
            case _:
                raise ConfigError(
                    f"{place}: the corner {corner} should be [LANDMARK, RIGHT, DOWN], the last two in distances of "
                    f"the outer eye corners, with a landmark of {', '.join(names)}."
                )
    return checked
