import numpy as np
import pytest
from numpy.testing import assert_allclose

from thermal_landmarks.errors import ConfigError
from thermal_landmarks.inference.tracking.smoothing import kalman, one_euro, smooth


def test_kalman_is_the_posterior_mean_of_the_whole_recording() -> None:
    """Against the dense Gaussian of the same model: an integrated Wiener process seen through noise."""
    rng = np.random.default_rng(0)
    times = np.cumsum(rng.uniform(0.02, 0.2, 12))
    values = np.sin(times) + rng.normal(0, 0.05, 12)
    noise, acceleration = 0.05, 0.8
    s, t = np.meshgrid(times - times[0], times - times[0])
    low, high = np.minimum(s, t), np.maximum(s, t)
    # From the first value, known to `noise`, with a velocity of variance 4 there.
    prior = noise**2 + 4.0 * s * t + acceleration**2 * (low**2 * high / 2 - low**3 / 6)
    wanted = values[0] + prior @ np.linalg.solve(prior + noise**2 * np.eye(12), values - values[0])
    assert_allclose(kalman(values, times, noise=noise, acceleration=acceleration), wanted, atol=1e-9)


def test_one_euro_calms_what_rests_and_follows_what_moves() -> None:
    times = np.arange(90) / 30
    noise = np.random.default_rng(1).normal(0, 0.005, 90)
    assert one_euro(noise, times)[30:].std() < 0.6 * noise[30:].std()
    ramp = np.where(times < 1, 0, times - 1.0)  # one inter-ocular distance a second
    assert np.abs(one_euro(ramp, times) - ramp)[60:].max() < 0.05
    assert one_euro(np.full(5, 3.0), times[:5]).tolist() == [3.0] * 5


@pytest.mark.parametrize("method", ["one_euro", "kalman"])
def test_gaps_stay_gaps_and_what_comes_after_a_long_one_starts_from_scratch(method: str) -> None:
    times = np.arange(60) / 30
    points = np.where(times < 1, 10.0, 50.0)[:, None] + np.zeros((1, 2))
    points[20:50] = np.nan  # a second
    found = smooth(points, times, method, size=40.0)
    assert_allclose(np.isnan(found), np.isnan(points))
    assert_allclose(found[50:], 50.0)
    assert_allclose(smooth(points, times, "none"), points)


def test_an_unknown_method_is_named() -> None:
    with pytest.raises(ConfigError, match=r"smoothing=median is unknown\. Choose none, one_euro, kalman"):
        smooth(np.zeros((3, 2)), np.arange(3.0), "median")
