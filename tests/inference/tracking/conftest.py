"""The shipped network, and one rendered face that stands before it."""

import numpy as np
import pytest

from thermal_faces import SyntheticFaces
from thermal_landmarks.inference.predictor import Predictor

SIZE = (180, 240)


@pytest.fixture(scope="package")
def predictor() -> Predictor:
    return Predictor.from_checkpoint("thermal_real", device="cpu", speed="balanced")


@pytest.fixture(scope="package")
def still() -> tuple[np.ndarray, np.ndarray]:
    """The picture in degrees Celsius and the true points."""
    pose = {"face_height": (0.5, 0.55), "position_x": (0.45, 0.5), "yaw_deg": (-5, 5), "pitch_deg": (-5, 5)}
    faces = SyntheticFaces(subjects=1, images_per_subject=1, size=SIZE, seed=11, pose=pose)
    return faces.render(0, 0), faces.annotations()[0].points_px
