"""Rendered thermal faces with exact landmarks: still images and sequences that need no files."""

from thermal_faces.faces import RENDERER_VERSION, SyntheticFaces
from thermal_faces.scenes import RenderedScene, SceneFace, SyntheticScenes
from thermal_faces.video.sequence import SyntheticSequence

__all__ = ["RENDERER_VERSION", "RenderedScene", "SceneFace", "SyntheticFaces", "SyntheticScenes", "SyntheticSequence"]
