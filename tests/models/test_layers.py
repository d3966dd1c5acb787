from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from thermal_landmarks.errors import ConfigError
from thermal_landmarks.models.layers import ConvLayer, ResNeXtLayer, make_activation, make_normalisation, strided
from thermal_landmarks.models.shapes import FeatureMap


@pytest.mark.parametrize("normalisation", ["none", "batch"])
def test_resnext_equals_the_sum_of_separate_paths(normalisation: str) -> None:
    torch.manual_seed(0)
    cardinality, width = 5, 3
    layer = ResNeXtLayer(
        8,
        8,
        cardinality=cardinality,
        bottleneck_width=width,
        kernel_size=3,
        normalisation=normalisation,  # type: ignore[arg-type]
        activation="relu",
    ).eval()
    for module in layer.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 2)
            nn.init.normal_(module.bias)
            assert module.running_mean is not None
            assert module.running_var is not None
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
    x = torch.randn(2, 8, 9, 7)

    def normalised(features: torch.Tensor, module: nn.Module, part: slice) -> torch.Tensor:
        if not isinstance(module, nn.BatchNorm2d):
            return features
        assert module.running_mean is not None
        assert module.running_var is not None
        deviation = (module.running_var[part] + module.eps).sqrt()
        mean, gain, shift = module.running_mean[part], module.weight[part], module.bias[part]
        return ((features.movedim(1, -1) - mean) / deviation * gain + shift).movedim(-1, 1)

    total = x + layer.up.bias[:, None, None]  # type: ignore[index]
    for path in range(cardinality):
        part = slice(path * width, (path + 1) * width)
        biases = [None if conv.bias is None else conv.bias[part] for conv in (layer.down, layer.middle)]
        inner = F.conv2d(x, layer.down.weight[part], biases[0])
        inner = normalised(inner, layer.down_normalisation, part).relu()
        inner = F.conv2d(inner, layer.middle.weight[part], biases[1], padding=1)
        inner = normalised(inner, layer.middle_normalisation, part).relu()
        total = total + F.conv2d(inner, layer.up.weight[:, part])
    torch.testing.assert_close(layer(x), total, rtol=1e-5, atol=1e-5)


def test_without_projection_x_is_added_where_the_shape_stays_and_nothing_elsewhere() -> None:
    torch.manual_seed(0)
    settings: dict[str, Any] = {"cardinality": 2, "bottleneck_width": 3, "kernel_size": 3, "shortcut": "identity"}
    settings |= {"normalisation": "none", "activation": "relu"}
    x = torch.randn(2, 8, 9, 7)
    for out_channels, stride in ((8, 1), (8, 2), (6, 1)):
        layer = ResNeXtLayer(8, out_channels, stride=stride, **settings)
        torch.nn.init.zeros_(layer.up.weight)
        assert torch.equal(layer(x), x if (out_channels, stride) == (8, 1) else torch.zeros_like(layer(x)))
        assert not any(name.startswith("shortcut") for name, _ in layer.named_parameters())


def test_paths_start_with_the_chosen_share_of_their_usual_weights() -> None:
    settings: dict[str, Any] = {"cardinality": 2, "bottleneck_width": 3, "kernel_size": 3}
    settings |= {"normalisation": "none", "activation": "relu"}
    weights = []
    for path_scale in (1.0, 0.5):
        torch.manual_seed(0)
        weights.append(ResNeXtLayer(8, 8, path_scale=path_scale, **settings).up.weight)
    assert torch.equal(weights[1], weights[0] * 0.5)


@pytest.mark.parametrize("size", [(7, 9), (8, 10), (1, 5)])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("kernel_size", [1, 3, 5])
def test_predicted_shape_is_the_real_one(size: tuple[int, int], stride: int, kernel_size: int) -> None:
    shape = FeatureMap(4, *size)
    if min(size) < stride:
        with pytest.raises(ConfigError, match=r"1x5 pixels.*stem\.stride"):
            strided("stem", shape, channels=6, stride=stride, remedy="a smaller stem.stride")
        return
    layer = ConvLayer(4, 6, kernel_size=kernel_size, stride=stride, normalisation="group", activation="gelu")
    assert layer(torch.zeros(1, *shape)).shape[1:] == strided(
        "stem", shape, channels=6, stride=stride, remedy="a smaller stem.stride"
    )


def test_unknown_normalisation_and_activation_list_the_valid_ones() -> None:
    with pytest.raises(ConfigError, match="batch, group, none"):
        make_normalisation("layer", 8)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="relu, leaky_relu"):
        make_activation("tanh")  # type: ignore[arg-type]


@pytest.mark.parametrize("channels", [1, 7, 8, 54, 64])
def test_group_normalisation_fits_any_width(channels: int) -> None:
    assert make_normalisation("group", channels)(torch.randn(2, channels, 3, 3)).isfinite().all()
