"""Backbones of timm as roots, without a network: weights are random, or a download is played."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import huggingface_hub.constants
import pytest
import timm
import timm.models._builder
import torch

from thermal_landmarks.errors import ConfigError
from thermal_landmarks.models.network import LandmarkNetwork
from thermal_landmarks.models.shapes import FeatureMap
from thermal_landmarks.models.timm_root import TimmRoot

SMALL = "mobilenetv2_050"
MEAN, STD = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])


@pytest.fixture
def played_download(monkeypatch: pytest.MonkeyPatch) -> dict[str, torch.Tensor]:
    """Random weights of a three-channel network, which every download gives."""
    torch.manual_seed(0)
    weights: dict[str, torch.Tensor] = timm.create_model(SMALL).state_dict()
    for name, value in weights.items():
        if name.endswith("running_mean"):
            value.normal_(std=0.1)
    monkeypatch.setattr(timm.models._builder, "load_state_dict_from_hf", lambda *_, **__: dict(weights))
    return weights


@pytest.mark.parametrize(
    ("model", "stage", "shape"),
    [
        ("mobilenetv2_050", None, (1280, 3, 4)),
        ("mobilenetv2_050", 4, (160, 3, 4)),
        ("mobilenetv2_050", 2, (16, 12, 16)),
        ("resnet18", 1, (64, 24, 32)),
        ("hrnet_w18_small", 3, (512, 6, 8)),
    ],
)
def test_stage_gives_the_map_that_the_root_announces_and_only_its_weights_are_trained(
    model: str, stage: int | None, shape: tuple[int, ...]
) -> None:
    root = TimmRoot(FeatureMap(1, 96, 128), model=model, stage=stage, pretrained=False)
    features = root(torch.randn(2, 1, 96, 128))
    assert tuple(root.out_shape) == shape
    assert features.shape[1:] == shape
    features.square().sum().backward()
    for name, parameter in root.named_parameters():
        assert (parameter.grad is not None) == parameter.requires_grad, name


@pytest.mark.parametrize("stage", [None, 3])
def test_colour_images_reach_the_backbone_as_it_was_trained(stage: int | None) -> None:
    root = TimmRoot(FeatureMap(3, 64, 64), model=SMALL, stage=stage, pretrained=False).eval()
    images = torch.rand(2, 3, 64, 64)
    backbone: Any = timm.create_model(SMALL).eval()
    backbone.load_state_dict(root.backbone.state_dict(), strict=False)
    expected = (images - MEAN[:, None, None]) / STD[:, None, None]
    if stage is None:
        expected = backbone.forward_features(expected)
    else:
        expected = backbone.forward_intermediates(expected, indices=[stage], intermediates_only=True)[0]
    torch.testing.assert_close(root(2 * images - 1), expected, rtol=1e-4, atol=1e-4)


def test_pretrained_weights_of_three_colours_are_summed_for_a_thermal_channel(
    played_download: dict[str, torch.Tensor],
) -> None:
    root = TimmRoot(FeatureMap(1, 64, 64), model=SMALL, stage=None, pretrained=True).eval()
    summed = played_download["conv_stem.weight"].sum(dim=1, keepdim=True)
    torch.testing.assert_close(root.backbone.conv_stem.weight.detach(), summed)
    unchanged = "blocks.3.0.conv_dw.weight"
    assert torch.equal(root.backbone.state_dict()[unchanged], played_download[unchanged])
    gray = torch.rand(2, 1, 64, 64)
    colour: Any = timm.create_model(SMALL)
    colour.load_state_dict(played_download)
    three = ((gray - MEAN.mean()) / STD.mean()).expand(-1, 3, -1, -1)
    torch.testing.assert_close(root(2 * gray - 1), colour.eval().forward_features(three), rtol=1e-4, atol=1e-4)


def test_a_restored_network_does_not_fetch_weights_again(
    played_download: dict[str, torch.Tensor], settings_of: Callable[[str, str], dict[str, Any]], offline: None
) -> None:
    network = LandmarkNetwork(
        root=settings_of("root", "timm") | {"model": SMALL},
        stem=settings_of("stem", "projection"),
        branch=settings_of("branch", "lotr"),
        head=settings_of("head", "per_query"),
        in_channels=1,
        image_size=(64, 64),
        num_points=6,
    ).eval()
    name = "blocks.3.0.conv_dw.weight"
    assert torch.equal(network.root.backbone.state_dict()[name], played_download[name])
    assert network.settings["root"]["pretrained"] is False
    restored = LandmarkNetwork(**network.settings).eval()
    restored.load_state_dict(network.state_dict())
    images = torch.rand(1, 1, 64, 64)
    assert torch.equal(restored(images), network(images))


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No network and an empty cache of weights."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))


def test_weights_out_of_reach_are_an_error_that_says_what_to_set(offline: None) -> None:
    with pytest.raises(ConfigError, match=rf"weights of {SMALL} can't be fetched.*set root\.pretrained=false"):
        TimmRoot(FeatureMap(1, 64, 64), model=SMALL, stage=None, pretrained=True)


@pytest.mark.parametrize(
    ("model", "stage", "message"),
    [
        ("mobilenet_v2", None, r"no model 'mobilenet_v2' \(root\.model\).*mobilenetv2_"),
        ("resnet18", 5, "root.stage must be null or a whole number from 0 to 4 for resnet18, found 5"),
        ("resnet18", -1, "found -1"),
        ("resnet18", 1.5, "found 1.5"),
        ("vit_tiny_patch16_224", None, r"gives \(197, 192\)\. Set root\.model to a convolutional network"),
    ],
)
def test_wrong_settings_are_named(model: str, stage: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        TimmRoot(FeatureMap(1, 224, 224), model=model, stage=stage, pretrained=False)
