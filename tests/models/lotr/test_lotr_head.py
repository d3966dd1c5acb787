from typing import Any

import pytest
import torch

from thermal_landmarks.errors import ConfigError
from thermal_landmarks.models.lotr.head import PerQueryHead
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


@pytest.mark.parametrize(
    ("shape", "found"),
    [(FeatureMap(64, 6, 6), r"a feature map of shape \(64, 6, 6\)"), (Tokens(36, 64), r"tokens of shape \(36, 64\)")],
)
def test_a_branch_without_landmark_queries_is_refused(shape: FeatureMap | Tokens, found: str) -> None:
    with pytest.raises(ConfigError, match=rf"one token for each of 6 landmarks.*{found}.*branch=lotr, or head="):
        PerQueryHead([shape], 6, depth=2, width=16)
