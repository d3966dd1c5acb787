"""The pictures that all peers see: real portraits with `face16` annotations, and rendered faces."""

import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from thermal_faces import SyntheticFaces
from thermal_landmarks.data.annotation import Source, ThermalImage
from thermal_landmarks.data.readers.coco import CocoKeypoints
from thermal_landmarks.data.readers.sftl54 import Sftl54Text
from thermal_landmarks.data.schemes import get_scheme

FACE16 = get_scheme("face16")

# MediaPipe's points nearest to the landmarks of face16, in its order (the public tables from iBUG-68 to its mesh).
MEDIAPIPE = (105, 334, 33, 133, 362, 263, 168, 4, 98, 2, 327, 61, 0, 291, 17, 152)


class Portrait(NamedTuple):
    """One annotated face.

    Attributes:
        image: As a camera gave it.
        points_px: (16, 2) as annotated.
        subject: Who it is.
    """

    image: ThermalImage
    points_px: np.ndarray
    subject: str

    @property
    def gray(self) -> np.ndarray:
        """8 bit, stretched between the percentiles 1 and 99: what peers made for photographs are shown."""
        low, high = np.percentile(self.image.values, (1, 99))
        return np.clip((self.image.values - low) / max(high - low, 1e-6) * 255, 0, 255).astype(np.uint8)


class Method(NamedTuple):
    """What one landmarker gave.

    Attributes:
        points: (face, 16, 2) in pixels; NaN where it found no face.
        ms: CPU time of each picture.
        given: What it got beside the picture.
        parameters: None where they aren't known.
        size: Of its weights, in bytes.
    """

    points: np.ndarray
    ms: np.ndarray
    given: str
    parameters: int | None
    size: int | None


def portraits(source: Source) -> list[Portrait]:
    """All complete faces of a data set that holds the landmarks of `face16`."""
    index = get_scheme(source.scheme).index_map(FACE16)
    found = [(source.load(a), a.points_px[index], a.subject) for a in source.annotations()]
    return [Portrait(*each) for each in found if np.isfinite(each[1]).all()]


def thermal_real(data: Path) -> Source:
    """Four portraits of three people."""
    folder = data / "thermal-real"
    return CocoKeypoints(annotation_file=folder / "annotations.json", image_dir=folder / "images", scheme="face16")


def thermal54(data: Path) -> Source:
    """Two portraits of one man."""
    return Sftl54Text(folder=data / "thermal54", suffix=".npy", unit="fahrenheit")


def rendered(people: int) -> Source:
    """Faces that no shipped network was trained on: another seed."""
    return SyntheticFaces(subjects=people, images_per_subject=1, size=(240, 320), seed=4242)


def meshes(pictures: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray, int]:
    """MediaPipe's points (picture, 478, 2), its CPU milliseconds (picture,) and the bytes of its weights."""
    script = Path(__file__).with_name("mediapipe_mesh.py")
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "pictures.npz", Path(folder) / "meshes.npz"
        np.savez(source, **{str(i): picture for i, picture in enumerate(pictures)})  # type: ignore[arg-type]
        subprocess.run(["uv", "run", "-q", "--no-project", "--script", script, source, target], check=True)
        found = np.load(target)
        return found["points"], found["ms"], int(found["bytes"])
