"""The renderer is a library of its own."""

import subprocess
import sys

from thermal_faces.landmarks import LANDMARKS, SCHEME
from thermal_landmarks.data.schemes import get_scheme

_ALONE = """
import sys
for other in ("thermal_landmarks", "torch", "lightning", "hydra"):
    sys.modules[other] = None  # importing it is an ImportError
from thermal_faces import SyntheticFaces, SyntheticScenes, SyntheticSequence
from thermal_faces.video.files import write_sequence
faces = SyntheticFaces(subjects=1, images_per_subject=1, size=(24, 32))
annotation = faces.annotations()[0]
print(annotation.points_px.shape, faces.load(annotation).values.shape)
"""


def test_the_renderer_works_where_nothing_else_of_this_project_is_installed() -> None:
    done = subprocess.run([sys.executable, "-c", _ALONE], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "(16, 2) (24, 32)"


def test_the_landmarks_of_the_renderer_are_those_of_the_scheme() -> None:
    assert get_scheme(SCHEME).landmark_names == LANDMARKS
