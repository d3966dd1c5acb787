"""Frames with less noise where a face keeps still."""

import numpy as np
from numpy.testing import assert_array_equal

from thermal_landmarks.data.annotation import ThermalImage
from thermal_landmarks.inference.tracking.steadying import Steadying

BOX = np.array([20.0, 20.0, 60.0, 60.0])
INSIDE = (slice(25, 55), slice(25, 55))


def frames(number: int) -> list[np.ndarray]:
    rng = np.random.default_rng(1)
    return [rng.normal(30, 0.1, (80, 80)).astype(np.float32) for _ in range(number)]


def test_noise_of_a_still_face_falls_as_by_a_mean_of_three_frames_and_elsewhere_nothing_changes() -> None:
    steady = Steadying()
    *before, last = frames(3)
    for values in before:
        steady(ThermalImage(values, "celsius"), [])
    seen = steady(ThermalImage(last, "celsius"), [(BOX, 2)]).values
    assert 0.5 < (seen[INSIDE] - 30).std() / (last[INSIDE] - 30).std() < 0.68  # 0.58 for three
    assert_array_equal(seen[:, 75:], last[:, 75:])
    assert seen.dtype == np.float32


def test_what_moves_does_not_lag() -> None:
    steady = Steadying()
    before, last = frames(2)
    last[35:45, 35:45] += 2.0  # a breath
    steady(ThermalImage(before, "celsius"), [])
    seen = steady(ThermalImage(last, "celsius"), [(BOX, 5)]).values
    assert_array_equal(seen[35:45, 35:45], last[35:45, 35:45])


def test_a_face_that_turns_all_at_once_leaves_no_ghost() -> None:
    steady = Steadying()
    *before, last = frames(3)
    last[10:70, 10:70] += np.linspace(-1.5, 1.5, 60, dtype=np.float32)  # most of what the network sees
    for values in before:
        steady(ThermalImage(values, "celsius"), [])
    seen = steady(ThermalImage(last, "celsius"), [(BOX, 5)]).values
    assert np.abs(seen - last)[INSIDE].mean() < 0.1


def test_a_camera_that_drifts_is_steadied_all_the_same() -> None:
    steady = Steadying()
    before, last = frames(2)
    steady(ThermalImage(before + 5.0, "celsius"), [])
    seen = steady(ThermalImage(last, "celsius"), [(BOX, 5)]).values
    assert abs(seen[INSIDE].mean() - 30) < 0.05
    assert (seen[INSIDE] - 30).std() < 0.8 * (last[INSIDE] - 30).std()


def test_a_face_that_moves_and_a_first_frame_are_seen_as_they_are() -> None:
    steady = Steadying()
    first, second = (ThermalImage(values, "celsius") for values in frames(2))
    assert steady(first, [(BOX, 3)]) is first
    assert steady(second, [(BOX, 0)]) is second
    steady.forget()
    assert steady(first, [(BOX, 3)]) is first
