import math

import numpy as np
import pytest
import torch

from thermal_landmarks.errors import ConfigError
from thermal_landmarks.training.losses import PENALTIES, LandmarkLoss

SIZE = (30, 40)


def wing(x: float, w: float = 10, e: float = 2) -> float:
    return w * math.log(1 + abs(x) / e) if abs(x) < w else abs(x) - (w - w * math.log(1 + w / e))


def smooth_wing(x: float) -> float:
    # Constants as published values, not as formulas.
    s, c1, c2 = 298.5074627, -11.5011136, 0.0299997519
    x = abs(x)
    if x < 0.01:
        return s * x * x
    return 12 * math.log(1 + x / 2) - c2 if x <= 10 else x - c1 - c2


def smooth_l1(x: float) -> float:
    return x * x / 0.02 if abs(x) < 0.01 else abs(x) - 0.005


CASES = [("wing", wing), ("smooth_wing", smooth_wing), ("l1", abs), ("l2", lambda x: x * x), ("smooth_l1", smooth_l1)]


def test_every_penalty_is_tested():
    assert [name for name, _ in CASES] == list(PENALTIES)


@pytest.fixture
def points():
    rng = np.random.default_rng(0)
    prediction, target = rng.uniform(-0.2, 1.2, (4, 6, 2)), rng.uniform(0, 1, (4, 6, 2))
    mask = rng.uniform(size=(4, 6)) < 0.7
    mask[2] = False
    target[~mask] = np.nan
    return prediction, target, mask


@pytest.mark.parametrize("coordinates", ["normalised", "pixel"])
@pytest.mark.parametrize("reduction", ["sum", "mean"])
@pytest.mark.parametrize(("penalty", "formula"), CASES)
def test_loss_equals_a_loop_over_the_valid_coordinates(points, penalty, formula, coordinates, reduction):
    prediction, target, mask = points
    scale = (40, 30) if coordinates == "pixel" else (1, 1)
    images = []
    for i in range(4):
        values = [
            formula((prediction[i, n, k] - target[i, n, k]) * scale[k]) for n in range(6) if mask[i, n] for k in (0, 1)
        ]
        if values:
            images.append(sum(values) * 12 / len(values) if reduction == "sum" else sum(values) / len(values))
    loss = LandmarkLoss(penalty=penalty, coordinates=coordinates, reduction=reduction)
    value = loss(torch.tensor(prediction), torch.tensor(target), torch.tensor(mask), SIZE)
    assert float(value) == pytest.approx(sum(images) / 3, rel=1e-6)


@pytest.mark.parametrize("penalty", [case[0] for case in CASES])
def test_gradients_are_exact_and_masked_points_get_none(points, penalty):
    prediction, target, mask = (torch.tensor(value) for value in points)
    prediction.requires_grad_()
    loss = LandmarkLoss(penalty=penalty, coordinates="pixel")
    assert torch.autograd.gradcheck(lambda p: loss(p, target, mask, SIZE), prediction)
    loss(prediction, target, mask, SIZE).backward()
    assert (prediction.grad[~mask] == 0).all()
    assert (prediction.grad[mask] != 0).all()


@pytest.mark.parametrize("penalty", [case[0] for case in CASES])
def test_a_perfect_prediction_has_a_finite_gradient(penalty):
    points = torch.full((1, 3, 2), 0.5, requires_grad=True)
    LandmarkLoss(penalty=penalty)(points, points.detach(), torch.ones(1, 3, dtype=torch.bool), SIZE).backward()
    assert (points.grad == 0).all()


def test_a_batch_without_valid_points_costs_nothing():
    points = torch.rand(2, 3, 2, requires_grad=True)
    loss = LandmarkLoss()(points, torch.full((2, 3, 2), torch.nan), torch.zeros(2, 3, dtype=torch.bool), SIZE)
    loss.backward()
    assert loss.item() == 0
    assert (points.grad == 0).all()


@pytest.mark.parametrize("settings", [{}, {"width": 5.0, "epsilon": 0.5, "threshold": 0.2}])
@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize("joint", ["threshold", "width"])
def test_smooth_wing_has_neither_jump_nor_kink(joint, sign, settings):
    loss = LandmarkLoss(penalty="smooth_wing", **settings)
    edge = sign * {"width": 10.0, "threshold": 0.01, **settings}[joint]
    x = torch.tensor([edge * (1 - 1e-9), edge * (1 + 1e-9)], dtype=torch.float64, requires_grad=True)
    value = loss.penalty(x)
    value.sum().backward()
    assert value[0].item() == pytest.approx(value[1].item(), rel=1e-7)
    assert float(x.grad[0]) == pytest.approx(float(x.grad[1]), rel=1e-7)
    assert torch.autograd.gradcheck(loss.penalty, x)  # its finite differences reach over the joint


def test_smooth_wing_grows_by_a_pixel_a_pixel_beyond_the_width():
    x = torch.tensor([10.0, 25.0], dtype=torch.float64)
    at_width, far = LandmarkLoss(penalty="smooth_wing").penalty(x).tolist()
    assert far - at_width == pytest.approx(15)
    assert at_width == pytest.approx(12 * math.log(6) - 0.0299997519)


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: LandmarkLoss(coordinates="pixels"), "coordinates"),  # type: ignore[arg-type]
        (lambda: LandmarkLoss(reduction="none"), "reduction"),  # type: ignore[arg-type]
        (lambda: LandmarkLoss(epsilon=0), "epsilon"),
        (lambda: LandmarkLoss(penalty="wings"), r"Choose wing, smooth_wing, l1, l2, smooth_l1\."),
        (lambda: LandmarkLoss(penalty="smooth_wing", threshold=20), "threshold"),
    ],
)
def test_a_wrong_setting_is_named(make, word):
    with pytest.raises(ConfigError, match=word):
        make()
