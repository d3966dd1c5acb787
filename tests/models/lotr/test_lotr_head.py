from typing import Any

import numpy as np
import pytest
import torch
from scipy.special import softmax

from thermal_landmarks.models.lotr.head import LandmarkQueries, PerQueryHead
from thermal_landmarks.models.shapes import FeatureMap, Tokens


def test_every_landmark_passes_the_same_layers_without_a_final_activation() -> None:
    torch.manual_seed(0)
    head = PerQueryHead([Tokens(6, 8), Tokens(6, 4)], 6, depth=2, width=16)
    torch.nn.init.normal_(head.point.weight)
    first, second = torch.randn(3, 6, 8), torch.randn(3, 6, 4)
    points = head([first, second])
    one: Any = head.hidden[0]
    two: Any = head.hidden[2]
    last = head.point
    for image in range(3):
        for n in range(6):
            token = torch.cat([first[image, n], second[image, n]])
            hidden = (one.weight @ token + one.bias).clamp(min=0)
            hidden = (two.weight @ hidden + two.bias).clamp(min=0)
            torch.testing.assert_close(points[image, n], last.weight @ hidden + last.bias + 0.5)
    assert points.min() < 0


def test_size_is_that_of_two_hidden_layers() -> None:
    head = PerQueryHead([Tokens(106, 64)], 106, depth=2, width=512)
    assert sum(p.numel() for p in head.parameters()) == (64 + 1) * 512 + (512 + 1) * 512 + (512 + 1) * 2


def test_points_are_told_from_the_mean_shape_which_is_kept_with_the_weights() -> None:
    torch.manual_seed(0)
    head, restored = (PerQueryHead([Tokens(6, 8)], 6, depth=2, width=16) for _ in range(2))
    tokens = [torch.randn(3, 6, 8)]
    deviation = head(tokens) - 0.5
    shape = torch.rand(6, 2)
    head.set_mean_shape(shape)
    torch.testing.assert_close(head(tokens), shape + deviation)
    assert deviation.abs().max() < 0.1
    restored.load_state_dict(head.state_dict())
    assert torch.equal(restored(tokens), head(tokens))


def test_points_keep_full_precision_under_autocast() -> None:
    torch.manual_seed(0)
    head = PerQueryHead([Tokens(6, 8)], 6, depth=1, width=16)
    tokens = torch.randn(3, 6, 8).bfloat16()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        points = head([tokens])
    assert points.dtype == torch.float32
    torch.testing.assert_close(points, head([tokens.float()]), rtol=0, atol=1e-6)


def test_head_has_no_penalty_of_its_own() -> None:
    head = PerQueryHead([Tokens(6, 8)], 6, depth=1, width=16)
    tokens = [torch.randn(3, 6, 8)]
    points, penalty = head.forward_train(tokens, torch.rand(3, 6, 2), torch.ones(3, 6, dtype=torch.bool))
    torch.testing.assert_close(points, head(tokens))
    assert float(penalty) == 0


@pytest.mark.parametrize("shape", [FeatureMap(8, 3, 4), Tokens(12, 8)], ids=["map", "tokens"])
def test_other_branches_are_asked_for_a_token_of_each_landmark(shape: FeatureMap | Tokens) -> None:
    torch.manual_seed(0)
    queries = LandmarkQueries(shape, 6)
    features = torch.randn(2, *shape)
    tokens = queries(features).detach().numpy()
    places = (
        features.numpy().reshape(2, 8, 12).transpose(0, 2, 1) if isinstance(shape, FeatureMap) else features.numpy()
    )
    weights = {name: parameter.detach().numpy() for name, parameter in queries.named_parameters()}
    placed = places + weights["positions"]
    keys, values = (placed @ weights[f"{name}.weight"].T + weights[f"{name}.bias"] for name in ("key", "value"))
    attention = softmax(weights["queries"] @ keys.transpose(0, 2, 1) / np.sqrt(8), axis=2)
    np.testing.assert_allclose(tokens, attention @ values, rtol=1e-4, atol=1e-5)
    assert PerQueryHead([shape], 6, depth=2, width=16)([features]).shape == (2, 6, 2)


def test_tokens_of_landmarks_are_taken_as_they_are() -> None:
    head = PerQueryHead([Tokens(6, 8)], 6, depth=1, width=16)
    assert not [name for name in head.state_dict() if name.startswith("queries")]  # so older checkpoints still load
