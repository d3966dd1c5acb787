"""Synthetic faces: the picture shows what the annotation says, and nothing but the seed decides what is seen."""

import pickle
from collections.abc import Iterator
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thermal_faces import SyntheticFaces, faces
from thermal_faces.head.shape_modes import expression_modes
from thermal_landmarks.data.schemes import get_scheme
from thermal_landmarks.errors import ConfigError, DataError

PLAIN: dict[str, Any] = {
    "appearance": dict.fromkeys(
        (
            "glasses_owner",
            "beard",
            "cap",
            "peaked_cap",
            "head_band",
            "hood",
            "scarf",
            "high_collar",
            "mask",
            "occluder",
        ),
        0,
    ),
    "sensor": {
        **dict.fromkeys(("interpolated", "motion", "sharpened", "eight_bit"), 0),
        **{key: [0, 0] for key in ("noise_k", "pattern_k", "vignette_k", "shading_k", "offset_k")},
        "blur_px": [0.5, 0.5],
    },
    "scene": dict.fromkeys(("warm_object", "cold_object", "lamp", "hot_room", "outdoors"), 0),
}


def spot_centroid(difference: np.ndarray, near: np.ndarray, reach: int) -> np.ndarray:
    """Centroid of what the markers add to the picture around a point, by plain loops over its pixels."""
    x0, y0 = np.rint(near).astype(int)
    peak = max(float(difference[max(y0 - 2, 0) : y0 + 3, max(x0 - 2, 0) : x0 + 3].max()), 0.1)
    total, moment = 0.0, np.zeros(2)
    for y in range(max(y0 - reach, 0), min(y0 + reach + 1, difference.shape[0])):
        for x in range(max(x0 - reach, 0), min(x0 + reach + 1, difference.shape[1])):
            weight = max(float(difference[y, x]) - 0.4 * peak, 0.0)
            total += weight
            moment += weight * np.array([x, y])
    return moment / total


def marker_errors_px(seed: int, **changes: Any) -> Iterator[float]:
    arguments: dict[str, Any] = {"subjects": 4, "images_per_subject": 3, "seed": seed, **PLAIN, **changes}
    plain, marked = SyntheticFaces(**arguments), SyntheticFaces(**arguments, markers=True)
    for annotation in plain.annotations()[::5]:
        difference = marked.load(annotation).values - plain.load(annotation).values
        points = annotation.points_px
        assert annotation.visible is not None
        for i in np.flatnonzero(annotation.visible):
            gap = np.linalg.norm(np.delete(points, i, axis=0) - points[i], axis=1).min()
            # Spots that run into each other have no centroid of their own.
            if gap > 11:
                centroid = spot_centroid(difference, points[i], reach=int(gap / 2))
                yield float(np.linalg.norm(centroid - points[i]))


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_marker_spots_on_the_surface_are_rendered_at_the_landmarks(seed: int) -> None:
    # Of small faces and of landmarks on the outline the spots are too small for a centroid.
    errors = list(marker_errors_px(seed, pose={"yaw_deg": [-38, 38], "face_height": [0.35, 0.9]}))
    assert len(errors) > 20
    assert max(errors) < 0.7


def test_markers_of_a_small_picture_are_at_its_landmarks() -> None:
    errors = list(marker_errors_px(5, size=(360, 480)))
    assert len(errors) > 10
    assert max(errors) < 0.7


def test_same_seed_gives_the_same_pixels_in_any_order() -> None:
    first, second = (SyntheticFaces(subjects=3, images_per_subject=2, size=(120, 160)) for _ in range(2))
    forward = [first.load(a).values for a in first.annotations()]
    backward = [second.load(a).values for a in reversed(second.annotations())][::-1]
    for a, b in zip(forward, backward, strict=True):
        np.testing.assert_array_equal(a, b)


def test_pictures_do_not_depend_on_how_many_there_are() -> None:
    few = SyntheticFaces(subjects=2, images_per_subject=1, size=(96, 128))
    many = SyntheticFaces(subjects=9, images_per_subject=4, size=(96, 128))
    np.testing.assert_array_equal(few.render(1, 0), many.render(1, 0))
    assert few.fingerprint() != many.fingerprint()


def test_another_size_shows_the_same_scene() -> None:
    large = SyntheticFaces(subjects=3, images_per_subject=2, size=(480, 640), **PLAIN)
    small = SyntheticFaces(subjects=3, images_per_subject=2, size=(240, 320), **PLAIN)
    for a, b in zip(large.annotations(), small.annotations(), strict=True):
        np.testing.assert_allclose((a.points_px + 0.5) / 2, b.points_px + 0.5, atol=0.01)
    image = large.render(0, 0).reshape(240, 2, 320, 2).mean(axis=(1, 3))
    assert np.abs(image - small.render(0, 0)).mean() < 0.15


@given(seed=st.integers(0, 10_000))
@settings(max_examples=15, deadline=None)
def test_every_face_is_inside_the_frame_and_anatomically_in_order(seed: int) -> None:
    source = SyntheticFaces(subjects=2, images_per_subject=2, size=(240, 320), seed=seed)
    scheme = get_scheme("face16")
    index = {name: i for i, name in enumerate(scheme.landmark_names)}
    for annotation in source.annotations():
        points = annotation.points_px
        assert points.shape == (16, 2)
        assert points.dtype == np.float32
        assert (points >= -0.5).all()
        assert (points <= [319.5, 239.5]).all()
        eyes = points[index["eye_right_outer"]] - points[index["eye_left_outer"]]
        across = eyes / np.linalg.norm(eyes)
        down = np.array([-across[1], across[0]])
        order = ["nasion", "nose_tip", "subnasale", "upper_lip", "lower_lip", "chin"]
        depth = [points[index[name]] @ down for name in order]
        # The tip of a bowed head, or a drooping one, may hang before the subnasale.
        depth[1] -= min(max(depth[1] - depth[2], 0), 0.08 * np.linalg.norm(eyes))
        assert depth == sorted(depth)
        for pair in ("brow", "ala", "mouth"):
            assert (points[index[f"{pair}_right"]] - points[index[f"{pair}_left"]]) @ across > 0


@given(seed=st.integers(0, 10_000))
@settings(max_examples=8, deadline=None)
def test_temperatures_are_those_of_people_in_a_room(seed: int) -> None:
    source = SyntheticFaces(subjects=1, images_per_subject=1, size=(240, 320), seed=seed, **PLAIN)
    image = source.render(0, 0)
    assert image.dtype == np.float32
    assert np.isfinite(image).all()
    assert image.min() > 14
    assert image.max() < 40
    points = source.annotations()[0].points_px
    forehead = (points[0] + points[1]) / 2
    x, y = np.rint(forehead).astype(int)
    assert 30 < np.median(image[y - 2 : y + 3, x - 2 : x + 3]) < 38
    assert np.percentile(image, 5) < 28


def test_the_face_is_warmer_than_the_room_where_the_box_says() -> None:
    source = SyntheticFaces(subjects=6, images_per_subject=1, size=(240, 320), **PLAIN)
    for annotation in source.annotations():
        assert annotation.box_px is not None
        left, top, right, bottom = (int(np.clip(v, 0, 319)) for v in annotation.box_px)
        image = source.load(annotation).values
        assert np.median(image[max(top, 0) : bottom, left:right]) > np.median(image[:, [0, 1, -2, -1]]) + 3


def test_subjects_differ_more_in_shape_than_a_subject_from_itself() -> None:
    source = SyntheticFaces(
        subjects=8,
        images_per_subject=4,
        pose={
            "yaw_deg": [0, 0],
            "pitch_deg": [0, 0],
            "roll_deg": [0, 0],
            "distance_m": [1, 1],
            "face_height": [0.5, 0.5],
        },
        expression={"neutral": 1.0},
    )
    shapes = np.array([a.points_px - a.points_px.mean(axis=0) for a in source.annotations()]).reshape(8, 4, 16, 2)
    within = shapes.std(axis=1).max()
    between = shapes.mean(axis=1).std(axis=0).mean()
    assert within < 0.05
    assert between > 1.0


def test_turned_head_hides_the_far_side() -> None:
    source = SyntheticFaces(subjects=10, images_per_subject=1, pose={"yaw_deg": [70, 70], "pitch_deg": [0, 0]})
    names = get_scheme("face16").landmark_names
    far, near = names.index("eye_right_outer"), names.index("eye_left_outer")
    visible = np.array([a.visible for a in source.annotations()])
    assert visible[:, far].mean() < 0.2
    assert visible[:, near].mean() > 0.7


def test_open_mouth_lowers_lip_and_chin() -> None:
    still = {"neutral": 0.0, "active": 1.0, "eyes_closed": 0.0}
    others = {mode: [0, 0] for mode in expression_modes() if mode != "mouth_open"}
    pose = {"yaw_deg": [0, 0], "pitch_deg": [0, 0], "roll_deg": [0, 0]}
    names = get_scheme("face16").landmark_names
    gaps = []
    for opening in ([0, 0], [15, 15]):
        weights = {**others, "mouth_open": opening}
        source = SyntheticFaces(
            subjects=1, images_per_subject=1, expression={**still, "weights_mm": weights}, pose=pose
        )
        points = source.annotations()[0].points_px
        eyes = np.linalg.norm(points[2] - points[5])
        gaps.append((points[names.index("lower_lip"), 1] - points[names.index("upper_lip"), 1]) / eyes)
    assert gaps[1] > gaps[0] + 0.1


def test_the_source_survives_pickling() -> None:
    source = SyntheticFaces(subjects=2, images_per_subject=1, size=(96, 128), seed=3)
    copy = pickle.loads(pickle.dumps(source))
    assert copy.fingerprint() == source.fingerprint()
    np.testing.assert_array_equal(copy.render(1, 0), source.render(1, 0))


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 1},
        {"size": (240, 320)},
        {"subjects": 5},
        {"markers": True},
        {"pose": {"yaw_deg": [0, 10]}},
        {"anatomy": {"deviations_mm": {"nose_width": 9}}},
        {"sensor": {"noise_k": [0.0, 0.1]}},
    ],
)
def test_fingerprint_changes_with_every_setting(change: dict) -> None:
    assert SyntheticFaces(**change).fingerprint() != SyntheticFaces().fingerprint()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"pose": {"jaw_deg": [0, 1]}}, "pose.jaw_deg is not a setting. Known: .*yaw_deg"),
        ({"pose": {"yaw_deg": [10, -10]}}, "pose.yaw_deg=.*lowest, highest"),
        ({"temperature": {"regions_k": {"nos": [0, 1]}}}, "regions_k.nos is not a setting. Known: .*nose"),
        ({"subjects": 0}, "subjects=0"),
        ({"size": (8, 8)}, "size="),
    ],
)
def test_wrong_settings_are_named_with_what_is_known(change: dict, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        SyntheticFaces(**change)


def test_foreign_annotation_is_refused() -> None:
    annotation = SyntheticFaces(subjects=5, images_per_subject=1).annotations()[4]
    with pytest.raises(DataError, match="subject_00004"):
        SyntheticFaces(subjects=2, images_per_subject=1).load(annotation)


def test_the_geometry_of_an_image_is_computed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    counted = Mock(wraps=faces.draw_view)
    monkeypatch.setattr(faces, "draw_view", counted)
    source = SyntheticFaces(subjects=1, images_per_subject=2, size=(32, 40), seed=11)
    for annotation in source.annotations():
        source.load(annotation)
    assert counted.call_count == 2
