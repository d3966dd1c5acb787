import numpy as np
import pytest
import torch

from thermal_landmarks.errors import ConfigError
from thermal_landmarks.models.heads import FullyConnectedHead, SoftArgmaxHead
from thermal_landmarks.models.shapes import FeatureMap, Tokens


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


def hot_cell(row: int, column: int) -> torch.Tensor:
    """One feature channel of 4 x 6 cells with one very hot cell."""
    features = torch.zeros(1, 1, 4, 6)
    features[0, 0, row, column] = 1
    return features


def soft_argmax(margin: int = 0) -> SoftArgmaxHead:
    head = SoftArgmaxHead([FeatureMap(1, 4, 6)], 1, margin=margin, dropout=0.0, heat_weight=1.0, heat_sigma=0.8)
    with torch.no_grad():
        head.heat.weight.fill_(200)
    return head


@pytest.mark.parametrize(("row", "column"), [(0, 0), (1, 4), (3, 5)])
@pytest.mark.parametrize("margin", [0, 2])
def test_soft_argmax_finds_the_middle_of_a_hot_cell(row: int, column: int, margin: int) -> None:
    point = soft_argmax(margin)([hot_cell(row, column)])[0, 0]
    torch.testing.assert_close(point, torch.tensor([(column + 0.5) / 6, (row + 0.5) / 4]))


def test_soft_argmax_is_the_centre_of_mass_of_the_softmax() -> None:
    torch.manual_seed(0)
    head = SoftArgmaxHead(
        [FeatureMap(3, 4, 6), FeatureMap(2, 4, 6)], 5, margin=1, dropout=0.0, heat_weight=1.0, heat_sigma=0.8
    )
    torch.nn.init.normal_(head.heat.weight)
    first, second = torch.randn(2, 3, 4, 6), torch.randn(2, 2, 4, 6)
    points = head([first, second])
    features = np.pad(torch.cat([first, second], dim=1).numpy(), ((0, 0), (0, 0), (1, 1), (1, 1)))
    weight, bias = (p.detach().numpy() for p in head.heat.parameters())
    weight = weight[:, :, 0, 0]
    for b in range(2):
        for n in range(5):
            total, x_sum, y_sum = 0.0, 0.0, 0.0
            for r in range(6):
                for c in range(8):
                    mass = np.exp(float(weight[n] @ features[b, :, r, c] + bias[n]))
                    total, x_sum, y_sum = total + mass, x_sum + mass * (c - 0.5) / 6, y_sum + mass * (r - 0.5) / 4
            np.testing.assert_allclose(points[b, n].detach().numpy(), [x_sum / total, y_sum / total], atol=1e-5)


def test_soft_argmax_keeps_full_precision_under_autocast() -> None:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        point = soft_argmax()([hot_cell(1, 4).bfloat16()])
    assert point.dtype == torch.float32
    torch.testing.assert_close(point[0, 0], torch.tensor([4.5 / 6, 1.5 / 4]))


def test_soft_argmax_wants_a_map() -> None:
    with pytest.raises(ConfigError, match="head=fully_connected, or branch=none, luong or bahdanau"):
        SoftArgmaxHead([Tokens(10, 4)], 6, margin=1, dropout=0.0, heat_weight=1.0, heat_sigma=0.8)


def test_heat_penalty_is_the_cross_entropy_with_gaussians_around_the_valid_points() -> None:
    torch.manual_seed(0)
    head = SoftArgmaxHead([FeatureMap(3, 4, 6)], 2, margin=1, dropout=0.0, heat_weight=5.0, heat_sigma=0.7)
    torch.nn.init.normal_(head.heat.weight)
    features = [torch.randn(2, 3, 4, 6)]
    target = torch.rand(2, 2, 2)
    target[1, 0] = torch.nan
    mask = torch.tensor([[True, True], [False, True]])
    points, penalty = head.learn(features, target, mask)
    torch.testing.assert_close(points, head(features))
    heat = head.heat(features[0]).detach().numpy()
    total = 0.0
    for b, n in ((0, 0), (0, 1), (1, 1)):
        gaussian, mass = np.zeros((6, 8)), np.exp(heat[b, n].astype(float))
        for r in range(6):
            for c in range(8):
                x, y = float(target[b, n, 0]) * 6 - 0.5, float(target[b, n, 1]) * 4 - 0.5  # in cells
                gaussian[r, c] = np.exp(-((c - 1 - x) ** 2 + (r - 1 - y) ** 2) / (2 * 0.7**2))
        total -= (gaussian / gaussian.sum() * np.log(mass / mass.sum())).sum()
    assert float(penalty.detach()) == pytest.approx(5 * total / 3, rel=1e-4)
    penalty.backward()
    assert head.heat.weight.grad is not None
    assert head.heat.weight.grad.isfinite().all()


def test_fully_connected_head_has_no_penalty_of_its_own() -> None:
    head = FullyConnectedHead([Tokens(10, 4)], 6, dropout=0.0)
    features = [torch.randn(3, 40)]
    points, penalty = head.learn(features, torch.rand(3, 6, 2), torch.ones(3, 6, dtype=torch.bool))
    torch.testing.assert_close(points, head(features))
    assert float(penalty) == 0
