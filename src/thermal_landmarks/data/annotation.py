"""The interface that every data source offers; the values that it gives are those of the renderer."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol

from thermal_faces.annotation import Annotation, ThermalImage, Unit

__all__ = ["NO_DATA", "Annotation", "Source", "ThermalImage", "Unit", "by_image"]

NO_DATA = 1e30
"""Values from here on, of either sign, are marks of missing values in float images, never measured ones."""


class Source(Protocol):
    """A data set: a file reader or a renderer. Picklable, since images are loaded in worker processes."""

    @property
    def scheme(self) -> str:
        """Of the landmarks."""

    def annotations(self) -> Sequence[Annotation]:
        """All annotations, in a stable order; they may be computed when asked for, in the process that asks.

        Raises:
            DataError: If the annotation files can't be read; names file, place, finding and remedy.
        """

    def load(self, annotation: Annotation) -> ThermalImage:
        """The image of one annotation.

        Raises:
            DataError: If the image can't be read; names the file, the finding and the remedy.
        """

    def fingerprint(self) -> str:
        """Changes when the content of the data set or a setting that alters its images changes."""


def by_image(annotations: Iterable[Annotation]) -> dict[Path, list[Annotation]]:
    """The faces of each image, in the order of both."""
    faces: dict[Path, list[Annotation]] = {}
    for annotation in annotations:
        faces.setdefault(annotation.image, []).append(annotation)
    return faces
