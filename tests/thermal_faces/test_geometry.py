"""Head surface, shape modes and camera of the synthetic faces."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thermal_faces import SyntheticFaces
from thermal_faces.camera.rasterizer import cell_areas_px
from thermal_faces.camera.view import View, draw_view, rotation, turn
from thermal_faces.head.shape_modes import displace, expression_modes, identity_modes
from thermal_faces.head.surface import mean_head
from thermal_faces.randomness import rng
from thermal_faces.ranges import (
    AnatomyRanges,
    ExpressionRanges,
    PoseRanges,
    settings_from,
)
from thermal_landmarks.data.schemes import get_scheme

NAMES = get_scheme("face16").landmark_names
HAIRLINE_MM = np.array([[0.0, -75.0, 80.0]])
ANGLES = st.floats(-80, 80)


def landmarks(weights: dict[str, float]) -> dict[str, np.ndarray]:
    vertices = displace(weights)
    return {name: vertices[r, c] for name, (r, c) in zip(NAMES, mean_head().landmark_vertices, strict=True)}


def test_mean_head_is_symmetric_and_so_are_its_landmarks() -> None:
    head = mean_head()
    mirrored = head.vertices_mm[:, ::-1] * np.array([-1, 1, 1], np.float32)
    np.testing.assert_allclose(head.vertices_mm, mirrored, atol=1e-3)
    rows, columns = head.landmark_vertices.T
    order = get_scheme("face16").flip_indices
    np.testing.assert_array_equal(rows, rows[order])
    np.testing.assert_array_equal(columns, head.vertices_mm.shape[1] - 1 - columns[order])


def test_every_landmark_is_a_vertex_of_its_own() -> None:
    assert len({tuple(v) for v in mean_head().landmark_vertices}) == 16


@pytest.mark.parametrize(
    ("name", "place"), [("nose_tip", (0.0, 31.6)), ("ala_right", (13.8, 42.0)), ("mouth_left", (-23.4, 68.7))]
)
def test_the_grid_bends_to_have_a_vertex_exactly_at_each_landmark(name: str, place: tuple[float, float]) -> None:
    np.testing.assert_allclose(landmarks({})[name][:2], place, atol=0.05)


def test_mean_face_has_the_proportions_of_anthropometric_tables() -> None:
    points = landmarks({})
    eyes = points["eye_right_outer"][0] - points["eye_left_outer"][0]
    # Depths against the nasion (Farkas; NIOSH head forms), in mm.
    depth = {name: points[name][2] - points["nasion"][2] for name in NAMES}
    assert 1.26 < points["chin"][1] / eyes < 1.38
    assert 20 < depth["nose_tip"] < 29
    assert 6 < depth["subnasale"] < 13
    assert -25 < depth["eye_right_outer"] < -14
    assert depth["ala_right"] < depth["subnasale"] - 4


def test_settings_name_exactly_the_modes_that_exist() -> None:
    assert {*AnatomyRanges().deviations_mm, "eye_bulge"} == set(identity_modes())
    assert set(ExpressionRanges().weights_mm) == set(expression_modes())


@pytest.mark.parametrize("mode", [*identity_modes(), *expression_modes()])
def test_a_mode_moves_the_surface_by_about_its_weight(mode: str) -> None:
    moved = np.linalg.norm(displace({mode: 3.0}) - displace({}), axis=-1)
    assert 1.5 < moved.max() < 6.0


@pytest.mark.parametrize(
    ("mode", "name", "axis", "sign"),
    [
        ("nose_width", "ala_right", 0, 1),
        ("nose_width", "ala_left", 0, -1),
        ("chin_length", "chin", 1, 1),
        ("brow_raise", "brow_left", 1, -1),
        ("smile", "mouth_right", 0, 1),
        ("smile", "mouth_left", 1, -1),
        ("mouth_open", "lower_lip", 1, 1),
        ("nose_projection", "nose_tip", 2, 1),
        ("eye_spacing", "eye_left_inner", 0, -1),
    ],
)
def test_a_mode_does_what_its_name_says(mode: str, name: str, axis: int, sign: int) -> None:
    change = landmarks({mode: 2.0})[name] - landmarks({})[name]
    assert sign * change[axis] > 0.8


def extremes() -> list[tuple[str, float]]:
    anatomy, expression = AnatomyRanges(), ExpressionRanges()
    weights = [(name, sign * 2.5 * size) for name, size in anatomy.deviations_mm.items() for sign in (-1, 1)]
    weights += [(name, limit) for name, limits in expression.weights_mm.items() for limit in limits]
    # Of wild faces, whose lips are thinner than the mean head's and whose eyes stand out.
    weights += [("upper_lip_fullness", -9.75), ("lower_lip_fullness", -9.75), ("eye_bulge", 6.0)]
    return [*weights, ("mouth_open", expression.yawn_mm[1])]


@pytest.mark.parametrize(("mode", "weight"), extremes())
def test_the_front_of_the_face_never_folds_over(mode: str, weight: float) -> None:
    # The underside of the nose may turn away, and the edge of the jaw is the outline.
    x, y = np.moveaxis(mean_head().frontal_mm[:-1, :-1], -1, 0)
    front = (np.abs(x) < 36) & (y > -50) & (y < 95) & ~((np.abs(x) < 20) & (y > 30) & (y < 50))
    assert cell_areas_px(displace({mode: weight})[..., :2])[front].min() > 0


def test_a_yawn_opens_between_the_lips_and_takes_corners_and_chin_along() -> None:
    still, wide = landmarks({}), landmarks({"mouth_open": 35.0})
    moved = {name: wide[name][1] - still[name][1] for name in NAMES}
    assert moved["lower_lip"] > 30
    assert moved["chin"] > 25
    assert 6 < moved["mouth_left"] < 20
    assert abs(moved["upper_lip"]) < 0.5
    assert wide["chin"][2] < still["chin"][2] - 8


@given(yaw=ANGLES, pitch=ANGLES, roll=ANGLES)
def test_rotation_keeps_lengths_and_handedness(yaw: float, pitch: float, roll: float) -> None:
    matrix = rotation(yaw, pitch, roll)
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(3), atol=1e-9)
    assert np.linalg.det(matrix) == pytest.approx(1)
    vectors = np.random.default_rng(0).standard_normal((5, 3)).astype(np.float32)
    np.testing.assert_allclose(turn(vectors, matrix), [matrix @ v for v in vectors], atol=1e-5)


def test_angles_turn_the_face_as_they_say() -> None:
    face = np.array([0.0, 0.0, 1.0])
    assert (rotation(20, 0, 0) @ face)[0] > 0.3
    assert (rotation(0, 20, 0) @ face)[1] < -0.3
    right = np.array([1.0, 0.0, 0.0])
    assert (rotation(0, 0, 20) @ right)[1] > 0.3


@given(seed=st.integers(0, 10**6), yaw=st.floats(0, 60), face_height=st.floats(0.2, 0.7))
@settings(max_examples=40, deadline=None)
def test_views_keep_the_face_inside_and_scale_with_the_frame(seed: int, yaw: float, face_height: float) -> None:
    points_mm = np.array([*landmarks({}).values()])
    ranges = PoseRanges(yaw_deg=(-yaw, yaw), face_height=(face_height, face_height))
    seen = []
    for scale in (1, 2):
        size = (240 * scale, 320 * scale)
        view = draw_view(
            rng(seed, "view"),
            ranges,
            size=size,
            inside_mm=points_mm,
            hairline_mm=HAIRLINE_MM,
            face_height_mm=190.0,
        )
        points = view.project(turn(points_mm, view.head))
        assert (points > -0.5 + 0.029 * size[0]).all()
        assert (points < np.array(size[::-1]) - 0.5 - 0.029 * size[0]).all()
        seen.append((points + 0.5) / scale)
    np.testing.assert_allclose(seen[0], seen[1], atol=1e-3)


def test_projection_is_a_pinhole_camera() -> None:
    view = draw_view(
        rng(1),
        PoseRanges(),
        size=(480, 640),
        inside_mm=np.array([*landmarks({}).values()]),
        hairline_mm=HAIRLINE_MM,
        face_height_mm=190.0,
    )
    for x, y, z in ((0.0, 0.0, 0.0), (50.0, -30.0, 90.0), (-70.0, 20.0, -10.0)):
        depth = view.distance_mm - z
        expected = [view.centre_px[0] + view.focal_px * x / depth, view.centre_px[1] + view.focal_px * y / depth]
        np.testing.assert_allclose(view.project(np.array([x, y, z], np.float32)), expected, rtol=1e-5)


def drawn_views(ranges: PoseRanges, count: int, place_mm: np.ndarray) -> list[View]:
    return [
        draw_view(
            rng(i, "view"),
            ranges,
            size=(480, 640),
            inside_mm=place_mm,
            hairline_mm=HAIRLINE_MM,
            face_height_mm=190.0,
        )
        for i in range(count)
    ]


def test_most_heads_are_nearly_frontal_and_some_are_far_turned() -> None:
    views = drawn_views(PoseRanges(pitch_deg=(0, 0), roll_deg=(0, 0)), 400, np.array([*landmarks({}).values()]))
    yaw_deg = np.degrees([np.arcsin(view.head[0, 2]) for view in views])
    assert np.abs(yaw_deg).max() <= 55
    assert 0.4 < (np.abs(yaw_deg) < 15).mean() < 0.55
    assert 0.15 < (np.abs(yaw_deg) > 30).mean() < 0.27


def test_some_frames_cut_the_face_above_the_brows() -> None:
    points_mm = np.array([*landmarks({}).values()])
    for chance, least, most in ((0.0, 0.0, 0.0), (1.0, 0.1, 0.9)):
        ranges = PoseRanges(hairline_cut=chance, face_height=(0.6, 0.6), pitch_deg=(0, 0))
        tops = [
            view.project(turn(HAIRLINE_MM.astype(np.float32), view.head))[0, 1]
            for view in drawn_views(ranges, 100, points_mm)
        ]
        assert least <= np.mean(np.array(tops) < -0.5) <= most


def test_the_face_fills_the_drawn_share_of_the_frame_at_any_distance() -> None:
    face_mm = np.array([[0, -75, 90], [0, 115, 90]], np.float32)
    straight = PoseRanges(yaw_deg=(0, 0), pitch_deg=(0, 0), roll_deg=(0, 0), face_height=(0.5, 0.5))
    for distance_m in (0.4, 2.5):
        ranges = replace(straight, distance_m=(distance_m, distance_m))
        (view,) = drawn_views(ranges, 1, face_mm)
        top, bottom = view.project(turn(face_mm, view.head))
        assert bottom[1] - top[1] == pytest.approx(240, abs=0.5)


def test_a_lens_shows_a_face_as_large_as_its_distance_says() -> None:
    face_mm = np.array([[0, -75, 90], [0, 115, 90]], np.float32)
    straight = PoseRanges(yaw_deg=(0, 0), pitch_deg=(0, 0), roll_deg=(0, 0), field_of_view_deg=13.3)
    for distance_m in (1.0, 1.5):
        (view,) = drawn_views(replace(straight, distance_m=(distance_m, distance_m)), 1, face_mm)
        top, bottom = view.project(turn(face_mm, view.head))
        seen_mm = 2 * (1000 * distance_m - 90) * np.tan(np.radians(13.3 / 2))  # of the plane of the face
        assert bottom[1] - top[1] == pytest.approx(480 * 190 / seen_mm, rel=1e-3)


def test_a_camera_below_sees_head_and_shoulders_lifted() -> None:
    still = PoseRanges(yaw_deg=(0, 0), pitch_deg=(-5, -5), roll_deg=(0, 0), camera_below_deg=(10, 10))
    (view,) = drawn_views(still, 1, np.array([*landmarks({}).values()]))
    np.testing.assert_allclose(view.head, rotation(0, 5, 0), atol=1e-9)
    np.testing.assert_allclose(view.body, rotation(0, 10, 0), atol=1e-9)


def test_eyes_are_closed_half_open_or_open_in_the_shares_given() -> None:
    source = SyntheticFaces(
        subjects=300,
        images_per_subject=1,
        expression={"eyes_closed": 0.2, "half_open": 0.5, "half_opening": [0.1, 0.3]},
    )
    opening = np.array([source.portrait(i, 0).frame_state.eye_opening for i in range(300)])
    assert 0.13 < (opening == 0).mean() < 0.27
    assert 0.3 < ((opening >= 0.1) & (opening <= 0.3)).mean() < 0.5


def test_yawns_are_rare_wide_and_never_at_rest() -> None:
    for neutral, share in ((0.0, 0.3), (1.0, 0.0)):
        source = SyntheticFaces(subjects=200, images_per_subject=1, expression={"neutral": neutral, "yawn": 0.3})
        opening = np.array([source.portrait(i, 0).frame_state.expression_mm.get("mouth_open", 0.0) for i in range(200)])
        assert (opening > 20).mean() == pytest.approx(share, abs=0.09)


def test_part_of_a_group_of_settings_leaves_the_rest() -> None:
    group = settings_from(AnatomyRanges, {"deviations_mm": {"jaw_width": 9}}, "anatomy")
    assert group.deviations_mm["jaw_width"] == 9
    assert group.deviations_mm["nose_width"] == AnatomyRanges().deviations_mm["nose_width"]
    assert group.scale == AnatomyRanges().scale


def test_faces_mostly_look_at_the_camera_and_turn_as_far_as_allowed() -> None:
    ranges = PoseRanges(pitch_deg=(-10.0, 40.0))
    views = [
        draw_view(
            rng(0, i, "pose"), ranges, size=(480, 640), inside_mm=HAIRLINE_MM, hairline_mm=HAIRLINE_MM,
            face_height_mm=190.0,
        )
        for i in range(400)
    ]  # fmt: skip
    pitch_deg = np.degrees(np.arcsin([view.head[2, 1] for view in views]))
    assert 0.4 < (pitch_deg < 0).mean() < 0.6
    assert (np.abs(pitch_deg) < 5).mean() > 0.4
    assert -10 < pitch_deg.min() < -7
    assert 32 < pitch_deg.max() < 40
