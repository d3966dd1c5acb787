"""Smooth noise and the streams of random numbers of the synthetic faces."""

import numpy as np

from thermal_faces.noise import smooth_noise
from thermal_faces.randomness import rng


def test_noise_shows_the_same_pattern_at_any_size() -> None:
    coarse, fine = (smooth_noise(rng(0, "n"), 40 * k, 60 * k, (7, 9)) for k in (1, 3))
    np.testing.assert_allclose(fine[1::3, 1::3], coarse, atol=1e-5)
    many = np.stack([smooth_noise(rng(i), 30, 30, (8, 8)) for i in range(200)])
    assert 0.4 < many.std() < 1.3
    assert abs(many.mean()) < 0.05


def test_noise_follows_unevenly_spaced_rows() -> None:
    even = smooth_noise(rng(3), np.linspace(0, 10, 101), 5, (6, 4))
    uneven = smooth_noise(rng(3), np.array([0.0, 1.0, 4.0, 10.0]), 5, (6, 4))
    np.testing.assert_allclose(uneven, even[[0, 10, 40, 100]], atol=1e-5)


def test_streams_differ_by_part_and_repeat_by_key() -> None:
    assert rng(0, 1, "skin").random() == rng(0, 1, "skin").random()
    draws = {rng(*key).random() for key in ((0, 1, "skin"), (0, 1, "hair"), (0, 2, "skin"), (1, 1, "skin"))}
    assert len(draws) == 4
