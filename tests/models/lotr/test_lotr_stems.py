from typing import Any

import pytest
import torch

from thermal_landmarks.errors import ConfigError
from thermal_landmarks.models.lotr.stems import DeconvolutionStem, ProjectionStem
from thermal_landmarks.models.shapes import FeatureMap


def test_projection_mixes_the_channels_of_each_pixel() -> None:
    stem = ProjectionStem(FeatureMap(5, 2, 3), width=4)
    features = torch.randn(2, 5, 2, 3)
    expected = torch.einsum("oi,bihw->bohw", stem.weight[:, :, 0, 0], features) + stem.bias[:, None, None]  # type: ignore[index]
    torch.testing.assert_close(stem(features), expected)
    assert stem.out_shape == (4, 2, 3)


@pytest.mark.parametrize("kernel_size", [2, 4, 6])
def test_each_deconvolution_doubles_the_map(kernel_size: int) -> None:
    stem = DeconvolutionStem(
        FeatureMap(5, 3, 4),
        width=16,
        channels=[12, 8],
        kernel_size=kernel_size,
        normalisation="batch",
        activation="relu",
    )
    assert stem.out_shape == (8, 12, 16)
    assert stem(torch.randn(2, 5, 3, 4)).shape == (2, 8, 12, 16)


def test_deconvolution_spreads_each_pixel_by_its_kernel() -> None:
    stem = DeconvolutionStem(
        FeatureMap(1, 2, 2), width=1, channels=[1], kernel_size=4, normalisation="none", activation="leaky_relu"
    )
    layers: Any = stem.layers
    projection, deconvolution = layers[0], layers[1]
    features = torch.rand(1, 1, 2, 2)
    expected = torch.full((6, 6), deconvolution.bias.item())
    for row in range(2):
        for column in range(2):
            value = features[0, 0, row, column] * projection.weight[0, 0, 0, 0] + projection.bias[0]
            expected[2 * row : 2 * row + 4, 2 * column : 2 * column + 4] += value * deconvolution.weight[0, 0]
    expected = torch.nn.functional.leaky_relu(expected[1:-1, 1:-1])
    torch.testing.assert_close(stem(features)[0, 0], expected)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kernel_size": 3}, "kernel_size must be even to double the map's size, found 3"),
        ({"channels": []}, "channels must be a list"),
        ({"channels": 64}, "channels must be a list.*found 64"),
        ({"channels": [64, 0]}, "channels must be a whole number of at least 1, found 0"),
        ({"width": 1.5}, "width must be a whole number"),
    ],
)
def test_settings_out_of_range_are_named(change: dict[str, object], message: str) -> None:
    settings: dict[str, object] = {
        "width": 8,
        "channels": [8],
        "kernel_size": 4,
        "normalisation": "batch",
        "activation": "relu",
    }
    with pytest.raises(ConfigError, match=message):
        DeconvolutionStem(FeatureMap(5, 3, 4), **settings | change)  # type: ignore[arg-type]
