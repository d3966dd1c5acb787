"""Facial landmarks in thermal images and video.

What predicts is imported when it is first asked for: the version, the runtime and `--help` want no PyTorch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from thermal_landmarks.data.formats.displayed import as_heat
    from thermal_landmarks.data.formats.images import read_image
    from thermal_landmarks.data.video import latest_frames, open_video
    from thermal_landmarks.inference.face import Face
    from thermal_landmarks.inference.head_pose import head_pose_deg
    from thermal_landmarks.inference.predictor import Predictor
    from thermal_landmarks.inference.tracking.track import TrackedFace
    from thermal_landmarks.inference.tracking.tracker import Tracker
    from thermal_landmarks.physiology.stills import region_temperatures
    from thermal_landmarks.runtime import ExportedFaces

__version__ = "0.1.0"

__all__ = [
    "ExportedFaces",
    "Face",
    "Predictor",
    "TrackedFace",
    "Tracker",
    "__version__",
    "as_heat",
    "head_pose_deg",
    "latest_frames",
    "open_video",
    "read_image",
    "region_temperatures",
]

_MODULES = {
    "ExportedFaces": "runtime",
    "Face": "inference.face",
    "Predictor": "inference.predictor",
    "TrackedFace": "inference.tracking.track",
    "Tracker": "inference.tracking.tracker",
    "as_heat": "data.formats.displayed",
    "head_pose_deg": "inference.head_pose",
    "latest_frames": "data.video",
    "open_video": "data.video",
    "read_image": "data.formats.images",
    "region_temperatures": "physiology.stills",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'thermal_landmarks' has no attribute '{name}'")
    return getattr(import_module(f"thermal_landmarks.{_MODULES[name]}"), name)
