"""The sheet of rendered scenes."""

import numpy as np
import pytest
from scene_sheet import FACE, IGNORED, VISIBLE, scene_sheet

from thermal_faces import RenderedScene, SceneFace
from thermal_landmarks.errors import ConfigError


def face(*, is_face: bool) -> SceneFace:
    points = np.full((16, 2), 20, np.float32)
    return SceneFace(points, np.ones(16, bool), (10, 5, 30, 45), 0.0, 0.0, 0.0, 0.0, is_face)


def test_boxes_and_points_are_drawn_where_they_are_on_the_tile() -> None:
    gray = RenderedScene(np.full((50, 60), 100, np.float32), "gray", (face(is_face=True),))
    warm = np.linspace(20, 30, 3000, dtype=np.float32).reshape(50, 60)
    celsius = RenderedScene(warm, "celsius", (face(is_face=False),))
    sheet = np.asarray(scene_sheet([gray, celsius, gray], columns=2, tile_px=(100, 120)))
    assert sheet.shape == (200, 240, 3)
    assert tuple(sheet[10, 40]) == tuple(sheet[90, 60]) == tuple(sheet[110, 40]) == FACE
    assert tuple(sheet[10, 120 + 40]) == IGNORED
    assert tuple(sheet[40, 40]) == VISIBLE
    assert tuple(sheet[60, 100]) == (100, 100, 100)
    # Temperatures are stretched from black to white.
    assert sheet[0, 120].max() < 5
    assert sheet[99, 239].min() > 250


def test_a_sheet_of_nothing_is_refused() -> None:
    with pytest.raises(ConfigError, match="at least one scene"):
        scene_sheet([])
