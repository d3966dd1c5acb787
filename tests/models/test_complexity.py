from collections.abc import Callable
from typing import Any

import pytest
import torch

from thermal_landmarks.models.complexity import (
    count_flops,
    count_parameters,
    latency_ms,
    memory_per_sample_bytes,
    model_row,
)
from thermal_landmarks.models.network import BRANCH_NUMBERS, STEM_LETTERS, LandmarkNetwork

MakeNetwork = Callable[..., LandmarkNetwork]
SettingsOf = Callable[[str, str], dict[str, Any]]

PAPER_PARAMETERS = {"C-1": 383100, "L-1": 618844, "B-1": 592748, "A-1": 762052, "A-2": 91280, "A-3": 541380}


def convolution(inputs: int, outputs: int, kernel: int, height: int, width: int) -> int:
    return 2 * inputs * outputs * kernel**2 * height * width


def test_parameters_and_operations_equal_those_counted_by_hand(make_network: MakeNetwork) -> None:
    network = make_network("conv", "luong", image_size=(480, 640), in_channels=3)
    root = [(3, 32, 3, 240, 320), (32, 64, 3, 120, 160)]
    stem = [(64, 16, 3, 60, 80), (16, 32, 3, 30, 40), (32, 64, 3, 15, 20)]
    attention = 2 * [(8, 24, 1, 15, 20)]
    lead = (64, 8, 1, 15, 20)
    weights = sum(i * o * k**2 for i, o, k, _, _ in [*root, *stem, lead, *attention])
    normalisations = 2 * (32 + 64 + 16 + 32 + 64 + 8 + 8)
    biases = 8
    head = 12 * (8 * 15 * 20 + 1)
    root_biases = 0 if network.settings["root"]["normalisation"] == "batch" else 32 + 64 - 2 * (32 + 64)
    assert count_parameters(network) == weights + normalisations + root_biases + biases + head
    operations = sum(convolution(*layer) for layer in [*root, *stem, lead, *attention])
    scores = 2 * 2 * 2 * 8 * 8 * 15 * 20
    assert count_flops(network) == operations + scores + 2 * 12 * 8 * 15 * 20


def test_operations_of_a_transformer_equal_those_counted_by_hand(make_network: MakeNetwork) -> None:
    network = make_network("conv", "vit", image_size=(480, 640), in_channels=3)
    root = [(3, 32, 3, 240, 320), (32, 64, 3, 120, 160)]
    stem = [(64, 16, 3, 60, 80), (16, 32, 3, 30, 40), (32, 64, 3, 15, 20)]
    tokens, dim, hidden, layers = 8 * 10, 96, 192, 4  # 15x20 pixels, padded, in patches of 2x2
    embedding = 2 * tokens * 64 * 2**2 * dim
    layer = 2 * tokens * dim * (3 * dim + dim + 2 * hidden) + 4 * tokens**2 * dim
    head = 2 * 12 * tokens * dim
    convolutions = sum(convolution(*layer) for layer in [*root, *stem])
    assert count_flops(network) == convolutions + embedding + layers * layer + head


def test_measuring_leaves_the_network_as_it_was(make_network: MakeNetwork) -> None:
    network = make_network("alt_conv_resnext", "luong").train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    count_flops(network)
    memory_per_sample_bytes(network)
    assert network.training
    assert all(module.training for module in network.modules())
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert not any(parameter.grad is not None for parameter in network.parameters())


def test_memory_of_a_sample_is_that_of_the_kept_maps(make_network: MakeNetwork) -> None:
    network = make_network("conv", "none", image_size=(96, 128))
    maps = 32 * 48 * 64 + 64 * 24 * 32 + 16 * 12 * 16 + 32 * 6 * 8 + 64 * 3 * 4  # after each convolution
    image = 96 * 128
    memory = memory_per_sample_bytes(network)
    assert 4 * maps < memory < 4 * (3 * maps + image)
    assert abs(memory_per_sample_bytes(network, batch_size=4) - memory) < 0.05 * memory


def test_memory_does_not_grow_with_the_square_of_the_channels(
    make_network: MakeNetwork, settings_of: SettingsOf
) -> None:
    def memory(width: int) -> int:
        network = make_network("conv", "none")
        settings = network.settings | {"branch": settings_of("branch", "luong") | {"width": width}}
        return memory_per_sample_bytes(type(network)(**settings))

    small, large = memory(64), memory(256)
    assert 0 < large - small < 20 * 2 * (256 - 64) * 3 * 4 * 4  # 20 planes in each of 2 layers, 3x4 pixels, 4 bytes


def test_a_row_names_the_pair_and_what_it_costs(make_network: MakeNetwork) -> None:
    row = model_row(make_network("alt_conv_resnext", "luong", image_size=(60, 80)))
    assert (row.model_id, row.stem, row.branch, row.latency_ms) == ("A-2", "alt_conv_resnext", "luong", None)
    assert min(row.parameters, row.gflops, row.memory_per_sample_bytes) > 0


@pytest.mark.parametrize("name", PAPER_PARAMETERS)
def test_sizes_are_near_the_papers(name: str, make_network: MakeNetwork) -> None:
    stem = next(stem for stem, letter in STEM_LETTERS.items() if letter == name[0])
    branch = next(branch for branch, number in BRANCH_NUMBERS.items() if number == name[2])
    network = make_network(stem, branch, image_size=(480, 640), in_channels=3)
    assert 0.3 < count_parameters(network) / PAPER_PARAMETERS[name] < 3


def test_time_grows_with_the_image(make_network):
    small, large = (make_network("conv", "none", image_size=size) for size in ((32, 32), (480, 640)))
    assert 0 < latency_ms(small) < latency_ms(large)
