"""Heat maps that are taken for normal distributions."""

from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import norm

from thermal_landmarks.models.shapes import FeatureMap, Grid
from thermal_landmarks.models.soft_argmax import GaussianHead

ROWS, COLUMNS = 4, 6
SIGMA = 0.3


def make_head(channels: int, num_points: int, *, margin: int = 0, weight: float = 1.0) -> GaussianHead:
    """On a map of 4 x 6 cells over an image of 40 x 60 pixels."""
    shape = FeatureMap(channels, ROWS, COLUMNS)
    settings: dict[str, Any] = {"margin": margin, "dropout": 0.0, "heat_weight": weight, "heat_sigma": SIGMA}
    return GaussianHead([shape], num_points, FeatureMap(1, 40, 60), Grid(10.0), **settings, places="stretched")


def test_the_penalty_is_the_negative_log_likelihood_of_the_valid_points() -> None:
    torch.manual_seed(0)
    head = make_head(3, 2, margin=1, weight=5.0)
    torch.nn.init.normal_(head.heat.weight)
    features = [torch.randn(2, 3, ROWS, COLUMNS)]
    target = torch.rand(2, 2, 2)
    target[1, 0] = torch.nan
    points, penalty = head.forward_train(features, target, torch.tensor([[True, True], [False, True]]))
    also, spread = head.forward_spread(features)
    torch.testing.assert_close(points, head(features))
    torch.testing.assert_close(points, also)
    heat = head.heat(features[0]).detach().double().numpy()
    x, y = np.meshgrid(np.arange(COLUMNS + 2) - 0.5, np.arange(ROWS + 2) - 0.5)  # in cells from the image's border
    total = 0.0
    for b, n in ((0, 0), (0, 1), (1, 1)):
        mass = np.exp(heat[b, n]) / np.exp(heat[b, n]).sum()
        for axis, places, cells in ((0, x, COLUMNS), (1, y, ROWS)):
            mean = (mass * places).sum()
            deviation = np.sqrt((mass * (places - mean) ** 2).sum() + SIGMA**2)
            assert float(spread[b, n, axis].detach()) == pytest.approx(deviation / cells, rel=1e-4)
            total -= norm.logpdf(float(target[b, n, axis]) * cells, mean, deviation)
    assert float(penalty.detach()) == pytest.approx(5 * total / 3, rel=1e-4)
    penalty.backward()
    assert head.heat.weight.grad is not None
    assert head.heat.weight.grad.isfinite().all()


def test_the_learned_spread_is_that_of_the_points() -> None:
    cells = ROWS * COLUMNS
    head = make_head(cells, 2)
    features = [torch.eye(cells).view(1, cells, ROWS, COLUMNS)]  # each cell of a heat map is a weight of its own
    generator = torch.Generator().manual_seed(0)
    middle, scatter = torch.tensor([0.4, 0.6]), torch.tensor([[0.0, 0.0], [0.2, 0.15]])  # of the first point none
    target = middle + scatter * torch.randn(200, 2, 2, generator=generator)
    optimizer = torch.optim.Adam(head.parameters(), lr=0.1)
    for _ in range(120):
        optimizer.zero_grad()
        _, penalty = head.forward_train([features[0].expand(200, -1, -1, -1)], target, torch.ones(200, 2).bool())
        penalty.backward()
        optimizer.step()
    points, spread = (each[0].detach() for each in head.forward_spread(features))
    torch.testing.assert_close(points[1], target[:, 1].mean(dim=0), atol=0.01, rtol=0)
    torch.testing.assert_close(spread[1], target[:, 1].std(dim=0), atol=0.01, rtol=0)
    assert (spread[0] < 0.75 * spread[1]).all()
