"""A group of ranges from what a config gives, and the ranges that came after renderer 14.

These are off unless a config turns them on. Studies that run for days keep their pictures and caches: whoever leaves
such a range at its default gets the same pixels and the same fingerprint as before it existed.
"""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar

from thermal_faces.errors import ConfigError

Settings = TypeVar("Settings")

LATER = {"came after": "renderer 14"}
"""Metadata of the field of such a range; its default changes nothing of the pictures."""


def settings_from(kind: type[Settings], given: Settings | Mapping[str, Any] | None, name: str) -> Settings:
    """A group of ranges from a mapping (as a config gives it), from an instance, or the defaults.

    A mapping inside the group (`regions_k`, `deviations_mm`, ...) may give some of its entries; the others keep theirs.

    Raises:
        ConfigError: If a setting isn't known, or a pair isn't two numbers in ascending order.
    """
    if given is not None and not isinstance(given, Mapping):
        return given
    defaults = kind()
    merged: dict[str, Any] = {}
    known = {f.name for f in fields(kind)}  # type: ignore[arg-type]
    for key, value in (given or {}).items():
        if key not in known:
            raise ConfigError(f"{name}.{key} is not a setting. Known: {', '.join(sorted(known))}.")
        default = getattr(defaults, key)
        if isinstance(default, Mapping):
            unknown = sorted(set(value) - set(default))
            if unknown:
                raise ConfigError(f"{name}.{key}.{unknown[0]} is not a setting. Known: {', '.join(sorted(default))}.")
            merged[key] = {**default, **{k: _checked(v, default[k], f"{name}.{key}.{k}") for k, v in value.items()}}
        else:
            merged[key] = _checked(value, default, f"{name}.{key}")
    return kind(**merged)


def _checked(value: Any, default: Any, name: str) -> Any:
    if not isinstance(default, tuple):
        return float(value)
    pair = tuple(float(v) for v in value) if not isinstance(value, (int, float, str)) else ()
    if len(pair) != 2 or pair[0] > pair[1]:
        raise ConfigError(f"{name}={value} should be a pair [lowest, highest].")
    return pair


def known_settings(group: Any) -> Mapping[str, Any]:
    """All settings of a group of ranges, or of several in one, without later ones that are at their defaults."""
    known = {}
    later = later_defaults(type(group))
    for each in fields(group):
        value = getattr(group, each.name)
        if each.name not in later or value != later[each.name]:
            known[each.name] = known_settings(value) if is_dataclass(value) else value
    return known


def later_defaults(group: Any) -> Mapping[str, Any]:
    """The later ranges of a group, and the defaults at which they change nothing."""
    return {each.name: each.default for each in fields(group) if each.metadata == LATER}
