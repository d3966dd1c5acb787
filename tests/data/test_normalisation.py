import numpy as np
import pytest
import torch

from thermal_landmarks.data.normalisation import ValueRange, normalise
from thermal_landmarks.errors import ConfigError


def test_window_ignores_the_image_and_knows_gray_from_celsius():
    values = np.linspace(0, 50, 100).reshape(10, 10)
    window = ValueRange(mode="window", temperature_range_c=(20, 40))
    assert window.limits(values, "celsius") == (20, 40)
    assert window.limits(values, "gray") == (0, 255)


def test_percentiles_shrug_off_a_hot_lamp():
    values = np.full((100, 100), 30.0)
    values[:50] = 20
    values[0, 0] = 300
    low, high = ValueRange().limits(values, "celsius")
    assert (low, high) == (20, 30)


def test_constant_image_has_a_range_above_zero():
    low, high = ValueRange().limits(np.full((8, 8), 25.0), "celsius")
    assert high > low


def test_limits_become_plus_and_minus_one_and_the_rest_is_clipped():
    values = torch.tensor([10.0, 20, 25, 30, 99]).view(1, 1, 1, 5)
    found = normalise(values, torch.tensor([20.0]), torch.tensor([30.0]))
    assert found.flatten().tolist() == [-1, -1, 0, 1, 1]


def test_falling_range_is_refused():
    with pytest.raises(ConfigError, match="must rise"):
        ValueRange(temperature_range_c=(40, 20))
