"""Some 90 broken tables of boxes and five points: each is read or refused by name."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from robustness.bounds import held_to_bounds
from robustness.broken_tables import BOXES, FIVE_POINTS, broken_tables

from thermal_landmarks.data.five_points import read_five_points
from thermal_landmarks.inference.face_places import read_boxes

READERS: dict[str, tuple[str, Callable[[Path], dict[Path, Any]]]] = {
    "boxes": (BOXES, read_boxes),
    "five points": (FIVE_POINTS, read_five_points),
}


@pytest.mark.parametrize("kind", READERS)
def test_every_broken_table_is_read_or_refused_by_name(kind: str, tmp_path: Path) -> None:
    good, read = READERS[kind]
    file = tmp_path / "table.csv"
    file.write_text(good, encoding="utf-8")
    assert {tmp_path / "a.png", tmp_path / "b.png"} <= set(read(file))
    count = 0
    for what, content in broken_tables(good, seed=0):
        file.write_bytes(content)
        try:
            places, _ = held_to_bounds(lambda: read(file), file.name)
        except Exception as error:
            raise AssertionError(f"{kind}, {what}: {type(error).__name__}: {str(error)[:300]}") from error
        for place in (places or {}).values():
            assert np.isfinite(np.asarray(place, dtype=np.float64)).all(), what
        count += 1
    assert count > 40
