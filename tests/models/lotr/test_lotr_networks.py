"""LOTR's presets, and its parts mixed with those of the thermal models."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from thermal_landmarks.commands.configs import compose_config
from thermal_landmarks.models.complexity import count_flops, count_parameters
from thermal_landmarks.models.network import LandmarkNetwork

SettingsOf = Callable[[str, str], dict[str, Any]]


@pytest.fixture
def mix(settings_of: SettingsOf) -> Callable[..., LandmarkNetwork]:
    """A network of the named parts; LOTR's where none is named."""

    def make(
        *,
        root: str = "timm",
        stem: str = "projection",
        branch: str = "lotr",
        head: str = "per_query",
        ensemble: int = 1,
        **backbone: Any,
    ) -> LandmarkNetwork:
        if root == "timm":
            backbone = {"model": "mobilenetv2_035", "pretrained": False, **backbone}
        return LandmarkNetwork(
            root=settings_of("root", root) | backbone,
            stem=settings_of("stem", stem),
            branch=settings_of("branch", branch),
            head=settings_of("head", head),
            in_channels=1,
            image_size=(96, 112),
            num_points=6,
            ensemble=ensemble,
        )

    return make


@pytest.mark.parametrize(
    "parts",
    [
        {},
        {"stem": "deconvolution"},
        {"ensemble": 2},
        {"head": "fully_connected"},
        {"root": "paper", "stem": "conv"},
        {"root": "paper", "stem": "alt_conv_resnext", "head": "fully_connected"},
        {"branch": "luong"},
        {"stem": "deconvolution", "branch": "vit"},
        {"stem": "deconvolution", "branch": "none", "head": "soft_argmax"},
        {"stem": "deconvolution", "branch": "vit", "head": "fully_connected"},
        {"stem": "alt_conv_bahdanau", "stage": 2},
    ],
    ids=str,
)
def test_parts_can_be_mixed(parts: dict[str, Any], mix: Callable[..., LandmarkNetwork]) -> None:
    torch.manual_seed(0)
    network = mix(**parts)
    images = torch.randn(2, 1, 96, 112)
    points, _ = network.forward_train(images, torch.rand(2, 6, 2), torch.ones(2, 6, dtype=torch.bool))
    assert points.shape == (2, 6, 2)
    (points - torch.rand_like(points)).square().sum().backward()
    for name, parameter in network.named_parameters():
        assert (parameter.grad is not None) == parameter.requires_grad, name  # stages behind the chosen one are frozen
        if parameter.grad is None:
            continue
        assert parameter.grad.isfinite().all(), f"{name} has a gradient that is not finite"
    features = network.root(images)
    for module in network.components[0].children():
        features = module(features)
        assert features.shape[1:] == module.out_shape
    network.eval()
    restored = LandmarkNetwork(**network.settings).eval()
    restored.load_state_dict(network.state_dict())
    assert torch.equal(restored(images), network(images))


def test_permuted_queries_permute_the_landmarks(mix: Callable[..., LandmarkNetwork]) -> None:
    torch.manual_seed(0)
    network = mix().eval()
    torch.nn.init.normal_(network.head.point.weight)
    images = torch.randn(2, 1, 96, 112)
    before = network(images)
    order = torch.tensor([3, 0, 5, 1, 4, 2])
    component: Any = network.components[0]
    queries = component[1].queries
    with torch.no_grad():
        queries.copy_(queries[order])
    torch.testing.assert_close(network(images), before[:, order], rtol=1e-4, atol=1e-4)
    assert (before - before[:, order]).abs().max() > 1e-3


PRESETS = {  # tokens of the map, and the paper's billions of multiply-adds
    "m": ("LOTR-M", (64, 6, 6), 0.23),
    "m_plus": ("LOTR-M+", (64, 24, 24), 0.44),
    "r_plus": ("LOTR-R+", (64, 24, 24), 3.23),
    "hr_plus": ("LOTR-HR+", (64, 32, 32), None),
}


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_are_the_papers_models(preset: str) -> None:
    config = compose_config("train", [f"experiment=lotr/{preset}", "root.pretrained=false"])
    model_id, tokens, paper = PRESETS[preset]
    size = list(config.data.image_size)
    parts: dict[str, Any] = {part: dict(config[part]) for part in ("root", "stem", "branch", "head")}
    network = LandmarkNetwork(**parts, in_channels=config.data.in_channels, image_size=size, num_points=106)
    assert network.model_id == model_id
    assert size == ([256, 256] if preset == "hr_plus" else [192, 192])
    component: Any = network.components[0]
    assert tuple(component[0].out_shape) == tokens
    assert count_parameters(network) > 2e6
    if paper:
        # Ours counts the linear layers on landmark tokens as well: those of the head and of 2 decoder layers.
        head, feed_forward, projections = 64 * 512 + 512 * 512 + 512 * 2, 2 * 64 * 256, 6 * 64 * 64
        others = count_flops(network) / 2 - 106 * (head + 2 * (feed_forward + projections))
        assert round(others / 1e9, 2) == paper
