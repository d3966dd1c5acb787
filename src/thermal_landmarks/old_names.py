"""Names from before version 0.2 that command lines and run folders may still use, for one release."""

import re
from collections.abc import Sequence

TARGETS = {
    "thermal_landmarks.data.synthetic.SyntheticFaces": "thermal_faces.SyntheticFaces",
    "thermal_landmarks.training.callbacks.figures.TestFigures": (
        "thermal_landmarks.training.callbacks.test_results.TestFigures"
    ),
    "thermal_landmarks.training.callbacks.image_table.TestImages": (
        "thermal_landmarks.training.callbacks.test_results.TestImages"
    ),
}
"""What a config builds by `_target_`: then -> now."""

_RECIPES = [
    "dlib_faces",
    "fine_tune",
    "looks",
    "thermal_real",
    "thermal_real_large",
    "thermal_real_perinasal6",
    "zooming",
]
_STUDIES = [
    "comparison",
    "comparison_looks",
    "comparison_lotr",
    "overfit_thermal54",
    "overfit_thermal_real",
    "renderer_ablation",
]
EXPERIMENTS = {name: f"recipes/{name}" for name in _RECIPES} | {name: f"studies/{name}" for name in _STUDIES}
"""`experiment=`: then -> now."""


def todays_experiments(names: str) -> str:
    """One experiment or a list of them, by today's names."""
    return re.sub(r"[\w/-]+", lambda found: EXPERIMENTS.get(found[0], found[0]), names)


def todays_arguments(arguments: Sequence[str]) -> list[str]:
    """What was typed, by today's names."""
    today = []
    for argument in arguments:
        key, equals, value = argument.partition("=")
        chosen = equals and key.lstrip("+") == "experiment"
        today.append(f"{key}={todays_experiments(value)}" if chosen else argument)
    return today
