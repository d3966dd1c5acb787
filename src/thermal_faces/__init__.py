"""Rendered thermal faces with exact landmarks: still images, scenes and sequences that need no files.

What draws is imported when it is first asked for: commands that only show settings start without the compiler.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from thermal_faces.faces import RENDERER_VERSION, SyntheticFaces
    from thermal_faces.scene.face import SceneFace
    from thermal_faces.scenes import RenderedScene, SyntheticScenes
    from thermal_faces.video.sequence import SyntheticSequence

__all__ = ["RENDERER_VERSION", "RenderedScene", "SceneFace", "SyntheticFaces", "SyntheticScenes", "SyntheticSequence"]

_MODULES = {
    "RenderedScene": "thermal_faces.scenes",
    "SceneFace": "thermal_faces.scene.face",
    "SyntheticScenes": "thermal_faces.scenes",
    "SyntheticSequence": "thermal_faces.video.sequence",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'thermal_faces' has no attribute '{name}'")
    return getattr(import_module(_MODULES.get(name, "thermal_faces.faces")), name)
