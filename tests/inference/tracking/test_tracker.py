"""The tracker with the shipped networks, on a rendered face that moves."""

import json
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from scipy.ndimage import shift

from thermal_landmarks.data.annotation import ThermalImage
from thermal_landmarks.data.face_frames import box_around, expected_points
from thermal_landmarks.data.schemes import get_scheme
from thermal_landmarks.inference.predictor import Predictor
from thermal_landmarks.inference.tracking.following import is_part_of
from thermal_landmarks.inference.tracking.kept import plain, restored
from thermal_landmarks.inference.tracking.roll import Late, Settled
from thermal_landmarks.inference.tracking.steadying import FRAMES
from thermal_landmarks.inference.tracking.track import TrackedFace
from thermal_landmarks.inference.tracking.tracker import Tracker
from thermal_landmarks.models.checkpoint import load_checkpoint

SIZE = (180, 240)
STEP_PX = 3.0


def frame(still: np.ndarray, step: int) -> ThermalImage:
    return ThermalImage(shift(still, (0, STEP_PX * step), order=1, mode="nearest"), "celsius")


def empty() -> ThermalImage:
    noise = np.random.default_rng(0).normal(22, 0.1, SIZE)
    return ThermalImage(noise.astype(np.float32), "celsius")


def track(tracker: Tracker, images: Sequence[ThermalImage | None]) -> list[list[TrackedFace]]:
    """The faces of each frame once it is settled who they are; None: a blind frame."""
    late = Late(tracker.fps, 16)
    settled: list[Settled] = []
    for image in images:
        sightings = None if image is None else tracker.see(image)
        if image is None:
            tracker.blind()
        late.add(tracker.frame, tracker.frame, 0.0, sightings)
        settled += late.settled(tracker.tracklets)
    tracker.conclude()
    return [faces for *_, faces in [*settled, *late.settled(tracker.tracklets)]]


def test_a_face_that_moves_keeps_its_number_and_its_points(predictor, still) -> None:
    values, points = still
    tracks = track(Tracker(predictor, find_every=50), [frame(values, step) for step in range(8)])
    eyes = np.linalg.norm(points[2] - points[5])
    assert len(tracks) == 8
    for step, faces in enumerate(tracks):
        (face,) = faces
        assert face.track == 0
        assert np.linalg.norm(face.points_px - points - [STEP_PX * step, 0], axis=1).mean() < 0.12 * eyes
    first, last = tracks[0][0].points_px, tracks[-1][0].points_px
    assert np.abs(last - first - [STEP_PX * 7, 0]).mean() < 0.03 * eyes


def test_a_gain_that_flickers_moves_no_points(predictor, still) -> None:
    values, points = still
    generator, images = np.random.default_rng(4), []
    for _ in range(5):
        low = values.min() - generator.uniform(0, 10)
        levels = (values - low) / (values.max() + generator.uniform(0, 10) - low) * 255
        images.append(ThermalImage(levels.round().astype(np.float32), "gray"))
    seen = np.array([face.points_px for (face,) in track(Tracker(predictor, find_every=50), images)])
    assert np.linalg.norm(np.diff(seen, axis=0), axis=2).mean() < 0.01 * np.linalg.norm(points[2] - points[5])


@pytest.mark.parametrize("quarters", [1, 3])
def test_a_face_that_lies_on_its_side_is_found_and_followed(predictor, still, quarters: int) -> None:
    values, points = still
    lying = ThermalImage(np.ascontiguousarray(np.rot90(values, quarters)), "celsius")
    x, y = points.T
    true = np.stack([y, SIZE[1] - 1 - x] if quarters == 1 else [SIZE[0] - 1 - y, x], axis=1)
    tracks = track(Tracker(predictor, fps=2.0), [lying] * 5)
    assert [[face.flag for face in faces] for faces in tracks] == [["ok"]] * 5
    assert np.linalg.norm(tracks[-1][0].points_px - true, axis=1).mean() < 0.12 * np.linalg.norm(points[2] - points[5])


def test_an_ear_is_no_face_of_its_own() -> None:
    face, ear, behind, as_large = (40, 20, 100, 100), (96, 50, 106, 70), (110, 50, 130, 70), (50, 30, 110, 110)
    assert [is_part_of(box, np.array(face)) for box in (ear, behind, as_large)] == [True, False, False]


@pytest.mark.parametrize("first", ["upright", "lying"])
def test_a_face_that_lies_is_found_beside_an_upright_one_and_the_other_way(predictor, still, first: str) -> None:
    both = np.full((SIZE[1], sum(SIZE)), np.median(still[0]), dtype=np.float32)
    alone = both.copy()
    places = {
        "upright": (slice(0, SIZE[0]), slice(0, SIZE[1])),
        "lying": (slice(0, SIZE[1]), slice(SIZE[1], sum(SIZE))),
    }
    both[places["upright"]], both[places["lying"]] = still[0], np.rot90(still[0])
    alone[places[first]] = both[places[first]]
    images = [ThermalImage(alone, "celsius")] * 4 + [ThermalImage(both, "celsius")] * 6
    tracks = track(Tracker(predictor, fps=2.0), images)
    assert [len(faces) for faces in tracks[:4]] == [1] * 4
    assert [face.flag for face in tracks[-1]] == ["ok", "ok"]


def test_points_between_a_face_and_one_that_appears_beside_it_are_doubtful_at_once(predictor, still) -> None:
    values, points = still
    by = round(0.8 * np.ptp(points[:, 0]) + 0.1 * SIZE[1])
    seam = round(points[:, 0].max()) + 5
    both = np.where(np.arange(SIZE[1]) < seam, values, shift(values, (0, by), order=1, mode="nearest"))
    tracker = Tracker(predictor, find_every=1)
    for _ in range(8):
        tracker.see(frame(values, 0))
    (face,) = tracker.followed
    assert (face.crowded, face.like_itself) == (0, pytest.approx(1, abs=0.1))
    face.look = tracker.people.tracks[0].views[0][::-1]
    tracker.people.tracks[0].views = [face.look]  # as if the points had slid off the face
    sightings = tracker.see(ThermalImage(both.astype(np.float32), "celsius"))
    assert len(sightings) == 2
    assert (face.crowded, sightings[0].face.flag) == (1, "doubtful")


def test_a_face_is_told_at_once_only_after_several_sights(predictor, still) -> None:
    values, _ = still
    tracker = Tracker(predictor)
    told = [tracker.update(frame(values, step)) for step in range(4)]
    assert [len(faces) for faces in told] == [0, 0, 1, 1]


def test_a_detection_that_does_not_last_is_nobody(predictor, still) -> None:
    values, _ = still
    tracker = Tracker(predictor)
    assert track(tracker, [empty(), frame(values, 0), empty(), empty(), empty()]) == [[], [], [], [], []]
    assert tracker.people.started == 0


def test_who_leaves_has_no_points_and_comes_back_as_the_same_person(predictor, still) -> None:
    values, _ = still
    tracker = Tracker(predictor, fps=10)
    here, gone, back = 4, 8, 10
    images = [frame(values, step) for step in range(here)] + [empty()] * gone
    tracks = track(tracker, images + [frame(values, here + step) for step in range(back)])
    away = [face for (face,) in tracks[here : here + gone]]
    assert not any(face.flag == "ok" for face in away)
    assert away[-1].flag == "lost"
    assert np.isnan(away[-1].points_px).all()
    assert [[face.track for face in faces] for faces in tracks] == [[0]] * (here + gone + back)
    assert tracks[-1][0].flag == "ok"
    assert tracker.people.started == 1


def test_a_network_of_perinasal_points_tracks(still) -> None:
    values, points = still
    rows = [get_scheme("face16").landmark_names.index(name) for name in get_scheme("perinasal6").landmark_names]
    tracker = Tracker(_of_some_points(rows))
    tracks = [tracker.update(frame(values, step)) for step in range(6)]
    (face,) = tracks[-1]
    assert face.flag == "ok"
    assert np.abs(face.points_px - points[rows] - [STEP_PX * 5, 0]).mean() < 1.5


def _of_some_points(rows: list[int]) -> Predictor:
    """The shipped network without its other heat maps, at crops of the same size."""
    loaded = load_checkpoint("thermal_real")
    every = loaded.network.head.heat
    heat = torch.nn.Conv2d(every.in_channels, len(rows), 1, padding=every.padding)
    assert every.bias is not None
    assert heat.bias is not None
    heat.weight.data, heat.bias.data = every.weight.data[rows], every.bias.data[rows]
    loaded.network.head.heat = heat
    cascade = loaded.preprocessing.cascade
    assert cascade is not None
    shape = np.array(cascade.reference)
    share = float(np.ptp(shape[rows], axis=0).max() / np.ptp(shape, axis=0).max())
    some = replace(cascade, reference=tuple(map(tuple, shape[rows].tolist())), face_size=cascade.face_size * share)
    preprocessing = replace(loaded.preprocessing, cascade=some)
    scheme = get_scheme("perinasal6")
    return Predictor(loaded.network, scheme=scheme, preprocessing=preprocessing, device="cpu", speed="balanced")


def test_a_shutter_is_no_end_of_a_track(predictor, still) -> None:
    values, _ = still
    tracker = Tracker(predictor)
    for _ in range(4):
        tracker.update(frame(values, 0))
    assert [face.flag for face in tracker.blind()] == ["lost"]
    assert [face.track for face in tracker.update(frame(values, 0))] == [0]


def test_a_restored_tracker_goes_on_to_the_same_points(predictor, still) -> None:
    values, _ = still
    images = [frame(values, step // 3) for step in range(9)]
    whole, first, second = (Tracker(predictor, find_every=3) for _ in range(3))
    expected = [whole.update(image) for image in images]
    for image in images[:5]:
        first.update(image)
    second.restore(restored(json.loads(json.dumps(plain(first.state())))))
    for image in images[5 - FRAMES : 5]:
        second.remind(image)
    for (face,), image in zip(expected[5:], images[5:], strict=True):
        (again,) = second.update(image)
        assert_array_equal(face.points_px, again.points_px)
        assert face.confidence == again.confidence


@pytest.mark.parametrize("angle", [0.0, 0.4, -0.8])
def test_the_box_around_points_is_that_of_a_finder(predictor, angle: float) -> None:
    size, share = (200, 200), 0.5
    expected, _ = expected_points(predictor.scheme, None, size, share=share)
    cos, sin = np.cos(angle), np.sin(angle)
    turned = (expected - 99.5) @ np.array([[cos, sin], [-sin, cos]]) + 99.5
    box, found = box_around(turned, predictor.scheme, None)
    assert found == pytest.approx(angle, abs=1e-6)
    assert (box[:2] + box[2:]) / 2 == pytest.approx([99.5, 99.5], abs=1e-6)
    if angle == 0:
        assert box[3] - box[1] == pytest.approx(share * size[0], rel=1e-6)
