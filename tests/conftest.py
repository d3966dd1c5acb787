"""A tiny data set of our own making: warm blobs on a cold ground, one at each landmark."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from thermal_landmarks.data.annotation import Annotation, ThermalImage
from thermal_landmarks.data.schemes import get_scheme

SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"


class BlobFaces:
    """A `Source` whose images show a Gaussian blob at each of the 16 points of a jittered face."""

    scheme = "face16"

    def __init__(self, subjects: int = 6, images_per_subject: int = 2, size: tuple[int, int] = (48, 64)) -> None:
        self.subjects = subjects
        self.images_per_subject = images_per_subject
        self.size = size

    def annotations(self) -> Sequence[Annotation]:
        rng = np.random.default_rng(0)
        height, width = self.size
        columns, rows = np.meshgrid(np.linspace(0.3, 0.7, 4), np.linspace(0.3, 0.7, 4))
        template = np.column_stack([columns.ravel() * width, rows.ravel() * height])
        found = []
        for i in range(self.subjects * self.images_per_subject):
            points = template + rng.uniform(-0.08, 0.08, 2) * [width, height]
            subject = f"s{i // self.images_per_subject}"
            found.append(Annotation(Path(f"blob_{i}.png"), points.astype(np.float32), subject, location=f"blob {i}"))
        return found

    def load(self, annotation: Annotation) -> ThermalImage:
        y, x = np.mgrid[: self.size[0], : self.size[1]]
        values = np.full(self.size, 20.0)
        for i, (px, py) in enumerate(annotation.points_px):
            values += (4 + i) * np.exp(-((x - px) ** 2 + (y - py) ** 2) / (2 * 1.5**2))
        return ThermalImage(values.astype(np.float32), "celsius")

    def fingerprint(self) -> str:
        return f"{self.subjects} {self.images_per_subject} {self.size}"


@pytest.fixture
def blob_faces() -> BlobFaces:
    assert get_scheme(BlobFaces.scheme).num_points == 16
    return BlobFaces()


@pytest.fixture
def shared_data() -> Path:
    if not SHARED_DATA.is_dir():
        pytest.skip(f"no sample data at {SHARED_DATA}")
    return SHARED_DATA
