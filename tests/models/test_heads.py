import torch

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
