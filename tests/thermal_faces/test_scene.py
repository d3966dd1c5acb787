"""The room behind the person, each thing switched on alone."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from thermal_faces.randomness import rng
from thermal_faces.ranges import SceneRanges
from thermal_faces.scene.room import draw_ambient_c, paint_room

EMPTY = SceneRanges(
    hot_room=0, outdoors=0, gradient_k=(0, 0), texture_k=(0, 0), objects=(0, 0), warm_object=0, cold_object=0, lamp=0,
    bystander=0,
)  # fmt: skip


def room(seed: int, size: tuple[int, int] = (120, 160), **changes: Any) -> np.ndarray:
    return paint_room(rng(seed, "room"), replace(EMPTY, **changes), 22.0, size)


def test_an_empty_room_has_the_temperature_of_its_air() -> None:
    np.testing.assert_allclose(room(0), 22, atol=1e-4)


@pytest.mark.parametrize(
    ("changes", "coldest_below", "warmest_above"),
    [
        ({"texture_k": (0.5, 0.5)}, 21.9, 22.1),
        ({"gradient_k": (1, 1)}, 21.9, 22.1),
        ({"objects": (6, 6), "object_k": (2, 2)}, 22.1, 23),
        ({"warm_object": 1, "warm_object_k": (9, 9)}, 22.1, 25),
        ({"cold_object": 1, "cold_object_k": (-9, -9)}, 18, 21),
        ({"lamp": 1, "lamp_k": (40, 40)}, 22.1, 30),
        ({"bystander": 1, "bystander_size": (0.1, 0.1), "bystander_face_c": (34, 34)}, 24, 30),
    ],
)
def test_each_setting_shows(changes: dict[str, Any], coldest_below: float, warmest_above: float) -> None:
    images = [room(seed, **changes) for seed in range(8)]
    assert min(image.min() for image in images) < coldest_below
    assert max(image.max() for image in images) > warmest_above


@pytest.mark.parametrize("seed", range(5))
def test_another_size_shows_the_same_room(seed: int) -> None:
    changes: dict[str, Any] = {"objects": (6, 6), "lamp": 1, "bystander": 1, "texture_k": (0.3, 0.3), "warm_object": 1}
    large, small = room(seed, (240, 320), **changes), room(seed, **changes)
    assert np.abs(large.reshape(120, 2, 160, 2).mean(axis=(1, 3)) - small).mean() < 0.1


def test_bystanders_have_a_face_warmer_than_their_clothes() -> None:
    images = [
        room(seed, (240, 320), bystander=1, bystander_size=(0.08, 0.08), bystander_face_c=(35, 35)) for seed in range(6)
    ]
    shares = [((image > 33.5).mean(), (image > 22.5).mean()) for image in images]
    assert all(0 < face < body for face, body in shares)


def test_rooms_are_mostly_colder_than_skin_and_at_times_as_warm() -> None:
    ranges = SceneRanges()
    drawn = np.array([draw_ambient_c(rng(seed, "room"), ranges) for seed in range(400)])
    assert 0.03 < (drawn > 27.5).mean() < 0.25
    assert 0.005 < (drawn < 17).mean() < 0.15
    no_extremes = replace(ranges, hot_room=0, outdoors=0)
    assert max(draw_ambient_c(rng(seed, "room"), no_extremes) for seed in range(100)) <= 27
