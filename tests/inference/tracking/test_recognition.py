"""Who is who, of people whose looks are made up."""

import numpy as np
import pytest

from thermal_faces import SyntheticFaces, SyntheticSequence
from thermal_landmarks.data.annotation import ThermalImage
from thermal_landmarks.data.face_frames import box_around
from thermal_landmarks.data.schemes import get_scheme
from thermal_landmarks.inference.tracking.appearance import is_turned, likeness, look
from thermal_landmarks.inference.tracking.recognition import People
from thermal_landmarks.inference.tracking.track import Tracklet

FPS = 10.0
BOX = np.array([10.0, 10.0, 30.0, 40.0])


def looks_of(person: int, number: int, *, noise: float = 0.3, mixed_with: int | None = None) -> list[np.ndarray]:
    faces = np.random.default_rng(0).normal(size=(4, 200))
    face = faces[person] if mixed_with is None else (faces[person] + faces[mixed_with]) / np.sqrt(2)
    rng = np.random.default_rng(person)
    looks = face + noise * rng.normal(size=(number, 200))
    return [each / np.linalg.norm(each) for each in looks - looks.mean(axis=1, keepdims=True)]


def tracklet(number: int, started: int, *, x: float = 0.0) -> Tracklet:
    box = BOX + np.array([x, 0, x, 0])
    new = Tracklet(number, started, np.zeros((16, 2)), box, 0.0, 1.0, np.zeros((16, 2)))
    new.anchor_px, new.undecided, new.confirmed = new.middle_px, started, True
    return new


def gather(people: People, face: Tracklet, looks: list[np.ndarray], frame: int, *, clear: bool = True) -> int:
    """The face is seen with these looks from a frame on; gives the next frame."""
    for each in looks:
        people.compare(face, each, frame, clear=clear)
        frame += 1
    return frame


def known(number: int) -> tuple[People, list[Tracklet]]:
    """So many people who are seen, side by side."""
    people = People(FPS, 60.0)
    faces = [tracklet(person, 0, x=100.0 * person) for person in range(number)]
    for person, face in enumerate(faces):
        gather(people, face, looks_of(person, 6), 0)
    people.decide(faces, 6)
    assert [face.track for face in faces] == list(range(number))
    return people, faces


def test_two_who_come_back_are_told_apart_by_their_looks_whatever_their_places() -> None:
    people, faces = known(2)
    for face in faces:
        people.leave(face, 10, "hidden")
    back = [tracklet(2, 20, x=0.0), tracklet(3, 20, x=100.0)]
    gather(people, back[0], looks_of(1, 6), 20)
    gather(people, back[1], looks_of(0, 6), 20)
    people.decide(back, 26)
    assert [face.track for face in back] == [1, 0]
    assert not any(face.doubtful for face in back)


def test_somebody_half_hidden_is_decided_once_he_is_clear() -> None:
    people, faces = known(2)
    people.leave(faces[0], 10, "hidden")
    back = tracklet(2, 20)
    frame = gather(people, back, looks_of(0, 6, mixed_with=3, noise=1.5), 20)
    people.decide([faces[1], back], frame)
    assert back.undecided == 20  # neither he nor somebody new
    frame = gather(people, back, looks_of(0, 6), frame)
    people.decide([faces[1], back], frame)
    assert (back.track, back.track_at(20)) == (0, 0)


def test_a_stranger_gets_a_number_of_his_own_after_a_while() -> None:
    people, faces = known(2)
    people.leave(faces[0], 10, "lost")
    stranger = tracklet(2, 20)
    frame = gather(people, stranger, looks_of(3, 12), 20)
    people.decide([faces[1], stranger], frame)
    assert (stranger.track, stranger.undecided) == (2, None)


def test_faces_that_were_mistaken_for_each_other_are_put_right_from_the_frame_on_where_it_happened() -> None:
    people, faces = known(2)
    for face, other in ((0, 1), (1, 0)):
        faces[face].open(50)
        frame = gather(people, faces[face], looks_of(face, 4), 50, clear=False)
        gather(people, faces[face], looks_of(other, 8), frame)
    people.decide(faces, 62)
    assert [[face.track_at(frame) for frame in (53, 54)] for face in faces] == [[0, 1], [1, 0]]


def test_frames_on_the_way_from_one_face_to_another_are_nobodys() -> None:
    people, faces = known(2)
    people.leave(faces[1], 50, "hidden")
    faces[0].open(50)
    frame = gather(people, faces[0], looks_of(0, 4), 50, clear=False)
    frame = gather(people, faces[0], looks_of(3, 2), frame, clear=False)  # between two faces
    frame = gather(people, faces[0], looks_of(1, 8), frame)
    people.decide(faces[:1], frame)
    assert [faces[0].track_at(frame) for frame in range(52, 58)] == [0, 0, None, None, 1, 1]


def test_who_cannot_be_told_is_decided_late_and_doubtful() -> None:
    people, faces = known(2)
    for face in faces:
        people.leave(face, 10, "lost")
    back = tracklet(2, 20, x=50.0)
    frame = gather(people, back, looks_of(0, 8, mixed_with=1, noise=0.0), 20)
    people.decide([back], frame)
    assert back.undecided == 20
    people.decide([back], 20 + int(3 * FPS))
    assert back.undecided is None
    assert back.doubtful


def test_a_glimpse_of_nobody_in_particular_is_not_told() -> None:
    people, faces = known(2)
    people.leave(faces[0], 10, "lost")
    glimpse = tracklet(2, 20)
    gather(people, glimpse, looks_of(3, 4), 20)
    people.leave(glimpse, 24, "hidden")
    assert (glimpse.track, glimpse.undecided, people.started) == (None, None, 2)


def test_a_track_that_met_another_face_and_looks_like_somebody_else_is_opened_again() -> None:
    people, (face, _) = known(2)
    face.met = 19
    for seen in looks_of(0, 4):
        people.remember(face, seen, 20)
    assert face.undecided is None
    for seen in looks_of(3, 3):
        people.remember(face, seen, 21)
    assert face.undecided == 21


def test_a_face_that_looks_unlike_itself_is_known_as_such() -> None:
    people, (face, _) = known(2)
    assert people.like_itself(face, looks_of(0, 1)[0]) > 0.8
    assert people.like_itself(face, looks_of(1, 1)[0]) < 0.5
    assert people.like_itself(tracklet(2, 20), looks_of(1, 1)[0]) == 1  # nobody knows who it is


def test_who_was_alone_all_the_time_is_the_same_however_he_looks() -> None:
    people, (face, other) = known(2)
    for seen in looks_of(3, 6):
        people.remember(face, seen, 20)
    assert face.undecided is None
    people.leave(other, 30, "lost")
    people.remember(face, looks_of(3, 1)[0], 31)  # he could be the one who is missing
    assert face.undecided == 31
    frame = gather(people, face, looks_of(3, 8), 31)
    people.decide([face], frame + int(3 * FPS))
    assert (face.track, people.started) == (0, 2)


@pytest.mark.parametrize(("yaw_deg", "turned"), [(-20, False), (20, False), (-50, True), (50, True)])
def test_a_head_that_is_turned_aside_is_not_compared(yaw_deg: float, turned: bool) -> None:
    pose = {"yaw_deg": (yaw_deg, yaw_deg), "pitch_deg": (0, 0)}
    faces = SyntheticFaces(subjects=4, images_per_subject=1, size=(120, 160), seed=5, pose=pose)
    found = [is_turned(each.points_px, get_scheme("face16")) for each in faces.annotations()]
    assert found == [turned] * 4


def test_those_who_are_long_gone_are_forgotten_and_never_more_than_a_hundred_remembered() -> None:
    people = People(FPS, 60.0)
    for number in range(130):
        passing = tracklet(number, number, x=100.0 * number)
        gather(people, passing, looks_of(0, 1, noise=100.0 + number), number)
        people.decide([passing], number)
        people.leave(passing, number + 1, "lost")
        people.forget(number + 1)
    assert len(people.tracks) <= 100
    people.forget(10_000)
    assert not people.tracks


@pytest.fixture(scope="module")
def people_who_turn() -> list[list[np.ndarray]]:
    """Four looks of each of three rendered people who move their heads; the camera's contrast changes."""
    looks: list[list[np.ndarray]] = []
    for person in range(3):
        film = SyntheticSequence(seed=77, subject=person, seconds=8, rate_hz=0.5, size=(120, 160))
        looks.append([])
        for number, frame in enumerate(film):
            values = (5 + 3 * number) * frame.temperature_c.astype(np.float32)
            box, angle = box_around(frame.points_px, get_scheme("face16"), None)
            looks[-1].append(look(ThermalImage(values, "gray"), box, angle))
    return looks


def test_a_person_looks_more_like_herself_than_like_others(people_who_turn) -> None:
    for person, looks in enumerate(people_who_turn):
        others = [each for other, each in enumerate(people_who_turn) if other != person]
        for seen in looks[2:]:
            assert likeness(seen, looks[:2]) > max(likeness(seen, each) for each in others) + 0.1
