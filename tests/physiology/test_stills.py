"""Temperatures of regions in still pictures, against those that were painted there."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from thermal_faces import SyntheticFaces
from thermal_landmarks import region_temperatures
from thermal_landmarks.data.annotation import ThermalImage
from thermal_landmarks.data.schemes import SCHEMES
from thermal_landmarks.errors import ConfigError, DataError


@pytest.fixture(scope="module")
def face() -> tuple[np.ndarray, np.ndarray]:
    source = SyntheticFaces(subjects=1, images_per_subject=1, seed=11, pose={"yaw_deg": (-5, 5)})
    return source.render(0, 0), np.array(source.annotation(0, 0).points_px)


def test_a_hot_spot_at_the_eye_corner_is_the_hottest_of_that_region_alone(face) -> None:
    values, points_px = face[0].copy(), face[1]
    inner = points_px[SCHEMES["face16"].landmark_names.index("eye_left_inner")]
    y, x = np.mgrid[: values.shape[0], : values.shape[1]]
    width = np.linalg.norm(points_px[5] - points_px[2])
    values[np.hypot(x - inner[0], y - inner[1]) < 0.05 * width] = 41.0
    found = region_temperatures(ThermalImage(values, "celsius"), points_px)
    assert found["eye_corner_left_hottest"] == pytest.approx(41, abs=0.01)
    assert found["eye_corner_right_hottest"] < 39
    even = region_temperatures(ThermalImage(np.full_like(values, 33.0), "celsius"), points_px)
    assert even["forehead_mean"] == even["nose_tip_hottest"] == pytest.approx(33)
    assert even["cheek_left_spread"] == pytest.approx(0)


def test_regions_outside_the_picture_have_no_temperature(face) -> None:
    values, points_px = face
    below = int(points_px[:2, 1].max())  # the forehead is cut off
    found = region_temperatures(ThermalImage(values[below:], "celsius"), points_px - [0, below])
    assert np.isnan(found["forehead_mean"])
    assert np.isfinite(found["nose_tip_mean"])


def test_gray_levels_are_no_temperatures(face) -> None:
    values, points_px = face
    with pytest.raises(DataError, match="values in 'gray' and no temperatures"):
        region_temperatures(ThermalImage(values, "gray"), points_px)
    with pytest.raises(ConfigError, match="chin needs chin, which"):
        region_temperatures(
            ThermalImage(values, "celsius"),
            points_px[[8, 9, 10, 11, 12, 13]],
            scheme=SCHEMES["perinasal6"],
            regions={"chin": [("chin", 0.0, 0.0)] * 3},
        )


def test_predict_writes_a_row_a_face(face, tmp_path: Path, run_script: Callable[..., Any]) -> None:
    values, points_px = face
    np.save(tmp_path / "face.npy", values)
    (tmp_path / "chin.yaml").write_text("chin: [[chin, -0.1, -0.1], [chin, 0.1, -0.1], [chin, 0, 0.05]]\n")
    settings = ["source=face.npy", "unit=celsius", "temperatures=chin.yaml", "overlays=false", "output=out"]
    result = run_script(["src/predict.py", *settings], cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    table = pd.read_csv(tmp_path / "out" / "temperatures.csv")
    assert table[["image", "face"]].equals(pd.read_csv(tmp_path / "out" / "points.csv")[["image", "face"]])
    true = region_temperatures(ThermalImage(values, "celsius"), points_px)
    assert table["forehead_median"][0] == pytest.approx(true["forehead_median"], abs=0.3)
    assert table["eye_corner_left_hottest"][0] == pytest.approx(true["eye_corner_left_hottest"], abs=0.3)
    assert table["chin_mean"].notna().all()
    assert abs(table["yaw_deg"][0]) < 15
