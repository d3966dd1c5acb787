"""Offsets live in the face's own frame."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thermal_landmarks.data.schemes import SCHEMES, get_scheme
from thermal_landmarks.errors import ConfigError
from thermal_landmarks.inference.calibration.offsets import Calibration, in_frame, reference_face

FACE16 = get_scheme("face16")
MIRROR = np.array([-1.0, 1.0])


def symmetric(scheme, generator):
    """Points or offsets of a left-right symmetric face."""
    values = generator.normal(size=(scheme.num_points, 2))
    return (values + values[scheme.flip_indices] * MIRROR) / 2


def some_calibration(scheme=FACE16, seed=0, *, pose=True):
    generator = np.random.default_rng(seed)
    reference = symmetric(scheme, generator)
    slope = symmetric(scheme, generator)
    antisymmetric = generator.normal(size=reference.shape)
    antisymmetric = (antisymmetric - antisymmetric[scheme.flip_indices] * MIRROR) / 2
    return Calibration(
        reference=reference - reference.mean(axis=0),
        offsets=0.05 * symmetric(scheme, generator),
        by_yaw=0.05 * antisymmetric * pose,
        by_pitch=0.05 * slope * pose,
        limits=(0.5, 0.5) if pose else (0.0, 0.0),
        faces=5,
    )


def some_faces(scheme=FACE16, count=4, seed=1):
    generator = np.random.default_rng(seed)
    reference = some_calibration(scheme).reference
    return (reference + 0.1 * generator.normal(size=(count, *reference.shape))) * 40 + [100, 80]


@given(turn=st.floats(-3.0, 3.0), size=st.floats(0.1, 10.0), x=st.floats(-500, 500), y=st.floats(-500, 500))
def test_offsets_turn_grow_and_move_with_the_face(turn, size, x, y):
    calibration, faces = some_calibration(), some_faces()
    rotation = size * np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])

    def moved(points):
        return points @ rotation + [x, y]

    np.testing.assert_allclose(
        calibration.apply(moved(faces), FACE16), moved(calibration.apply(faces, FACE16)), atol=1e-6
    )


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=lambda scheme: scheme.name)
def test_a_mirrored_face_is_moved_as_in_the_mirror(scheme):
    calibration, faces = some_calibration(scheme), some_faces(scheme)

    def mirrored(points):
        return (points * MIRROR)[:, scheme.flip_indices]

    np.testing.assert_allclose(
        calibration.apply(mirrored(faces), scheme), mirrored(calibration.apply(faces, scheme)), atol=1e-8
    )


def test_an_offset_is_a_fraction_of_the_distance_of_the_outer_eye_corners():
    reference = reference_face(some_faces(count=20), FACE16)
    left, right = FACE16.outer_eye_corners
    offsets = np.zeros((16, 2))
    offsets[7] = [0.1, 0.2]
    none = np.zeros((16, 2))
    calibration = Calibration(reference, offsets, none, none, (0.0, 0.0), 3)
    face = reference * 50 + 7
    moved = calibration.apply(face, FACE16) - face
    assert np.linalg.norm(face[left] - face[right]) == pytest.approx(50)
    np.testing.assert_allclose(moved[7], [5, 10])
    assert not np.delete(moved, 7, axis=0).any()


def test_the_reference_face_is_upright_and_symmetric_whatever_the_tilt_of_the_heads():
    turn = 0.5
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    reference = reference_face(some_faces(count=9) @ rotation, FACE16)
    np.testing.assert_allclose(reference[FACE16.flip_indices] * MIRROR, reference, atol=1e-12)
    np.testing.assert_allclose(reference, reference_face(some_faces(count=9), FACE16), atol=0.02)


def test_pose_is_read_from_the_points_of_a_turned_head():
    from thermal_faces.head.surface import mean_head

    head = mean_head()
    points = head.vertices_mm[tuple(head.landmark_vertices.T)].astype(float)

    def seen(yaw_deg, pitch_deg):
        a, b = np.deg2rad([yaw_deg, pitch_deg])
        across = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
        down = np.array([[1, 0, 0], [0, np.cos(b), np.sin(b)], [0, -np.sin(b), np.cos(b)]])
        return (points @ across.T @ down.T)[:, :2]

    reference = reference_face(np.stack([seen(0, 0)] * 2), FACE16)
    poses = [(0, 0), (20, 0), (-20, 0), (0, 15), (0, -15)]
    frame = in_frame(np.stack([seen(*pose) for pose in poses]), reference, FACE16)
    np.testing.assert_allclose(frame.yaw, np.sin(np.deg2rad([yaw for yaw, _ in poses])), atol=0.12)
    np.testing.assert_allclose(frame.pitch, np.sin(np.deg2rad([pitch for _, pitch in poses])), atol=0.12)
    assert frame.yaw[1] == pytest.approx(-frame.yaw[2], abs=1e-6)


def test_beyond_the_poses_that_were_seen_offsets_stay_as_they_are():
    calibration = some_calibration()
    limited = Calibration(**{**vars(calibration), "limits": (0.0, 0.0)})
    without_pose = Calibration(
        **{**vars(calibration), "by_yaw": 0 * calibration.by_yaw, "by_pitch": 0 * calibration.by_pitch}
    )
    faces = some_faces()
    np.testing.assert_array_equal(limited.apply(faces, FACE16), without_pose.apply(faces, FACE16))
    assert np.abs(calibration.apply(faces, FACE16) - limited.apply(faces, FACE16)).max() > 0.01


def test_settings_are_plain_and_bring_it_back():
    calibration = some_calibration()
    again = Calibration.from_settings(calibration.settings, FACE16)
    assert again is not None
    faces = some_faces().astype(np.float32)
    np.testing.assert_array_equal(again.apply(faces, FACE16), calibration.apply(faces, FACE16))
    assert again.apply(faces[0], FACE16).dtype == np.float32
    assert Calibration.from_settings(None, FACE16) is None


@pytest.mark.parametrize(
    "change",
    [{"offsets": [[0.0, 0.0]]}, {"reference": "text"}, {"limits": [1.0]}, {"by_yaw": [[float("nan")] * 2] * 16}],
)
def test_settings_that_do_not_fit_are_named(change):
    with pytest.raises(ConfigError, match="calibration"):
        Calibration.from_settings({**some_calibration().settings, **change}, FACE16)
