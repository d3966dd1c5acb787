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


def turned(face: np.ndarray, angle_deg: float, size: float) -> np.ndarray:
    angle = np.deg2rad(angle_deg)
    return size * face @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])


@given(st.sampled_from(["face16", "perinasal6"]), st.floats(-180, 180), st.floats(0.1, 30))
def test_at_any_roll_and_size_a_face_has_nothing_swapped_and_its_mirror_image_all(
    name: str, angle_deg: float, size: float
) -> None:
    scheme = get_scheme(name)
    face = FACE16[get_scheme("face16").index_map(scheme)]
    assert len(swapped_pairs(turned(face, angle_deg, size), scheme)) == 0
    mirrored = turned(face * [-1, 1], angle_deg, size)  # the image was mirrored, but the landmarks kept their order
    assert len(swapped_pairs(mirrored, scheme)) == count_pairs(mirrored, scheme) > 0


@given(st.sampled_from([(0, 1), (2, 5), (3, 4), (8, 10), (11, 13)]), st.floats(-180, 180))
def test_the_pair_that_changed_places_is_named(pair: tuple[int, int], angle_deg: float) -> None:
    face = FACE16.copy()
    face[[*pair]] = face[[*pair[::-1]]]
    assert swapped_pairs(turned(face, angle_deg, 1.0), get_scheme("face16")).tolist() == [[*pair]]


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
    for annotation in source.annotations()[::6]:
        face = annotation.points_px[landmarks]
        assert len(swapped_pairs(face, scheme)) == 0
        assert len(swapped_pairs(face[scheme.flip_indices], scheme)) >= 0.5 * count_pairs(face, scheme)
