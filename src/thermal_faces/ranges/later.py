"""Ranges that came after renderer 14, and are off unless a config turns them on.

Studies that run for days keep their pictures and caches: whoever leaves such a range at its default gets the same
pixels and the same fingerprint as before it existed.
"""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

LATER = {"came after": "renderer 14"}
"""Metadata of the field of such a range; its default changes nothing of the pictures."""


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
