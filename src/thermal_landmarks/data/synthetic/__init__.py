"""Rendered thermal faces with exact landmarks: still images and sequences that need no files."""

from thermal_landmarks.data.synthetic.faces import RENDERER_VERSION, SyntheticFaces
from thermal_landmarks.data.synthetic.sequence import SyntheticSequence

__all__ = ["RENDERER_VERSION", "SyntheticFaces", "SyntheticSequence"]
