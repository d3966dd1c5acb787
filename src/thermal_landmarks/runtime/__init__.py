"""Landmarks from an exported file, with NumPy and ONNX Runtime alone."""

from thermal_landmarks.inference.face import Face
from thermal_landmarks.runtime.exported import ExportedFaces

__all__ = ["ExportedFaces", "Face"]
