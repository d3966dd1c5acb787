"""Rendered films in which a tracker may lose itself, short ones of docs/studies/hard_films.py."""

from dataclasses import replace

from hard_films import FILMS, counted, shaken, track, turn, window

from thermal_landmarks.inference.tracking.tracker import Tracker


def test_a_head_that_turns_away_has_no_points_and_comes_back_as_the_same_person(predictor) -> None:
    film = replace(FILMS["away"], turns=(turn(120, onset_s=0.5, hold_s=0.3),), seconds=3.0)
    shots = film.shots(0)
    result = counted(shots, track(predictor, film, shots))
    assert result.shown < len(shots) - 5
    assert (result.without, result.wrong, result.tracks) == (0, 0, 1)
    assert result.nobody <= 1  # with a part of the face from the side


def test_a_camera_that_shakes_leaves_no_points_beside_the_face(predictor) -> None:
    film = replace(
        FILMS["shake"], seconds=1.6, cut=window(lambda index: shaken(index + 22) if index > 3 else (0.5, 0.5))
    )
    shots = film.shots(1)
    result = counted(shots, track(predictor, film, shots))
    assert (result.wrong, result.tracks) == (0, 1)
    assert result.without <= 2
    assert result.error < 0.05


def test_new_faces_are_looked_for_twice_a_second_at_any_frame_rate(predictor) -> None:
    assert [Tracker(predictor, fps=fps).find_every for fps in (1.0, 4.0, 9.0, 30.0)] == [1, 2, 4, 15]
