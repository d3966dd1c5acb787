"""Every range that the renderer draws from, in groups; `conf/data/synthetic.yaml` shows the same numbers."""

from thermal_faces.ranges.appearance import AppearanceRanges
from thermal_faces.ranges.crowd import CrowdRanges
from thermal_faces.ranges.from_config import settings_from
from thermal_faces.ranges.shape import AnatomyRanges, ExpressionRanges, PoseRanges
from thermal_faces.ranges.skin import TemperatureRanges
from thermal_faces.ranges.surroundings import SceneRanges, SensorRanges

__all__ = [
    "AnatomyRanges",
    "AppearanceRanges",
    "CrowdRanges",
    "ExpressionRanges",
    "PoseRanges",
    "SceneRanges",
    "SensorRanges",
    "TemperatureRanges",
    "settings_from",
]
