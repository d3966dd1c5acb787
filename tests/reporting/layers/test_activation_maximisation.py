from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch

from thermal_landmarks.errors import ConfigError
from thermal_landmarks.models.network import LandmarkNetwork
from thermal_landmarks.reporting.layers.activation_maximisation import (
    Ascent,
    Plain,
    Regularised,
    maximise,
    total_variation,
)
from thermal_landmarks.reporting.layers.network_layers import NamedLayer, find_layer, named_layers

MakeNetwork = Callable[..., LandmarkNetwork]
ASCENT = Ascent(
    form="plain",
    where="everywhere",
    steps=30,
    contrast=0.3,
    seed=0,
    plain=Plain(step=0.1, noise=0.1),
    regularised=Regularised(
        learning_rate=0.05,
        noise=0.01,
        spectrum_power=0.5,
        total_variation=0.02,
        shift_px=1,
        rotation_deg=5,
        zoom=0.05,
    ),
)
SIZE = (40, 52)


def network_of(settings: dict[str, Any]) -> LandmarkNetwork:
    torch.manual_seed(0)
    return LandmarkNetwork(**settings, in_channels=3, image_size=SIZE, num_points=6).eval()


@pytest.fixture(scope="module")
def settings() -> dict[str, dict[str, Any]]:
    layer = {"kernel_size": 3, "normalisation": "batch", "activation": "relu"}
    return {
        "root": {"name": "paper", "channels": [4, 8], **layer},
        "stem": {
            "name": "conv",
            "depth": 2,
            "width": 8,
            "width_growth": 1.0,
            "stride": 2,
            "strided_repeats": 1,
            **layer,
        },
        "branch": {"name": "none"},
        "head": {"name": "fully_connected", "dropout": 0.0},
    }


class LinearFilter(torch.nn.Module):
    """A network of one channel: the weighted sum of all pixels."""

    def __init__(self, weights: torch.Tensor) -> None:
        super().__init__()
        self.weights = torch.nn.Parameter(weights)
        self.output = torch.nn.Identity()
        self.image_shape = (1, *weights.shape)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.output((images[:, 0] * self.weights).sum(dim=(1, 2))[:, None, None, None])


def test_a_linear_filter_is_maximised_by_itself():
    weights = torch.randn(24, 32, generator=torch.Generator().manual_seed(1))
    network = LinearFilter(weights)
    layer = NamedLayer("filter", "linear", network.output)
    found = maximise(network, layer, [0], replace(ASCENT, steps=60, contrast=0.2))
    expected = 0.2 * weights / weights.square().mean().sqrt()
    torch.testing.assert_close(found.pictures[0, 0], expected.clamp(-1, 1), atol=2e-3, rtol=0)


@pytest.mark.parametrize("form", ["plain", "regularised"])
@pytest.mark.parametrize("where", ["everywhere", "centre"])
def test_the_activation_rises_and_pictures_stay_in_the_networks_input(settings, form, where):
    network = network_of(settings)
    layer = find_layer(network, "last")
    channels = [1, 4, 6]
    found = maximise(network, layer, channels, replace(ASCENT, form=form, where=where))
    assert found.pictures.shape == (3, 1, *SIZE)
    assert found.activation.shape == (ASCENT.steps + 1, 3)
    assert (found.activation[-1] > found.activation[0] + 0.02).all()
    assert found.activation[20:].mean() > found.activation[:10].mean()
    assert found.pictures.abs().max() <= 1
    assert (found.pictures.square().mean(dim=(1, 2, 3)).sqrt() <= ASCENT.contrast + 1e-4).all()


def test_the_reported_activation_is_that_of_the_channel_asked_for(settings):
    network = network_of(settings)
    found = maximise(network, find_layer(network, "root.1"), [5, 2], ASCENT)
    convolution, normalisation, _ = network.root.layers[1]
    with torch.no_grad():
        maps = normalisation(convolution(network.root.layers[0](found.pictures.expand(-1, 3, -1, -1))))
    torch.testing.assert_close(found.activation[-1], torch.stack([maps[0, 5].mean(), maps[1, 2].mean()]))


def test_the_central_pixel_alone_sees_only_its_surroundings(settings):
    network = network_of(settings)
    layer = find_layer(network, "root.0")
    found = maximise(network, layer, [0], replace(ASCENT, where="centre", plain=Plain(step=0.1, noise=0.0)))
    touched = found.pictures[0, 0].nonzero()
    assert touched.min(dim=0).values.tolist() == [19, 25]  # row 10 and column 13 of the map, strides of 2, 3 x 3 pixels
    assert touched.max(dim=0).values.tolist() == [21, 27]


def test_regularised_pictures_vary_less_from_pixel_to_pixel(settings):
    network = network_of(settings)
    layer = find_layer(network, "last")
    smooth = replace(ASCENT, regularised=replace(ASCENT.regularised, total_variation=0.3, spectrum_power=1.0))
    plain, regularised = (
        maximise(network, layer, [0, 3], replace(smooth, form=form)).pictures for form in ("plain", "regularised")
    )
    contrast = [p.square().mean(dim=(1, 2, 3)).sqrt() for p in (plain, regularised)]
    assert (total_variation(regularised) / contrast[1] < 0.6 * total_variation(plain) / contrast[0]).all()


def test_the_same_seed_gives_the_same_pictures(settings):
    network = network_of(settings)
    layer = find_layer(network, "last")
    first, same, other = (
        maximise(network, layer, [0], replace(ASCENT, form="regularised", steps=3, seed=seed)).pictures
        for seed in (0, 0, 1)
    )
    assert torch.equal(first, same)
    assert not torch.equal(first, other)


def test_total_variation_sums_differences_between_neighbours():
    picture = torch.tensor([[0.0, 1.0, 3.0], [0.0, 0.0, -1.0]])
    assert total_variation(picture[None, None]).item() == (1 + 2 + 0 + 1) + (0 + 1 + 4)


@pytest.mark.parametrize("wrong", [{"form": "fancy"}, {"where": "left"}, {"steps": 0}, {"contrast": 0.0}])
def test_wrong_settings_are_named(wrong):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        replace(ASCENT, **wrong)


@pytest.mark.parametrize(
    ("stem", "branch"),
    [
        ("conv", "none"),
        ("resnext", "luong"),
        ("alt_conv_luong", "vit"),
        ("alt_conv_bahdanau", "bahdanau"),
        ("alt_conv_resnext", "vit"),
    ],
)
def test_every_layer_of_every_kind_can_be_maximised(settings_of, stem, branch):
    head = settings_of("head", "fully_connected")
    network = LandmarkNetwork(
        root=settings_of("root", "paper"),
        stem=settings_of("stem", stem) | {"depth": 2},
        branch=settings_of("branch", branch) | ({} if branch == "none" else {"depth": 2}),
        head=head,
        in_channels=1,
        image_size=(46, 62),
        num_points=6,
    ).eval()
    layers = named_layers(network)
    assert len(layers) >= 4
    for layer in layers.values():
        found = maximise(network, layer, [1, 0], replace(ASCENT, steps=6))
        assert found.pictures.isfinite().all()
        assert (found.activation[-1] > found.activation[0]).all(), layer.name
