from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thermal_landmarks.data.left_right import count_pairs, swapped_pairs
from thermal_landmarks.data.readers.sftl54 import Sftl54
from thermal_landmarks.data.schemes import get_scheme

# a frontal face in face16's order, by hand
FACE16 = np.array(
    [
        *([30, 20], [70, 20], [20, 32], [42, 33], [58, 33], [80, 32]),  # brows, eyes
        *([50, 30], [50, 52], [40, 58], [50, 60], [60, 58]),  # nose
        *([33, 75], [50, 70], [67, 75], [50, 85], [50, 105]),  # mouth, chin
    ],
    dtype=np.float32,
)
SCHEMES = ["face16", "perinasal6"]


def points(scheme: str) -> np.ndarray:
    return FACE16[get_scheme("face16").index_map(get_scheme(scheme))]


def turned(face: np.ndarray, angle_deg: float, size: float) -> np.ndarray:
    angle = np.deg2rad(angle_deg)
    return size * face @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])


@given(st.sampled_from(SCHEMES), st.floats(-180, 180), st.floats(0.1, 30))
def test_a_face_at_any_roll_and_size_has_nothing_swapped(scheme: str, angle_deg: float, size: float) -> None:
    assert len(swapped_pairs(turned(points(scheme), angle_deg, size), get_scheme(scheme))) == 0


@given(st.sampled_from(SCHEMES), st.floats(-180, 180), st.floats(0.1, 30))
def test_landmarks_of_a_mirrored_image_are_all_swapped(scheme: str, angle_deg: float, size: float) -> None:
    # the image was mirrored, but the landmarks kept their order
    mirrored = turned(points(scheme) * [-1, 1], angle_deg, size)
    assert len(swapped_pairs(mirrored, get_scheme(scheme))) == count_pairs(mirrored, get_scheme(scheme)) > 0


@given(st.integers(0, 5), st.floats(-180, 180))
def test_the_pair_that_changed_places_is_named(which: int, angle_deg: float) -> None:
    scheme = get_scheme("face16")
    pairs = [(0, 1), (2, 5), (3, 4), (8, 10), (11, 13)]
    left, right = pairs[which % len(pairs)]
    face = FACE16.copy()
    face[[left, right]] = face[[right, left]]
    assert swapped_pairs(turned(face, angle_deg, 1.0), scheme).tolist() == [[left, right]]


def test_missing_landmarks_are_left_out() -> None:
    scheme = get_scheme("face16")
    face = FACE16.copy()
    face[[2, 8]] = np.nan
    assert count_pairs(face, scheme) == 3
    assert len(swapped_pairs(face, scheme)) == 0
    face[2:] = np.nan
    assert len(swapped_pairs(face, scheme)) == 0  # too few to tell


@pytest.mark.parametrize("name", ["sftl54", "face16", "perinasal6"])
def test_real_faces_are_upright_and_their_swapped_copies_are_found(shared_data: Path, name: str) -> None:
    source = Sftl54(annotations=shared_data / "sftl54-annotations" / "labels.jsonl")
    scheme = get_scheme(name)
    landmarks = get_scheme("sftl54").index_map(scheme)
    for annotation in source.annotations():
        face = annotation.points_px[landmarks]
        assert len(swapped_pairs(face, scheme)) == 0
        assert len(swapped_pairs(face[scheme.flip_indices], scheme)) >= 0.5 * count_pairs(face, scheme)
