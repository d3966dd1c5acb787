"""What stored values mean, and where that is said if not in the image file itself."""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from thermal_landmarks.data.formats.notices import say_once

UNITS: dict[str, tuple[float, float]] = {
    "celsius": (1.0, 0.0),
    "centi_celsius": (0.01, 0.0),
    "kelvin": (1.0, -273.15),
    "deci_kelvin": (0.1, -273.15),
    "centi_kelvin": (0.01, -273.15),
    "fahrenheit": (5 / 9, -160 / 9),
}
"""Units of stored values: degrees Celsius = value * scale + offset."""

COUNTS = "counts"
"""The unit of values without a physical meaning; they stay as they are."""

_SEQUENCE = "sequence.json"  # of render_sequence: the unit of its frames
_MOST_FILES, _MOST_BYTES = 20, 32 * 2**20
_COOLEST_C, _LEAST_SPAN_C = (5.0, 33.0), 3.0  # of a room with a person
_WARMEST_C = (30.0, 39.5)
_TELEMETRY_ROWS = 4  # at most, of what Lepton, Boson and Tau write above or below the picture: no temperatures


def infer_unit(path: Path, values: np.ndarray) -> str:
    """The unit of numbers of 16 bits or more that nobody has named, said aloud where it is not `counts`.

    A JSON file beside the image or in the folder above may state it: `NAME.json` with a `unit`, COCO annotations whose
    image entries have one, or `sequence.json`. Else hundredths of a kelvin or of a degree Celsius (of numbers with a
    decimal point: degrees Celsius, kelvins or degrees Fahrenheit) are assumed where the picture then has a room's
    temperatures and ends at those of skin.
    """
    if values.ndim != 2 or values.dtype.kind not in "uif" or values.dtype.itemsize < 2:
        return COUNTS
    stated = _stated_unit(path)
    if stated is not None:
        unit, file = stated
        say_once(path, f"read as {unit}, as {file} says. Set unit=counts for bare values")
        return unit
    edge = _TELEMETRY_ROWS if len(values) > 10 * _TELEMETRY_ROWS else 0
    low, high = (float(v) for v in np.percentile(values[edge : len(values) - edge : 4, ::4], (1, 99.9)))
    for unit in ("celsius", "kelvin", "fahrenheit") if values.dtype.kind == "f" else ("centi_kelvin", "centi_celsius"):
        scale, offset = UNITS[unit]
        coolest_c, warmest_c = low * scale + offset, high * scale + offset
        in_a_room = _COOLEST_C[0] <= coolest_c <= _COOLEST_C[1] and _WARMEST_C[0] <= warmest_c <= _WARMEST_C[1]
        if in_a_room and warmest_c - coolest_c >= _LEAST_SPAN_C:
            say_once(
                path,
                f"its values are assumed to be {unit}, since that gives a room with a person. If this is wrong, set "
                "unit=counts or the right unit; to confirm it, set "
                f"unit={unit}",
            )
            return unit
    return COUNTS


def _stated_unit(path: Path) -> tuple[str, str] | None:
    for beside in (path.with_suffix(".json"), path.with_name(f"{path.name}.json")):
        if beside.is_file():
            unit = _known(_content(beside).get("unit"))
            if unit:
                return unit, beside.name
    for folder in (path.parent, path.parent.parent):
        units = _units_in(folder, _changed(folder))
        found = units.get(path.name) or units.get("")
        if found is not None:
            return found
    return None


def _changed(folder: Path) -> int:
    try:
        return folder.stat().st_mtime_ns
    except OSError:
        return 0


@lru_cache(maxsize=64)
def _units_in(folder: Path, _changed: int) -> dict[str, tuple[str, str]]:
    """The unit of each image by name, and under '' that of all, with the file that says it."""
    units: dict[str, tuple[str, str]] = {}
    for file in sorted(folder.glob("*.json"))[:_MOST_FILES]:
        content = _content(file)
        unit = _known(content.get("unit"))
        if unit and file.name == _SEQUENCE:
            units[""] = unit, file.name
        images = content.get("images")
        for entry in images if isinstance(images, list) else []:
            if isinstance(entry, dict) and isinstance(name := entry.get("file_name"), str):
                unit = _known(entry.get("unit"))
                if unit:
                    units[name.replace("\\", "/").rpartition("/")[2]] = unit, file.name
    return units


def _content(file: Path) -> dict[str, Any]:
    try:
        data = file.read_bytes() if file.stat().st_size <= _MOST_BYTES else b""
        content = json.loads(data) if b'"unit"' in data else {}
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _known(unit: object) -> str | None:
    return unit if isinstance(unit, str) and (unit in UNITS or unit == COUNTS) else None
