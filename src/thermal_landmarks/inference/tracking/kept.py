"""What a stopped job goes on from, as JSON holds it and back."""

from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from thermal_landmarks.inference.tracking.track import Track, TrackedFace, Tracklet

_KINDS = {kind.__name__: kind for kind in (Track, TrackedFace, Tracklet)}


def plain(value: Any) -> Any:
    """Numbers, texts, lists and dictionaries instead of arrays, tuples and what `track` defines."""
    if isinstance(value, np.ndarray):
        return {"is": "array", "values": value.tolist()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if is_dataclass(value):
        return {"is": type(value).__name__} | {each.name: plain(getattr(value, each.name)) for each in fields(value)}
    return value


def restored(value: Any) -> Any:
    """What `plain` was made of; tuples come back as lists."""
    if isinstance(value, list):
        return [restored(each) for each in value]
    if not isinstance(value, dict):
        return value
    entries = {key: restored(each) for key, each in value.items() if key != "is"}
    if "is" not in value:
        return entries
    return np.array(entries["values"], dtype=float) if value["is"] == "array" else _KINDS[value["is"]](**entries)
