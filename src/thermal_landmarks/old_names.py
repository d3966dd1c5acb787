"""Names from before version 0.2 that command lines, configs, run folders and studies may still use, for one release.

What someone types or writes is answered with a warning that tells today's name; what was stored is read silently.
"""

import re
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

_CALLBACKS, _LOSSES = "thermal_landmarks.training.callbacks", "thermal_landmarks.training.losses"
_SCHEDULES = "thermal_landmarks.training.schedules"
_MOVED_CALLBACKS = {
    "figures.TestFigures": "test_results.TestFigures",
    "image_table.TestImages": "test_results.TestImages",
    "artifact.BestArtifact": "dashboard.BestArtifact",
    "overlays.ValidationOverlays": "dashboard.ValidationOverlays",
    "step_loss.StepLoss": "dashboard.StepLoss",
}
_PENALTIES = {"Wing": "wing", "SmoothWing": "smooth_wing", "L1": "l1", "L2": "l2", "SmoothL1": "smooth_l1"}

TARGETS: dict[str, dict[str, Any]] = {
    "thermal_landmarks.data.synthetic.SyntheticFaces": {"_target_": "thermal_faces.SyntheticFaces"},
    **{f"{_CALLBACKS}.{then}": {"_target_": f"{_CALLBACKS}.{now}"} for then, now in _MOVED_CALLBACKS.items()},
    f"{_SCHEDULES}.constant": {"_target_": f"{_SCHEDULES}.multistep", "milestones": [], "gamma": 1.0},
    **{
        f"{_LOSSES}.{then}": {"_target_": f"{_LOSSES}.LandmarkLoss", "penalty": now} for then, now in _PENALTIES.items()
    },
}
"""What a config builds by `_target_`: then -> the settings now."""

_STUDIES = ["comparison", "comparison_lotr", "overfit_thermal54", "renderer_ablation"]
_SIZES = ["", "_large", "_perinasal6"]
EXPERIMENTS = {
    **{name: f"recipes/{name}" for name in ["dlib_faces", "fine_tune"]},
    **{name: f"studies/{name}" for name in _STUDIES},
    **{f"{room}thermal_real{size}": f"recipes/real_cameras{size}" for room in ["", "recipes/"] for size in _SIZES},
    **{f"{room}overfit_thermal_real": "studies/overfit_portraits" for room in ["", "studies/"]},
    "looks": "recipes/cascade",
    "recipes/looks": "recipes/cascade",
    "zooming": "recipes/cascade_heatmap",
    "recipes/zooming": "recipes/cascade_heatmap",
    "comparison_looks": "studies/comparison_cascade",
    "studies/comparison_looks": "studies/comparison_cascade",
}
"""`experiment=`: then -> now."""

CHOICES = {("logger", "csv"): "none", ("data", "thermal_real"): "portraits"}
"""Files of other config groups: then -> now."""

GROUPS = {"without": "renderer_ablation/off", "always": "renderer_ablation/on"}
"""Config groups: then -> now."""

SETTINGS = {
    "mirror": "flip_tta",
    "variant": "ablation",
    "choices": "group_choices",
    "search.give_up_after": "search.max_consecutive_failures",
    "data.augmentation.mirror": "data.augmentation.hflip",
    "data.augmentation.close": "data.augmentation.crop_share",
    "data.augmentation.close_rotation_max_deg": "data.augmentation.crop_rotation_max_deg",
    "data.augmentation.close_scale": "data.augmentation.crop_scale",
    "data.augmentation.close_shift": "data.augmentation.crop_shift",
    "data.zoom": "data.cascade",
    "data.cascade.view_size": "data.cascade.crop_size",
    "data.cascade.passes": "data.cascade.stages",
    **{f"group_choices.{old}": f"group_choices.{new}" for old, new in GROUPS.items()},
}
"""Settings: then -> now, one after the other; only the last part of a name changes."""


def todays_experiments(names: str) -> str:
    """One experiment or a list of them, by today's names."""
    return re.sub(r"[\w/-]+", lambda found: EXPERIMENTS.get(found[0], found[0]), names)


def todays_choice(group: str, name: str) -> str:
    """A file of a config group, or several, by today's name."""
    if group == "experiment":
        return todays_experiments(name)
    return CHOICES.get((group, name), name)


def todays_setting(name: str) -> str:
    """A config group or a dotted setting, by today's name."""
    name = GROUPS.get(name, name)
    for old, new in SETTINGS.items():
        if name == old or name.startswith(f"{old}."):
            name = new + name[len(old) :]
    return name


def todays_flat_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Flat settings (`stem.depth`) by today's names, with today's settings of what they build."""
    today: dict[str, Any] = {}
    for key, value in settings.items():
        name = todays_setting(key)
        built = TARGETS.get(value, {}) if name.endswith("_target_") else {}
        section = name.removesuffix("_target_")
        today |= {f"{section}{setting}": new for setting, new in built.items()} if built else {name: value}
    return today


def todays_settings(settings: Mapping[str, Any], *, below: str = "", tell: bool = False) -> dict[str, Any]:
    """A copy of nested settings, which lie `below` a section such as `data`, by today's names; `tell`: warns."""
    today: dict[str, Any] = {}
    for key, value in settings.items():
        then = f"{below}.{key}" if below else key
        now = todays_setting(then)
        if tell and now != then:
            _warn(then, now)
        name = key if now == then else now.rpartition(".")[2]  # a key may hold dots, as in `settings` of reproduce
        if isinstance(value, Mapping):
            earlier = today.get(name)
            value = todays_settings(value, below=now, tell=tell)
            value = {**earlier, **value} if isinstance(earlier, dict) else value
        today[name] = value
    return today


def todays_arguments(arguments: Sequence[str]) -> list[str]:
    """What was typed, by today's names; warns of each old one."""
    today = []
    for argument in arguments:
        found = re.fullmatch(r"([+~]{0,2})([\w./-]+)(@[^=]*)?(=.*)?", argument, flags=re.DOTALL)
        if not found or argument.startswith("-"):
            today.append(argument)
            continue
        sign, key, package, value = (part or "" for part in found.groups())
        now = todays_setting(key)
        chosen = f"={todays_choice(key, value[1:])}" if value else value
        if now != key:
            _warn(f"{key}=", f"{now}=")
        if chosen != value:
            _warn(f"{key}{value}", f"{key}{chosen}")
        today.append(f"{sign}{now}{package}{chosen}")
    return today


def _warn(old: str, new: str) -> None:
    warnings.warn(f"{old} is now {new}; the old name works in this release only.", FutureWarning, stacklevel=3)
