"""LOTR: necks, the transformer over landmark queries, and its head. Importing the room fills the registries."""

from thermal_landmarks.models.lotr import branch, head, stems

__all__ = ["branch", "head", "stems"]
