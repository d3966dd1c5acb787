"""Angles of rendered heads against those that they were rendered with."""

import numpy as np
import pytest

from thermal_faces import SyntheticFaces
from thermal_faces.camera.view import rotation
from thermal_faces.head.surface import mean_head
from thermal_landmarks.data.schemes import SCHEMES
from thermal_landmarks.inference.head_pose import head_pose_deg

FACE16 = SCHEMES["face16"]


@pytest.mark.parametrize("angles", [(0, 0, 0), (30, 0, 0), (0, -20, 0), (0, 0, 40), (-35, 15, -20)])
def test_the_mean_head_has_the_angles_that_it_was_turned_by(angles: tuple[float, float, float]) -> None:
    head = mean_head()
    rows, columns = head.landmark_vertices.T
    places_mm = head.vertices_mm[rows, columns]
    turned = (places_mm - places_mm.mean(axis=0)) @ rotation(*angles).T
    seen_px = 100 + 800 * turned[:, :2] / (1000 - turned[:, 2:])  # with perspective, from a metre
    assert head_pose_deg(seen_px, FACE16) == pytest.approx(angles, abs=2)


def test_rendered_people_are_turned_as_the_renderer_says() -> None:
    faces = SyntheticFaces(subjects=40, images_per_subject=1, seed=3)
    errors = []
    for subject in range(40):
        portrait = faces.portrait(subject, 0)
        points_px, _ = portrait.landmarks()
        m = portrait.view.head
        true = np.degrees([np.arctan2(-m[2, 0], m[2, 2]), np.arcsin(m[2, 1]), np.arctan2(-m[0, 1], m[1, 1])])
        errors.append(np.abs(np.array(head_pose_deg(points_px, FACE16)) - true))
    yaw, pitch, roll = np.mean(errors, axis=0)
    assert yaw < 4
    assert pitch < 6
    assert roll < 2


def test_what_cannot_be_told_is_no_number() -> None:
    nothing = np.full((16, 2), np.nan)
    assert np.isnan(head_pose_deg(nothing, FACE16)).all()
    assert np.isnan(head_pose_deg(np.zeros((6, 2)), SCHEMES["perinasal6"])).all()
