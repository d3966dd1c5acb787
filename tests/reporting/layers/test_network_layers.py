import pytest
import torch

from thermal_landmarks.errors import ConfigError
from thermal_landmarks.models.network import LandmarkNetwork
from thermal_landmarks.reporting.layers.network_layers import ATTENTION, find_layer, named_layers


@pytest.fixture
def make(settings_of):
    def network(stem: str, branch: str, head: str = "fully_connected", ensemble: int = 1) -> LandmarkNetwork:
        return LandmarkNetwork(
            root=settings_of("root", "paper"),
            stem=settings_of("stem", stem) | {"depth": 2, "strided_repeats": 1},
            branch=settings_of("branch", branch) | ({} if branch == "none" else {"depth": 2}),
            head=settings_of("head", head),
            in_channels=1,
            image_size=(40, 56),
            num_points=6,
            ensemble=ensemble,
        ).eval()

    return network


def test_layers_have_the_names_of_the_parts(make):
    names = list(named_layers(make("alt_conv_resnext", "luong", head="soft_argmax")))
    stem = [f"stem.{i}" for i in range(4)]
    assert names == ["root.0", "root.1", *stem, "branch.0", "branch.1", "head"]


def test_an_ensembles_layers_are_told_apart(make):
    network = make("conv", "none", ensemble=2)
    assert list(named_layers(network))[-2:] == ["components.1.stem.0", "components.1.stem.1"]
    assert find_layer(network, "last").module is network.components[0][0].layers[1]


@pytest.mark.parametrize(
    ("stem", "last", "second_to_last"),
    [
        ("alt_conv_resnext", "stem.3", "stem.2"),
        ("resnext", "stem.1", "stem.0"),
        ("alt_conv_luong", "stem.2", "stem.0"),  # attention is neither a convolution nor ResNeXt
    ],
)
def test_last_and_second_to_last_are_convolutions_or_resnext(make, stem, last, second_to_last):
    network = make(stem, "vit")
    assert find_layer(network, "last").name == last
    assert find_layer(network, "second_to_last").name == second_to_last


def test_the_last_attention_layer_is_found(make):
    assert find_layer(make("alt_conv_luong", "none"), "last", kinds=ATTENTION).name == "stem.3"
    assert find_layer(make("conv", "vit"), "last", kinds=ATTENTION).name == "branch.1"


def test_an_unknown_layer_is_answered_with_all_layers(make):
    with pytest.raises(
        ConfigError, match=r"Did you mean 'stem.1'\?(?s:.*)root\.0 +convolution(?s:.*)branch\.1 +transf"
    ):
        find_layer(make("resnext", "vit"), "stem1")
    with pytest.raises(ConfigError, match="no attention layer"):
        find_layer(make("conv", "none"), "last", kinds=ATTENTION)


def test_a_convolution_is_recorded_before_its_activation_and_only_while_asked(make):
    network = make("conv", "none")
    images = torch.randn(2, 1, 40, 56)
    with find_layer(network, "root.0").recording() as outputs, torch.no_grad():
        network(images)
    with torch.no_grad():
        network(images)
        convolution, normalisation, _ = network.root.layers[0]
        torch.testing.assert_close(outputs, [normalisation(convolution(images))])
    assert outputs[0].min() < 0


def test_tokens_become_a_map_of_patches(make):
    network = make("conv", "vit")
    layer = find_layer(network, "branch.0")
    tokens: list[torch.Tensor] = []
    network.components[0][1].layers[0].register_forward_hook(lambda _, __, output: tokens.append(output))
    with layer.recording() as outputs, torch.no_grad():
        network(torch.randn(1, 1, 40, 56))
    assert layer.grid == (3, 4)  # the stem's map is 5 x 7
    assert layer.cover == (6 / 5, 8 / 7)
    for row in range(3):
        for column in range(4):
            torch.testing.assert_close(outputs[0][0, :, row, column], tokens[0][0, row * 4 + column])


def test_heat_maps_come_without_their_margin(make):
    network = make("conv", "none", head="soft_argmax")
    with find_layer(network, "head").recording() as outputs, torch.no_grad():
        network(torch.randn(1, 1, 40, 56))
    assert outputs[0].shape == (1, 6, 5, 7)
