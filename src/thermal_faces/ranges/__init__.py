"""Every range that the renderer draws from, in groups: the one home of these numbers, which Hydra takes from here too.

The defaults are as wide as people and cameras differed in renderer 14; `conf/data/synthetic_wild.yaml` widens some,
`conf/data/synthetic.yaml` narrows others to one desk.
"""

from thermal_faces.ranges.appearance import AppearanceRanges
from thermal_faces.ranges.from_config import known_settings, settings_from
from thermal_faces.ranges.shape import AnatomyRanges, ExpressionRanges, PoseRanges
from thermal_faces.ranges.skin import TemperatureRanges
from thermal_faces.ranges.surroundings import ClutterRanges, CrowdRanges, SceneRanges, SensorRanges

GROUPS = {
    "anatomy": AnatomyRanges,
    "expression": ExpressionRanges,
    "pose": PoseRanges,
    "temperature": TemperatureRanges,
    "appearance": AppearanceRanges,
    "scene": SceneRanges,
    "sensor": SensorRanges,
}
"""The groups by the names under which `SyntheticFaces` takes their settings."""

__all__ = [
    "GROUPS",
    "AnatomyRanges",
    "AppearanceRanges",
    "ClutterRanges",
    "CrowdRanges",
    "ExpressionRanges",
    "PoseRanges",
    "SceneRanges",
    "SensorRanges",
    "TemperatureRanges",
    "known_settings",
    "settings_from",
]
