import pytest
import torch

from thermal_landmarks.errors import ConfigError
from thermal_landmarks.models.heads import FullyConnectedHead
from thermal_landmarks.models.shapes import Tokens


def test_mean_shape_keeps_full_precision_under_autocast() -> None:
    head = FullyConnectedHead([Tokens(10, 4)], 6, dropout=0.0)
    shape = torch.rand(6, 2, generator=torch.Generator().manual_seed(0))
    head.set_mean_shape(shape)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        points = head([torch.zeros(3, 40)])
    assert points.dtype == torch.float32
    assert (points - shape).abs().max() < 1e-6


def test_points_of_bf16_features_are_those_of_the_same_features_in_float32() -> None:
    torch.manual_seed(0)
    head = FullyConnectedHead([Tokens(10, 4)], 6, dropout=0.5).eval()
    features = torch.randn(3, 40).bfloat16().requires_grad_()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        points = head([features])
    exact = (features.detach().double() / 40**0.5) @ head.linear.weight.double().T + head.linear.bias
    torch.testing.assert_close(points.flatten(1).double(), exact, rtol=0, atol=1e-6)
    points.sum().backward()
    assert features.grad is not None
    assert features.grad.isfinite().all()


def test_fully_connected_head_has_no_penalty_of_its_own() -> None:
    head = FullyConnectedHead([Tokens(10, 4)], 6, dropout=0.0)
    features = [torch.randn(3, 40)]
    points, penalty = head.forward_train(features, torch.rand(3, 6, 2), torch.ones(3, 6, dtype=torch.bool))
    torch.testing.assert_close(points, head(features))
    assert float(penalty) == 0


def test_the_plain_head_is_a_fully_connected_layer_as_it_usually_starts() -> None:
    torch.manual_seed(0)
    head = FullyConnectedHead([Tokens(200, 40)], 6, dropout=0.0, scaled=False, start="glorot")
    features = torch.randn(3, 200, 40)
    torch.testing.assert_close(head([features]).flatten(1), head.linear(features.flatten(1)))
    assert head.linear.bias.abs().max() == 0
    assert float(head.linear.weight.std()) == pytest.approx((2 / (8000 + 12)) ** 0.5, rel=0.05)  # Glorot & Bengio 2010


def test_an_unknown_start_is_named() -> None:
    with pytest.raises(ConfigError, match=r"head\.start=he is unknown"):
        FullyConnectedHead([Tokens(10, 4)], 6, dropout=0.0, start="he")  # type: ignore[arg-type]
