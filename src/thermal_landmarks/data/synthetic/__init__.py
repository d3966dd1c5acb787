"""Rendered thermal faces with exact landmarks: the data set that needs no files."""

from thermal_landmarks.data.synthetic.faces import RENDERER_VERSION, SyntheticFaces

__all__ = ["RENDERER_VERSION", "SyntheticFaces"]
