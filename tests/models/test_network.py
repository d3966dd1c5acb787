import io
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from thermal_landmarks.errors import ConfigError
from thermal_landmarks.models.network import STEM_LETTERS, LandmarkNetwork, model_id
from thermal_landmarks.models.registry import BRANCHES

MakeNetwork = Callable[..., LandmarkNetwork]
SettingsOf = Callable[[str, str], dict[str, Any]]

PAIRS = [(stem, branch) for stem in STEM_LETTERS for branch in BRANCHES.names()]  # LOTR's stems: test_lotr_networks


def assert_trains(network: LandmarkNetwork, images: Tensor) -> None:
    points = network(images)
    assert points.shape == (len(images), 6, 2)
    (points - torch.rand_like(points)).square().sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, f"{name} takes no part"
        assert parameter.grad.isfinite().all(), f"{name} has a gradient that is not finite"


@pytest.mark.parametrize("ensemble", [1, 3])
@pytest.mark.parametrize(("stem", "branch"), PAIRS)
def test_every_pair_trains_at_an_odd_size(stem: str, branch: str, ensemble: int, make_network: MakeNetwork) -> None:
    torch.manual_seed(0)
    network = make_network(stem, branch, ensemble=ensemble)
    assert_trains(network, torch.randn(2, 1, 90, 110))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("stem", "branch", "ensemble"), [*((*pair, 1) for pair in PAIRS), ("alt_conv_resnext", "vit", 3)]
)
def test_every_pair_trains_at_the_papers_size(stem: str, branch: str, ensemble: int, make_network: MakeNetwork) -> None:
    torch.manual_seed(0)
    network = make_network(stem, branch, image_size=(480, 640), in_channels=3, ensemble=ensemble)
    assert tuple(network.root.out_shape) == (64, 120, 160)
    network = network.to(memory_format=torch.channels_last)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert_trains(network, torch.randn(1, 3, 480, 640).contiguous(memory_format=torch.channels_last))


@pytest.mark.parametrize(("stem", "branch"), PAIRS)
def test_saved_weights_and_settings_restore_every_pair(
    stem: str, branch: str, tmp_path: Path, make_network: MakeNetwork
) -> None:
    torch.manual_seed(0)
    network = make_network(stem, branch, ensemble=2, image_size=(64, 80)).eval()
    torch.save({"settings": network.settings, "weights": network.state_dict()}, tmp_path / "network.pt")
    stored = torch.load(tmp_path / "network.pt", weights_only=True)
    restored = LandmarkNetwork(**stored["settings"]).eval()
    restored.load_state_dict(stored["weights"])
    images = torch.randn(2, 1, 64, 80)
    assert torch.equal(restored(images), network(images))
    assert restored.settings == network.settings


@pytest.mark.parametrize(("stem", "branch"), PAIRS)
def test_the_shape_that_a_component_announces_is_the_one_it_gives(
    stem: str, branch: str, make_network: MakeNetwork
) -> None:
    network = make_network(stem, branch)
    features = network.root(torch.zeros(2, 1, 90, 110))
    assert features.shape[1:] == network.root.out_shape
    for module in network.components[0].children():
        features = module(features)
        assert features.shape[1:] == module.out_shape


def test_ids_are_those_of_the_papers_table(make_network: MakeNetwork) -> None:
    stems = ("conv", "resnext", "alt_conv_luong", "alt_conv_bahdanau", "alt_conv_resnext")
    ids = [model_id(stem, branch) for stem in stems for branch in ("none", "luong", "bahdanau", "vit")]
    assert ids == [f"{letter}-{number}" for letter in "CRLBA" for number in "1234"]
    assert make_network("alt_conv_resnext", "luong").model_id == "A-2"
    assert model_id("mine", "none") == "mine/none"


def test_mean_shape_is_what_an_untrained_network_predicts_on_average(make_network: MakeNetwork) -> None:
    torch.manual_seed(0)
    network = make_network("alt_conv_resnext", "luong")
    shape = torch.rand(6, 2)
    network.set_mean_shape(shape)
    predicted = network(torch.rand(32, 1, 90, 110) * 2 - 1)
    assert (predicted.mean(dim=0) - shape).abs().max() < 0.2
    blank = network.head([torch.zeros(1, network.head.linear.in_features)])
    torch.testing.assert_close(blank[0], shape)


def test_ensemble_has_one_root_and_one_head_over_all_components(make_network: MakeNetwork) -> None:
    single, triple = (make_network("conv", "luong", ensemble=count) for count in (1, 3))
    assert len(triple.components) == 3
    assert triple.head.linear.in_features == 3 * single.head.linear.in_features
    images = torch.randn(2, 1, 90, 110)
    triple.eval()
    features = triple.root(images)
    joined = [component(features) for component in triple.components]
    torch.testing.assert_close(triple(images), triple.head(joined))
    assert sum(p.numel() for p in triple.root.parameters()) == sum(p.numel() for p in single.root.parameters())
    assert not torch.equal(next(triple.components[0].parameters()), next(triple.components[1].parameters()))


def test_one_step_of_adam_moves_the_points_by_less_than_an_image_width(make_network: MakeNetwork) -> None:
    torch.manual_seed(0)
    network = make_network("alt_conv_resnext", "none", image_size=(120, 160))
    images = torch.randn(8, 1, 120, 160)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    before = network(images)
    (before - 2).abs().sum().backward()
    optimizer.step()
    assert 0 < (network(images) - before).abs().max() < 1


def test_settings_are_plain_data_without_search_ranges(make_network: MakeNetwork) -> None:
    network = make_network("conv", "vit")
    assert "search" not in network.settings["stem"]
    assert network.settings["root"]["channels"] == [32, 64]
    buffer = io.BytesIO()
    torch.save(network.settings, buffer)
    buffer.seek(0)
    assert torch.load(buffer, weights_only=True) == network.settings


def test_image_of_another_size_is_refused_with_both_shapes(make_network: MakeNetwork) -> None:
    with pytest.raises(ConfigError, match=r"\(1, 90, 110\), found \(3, 90, 110\)"):
        make_network("conv", "none")(torch.zeros(1, 3, 90, 110))


def test_image_too_small_for_the_strides_names_the_component(make_network: MakeNetwork) -> None:
    with pytest.raises(
        ConfigError, match=r"stem shrinks by 2 a map of only 1x2.*stem\.stride or stem\.strided_repeats"
    ):
        make_network("conv", "none", image_size=(12, 32))
    with pytest.raises(ConfigError, match=r"root shrinks by 2.*fewer root\.channels"):
        make_network("conv", "none", image_size=(1, 32))


@pytest.mark.parametrize(
    ("group", "change", "message"),
    [
        ("stem", {"depth": 0}, "stem's depth must be a whole number of at least 1, found 0"),
        ("stem", {"depth": "three"}, "stem's depth must be a whole number of at least 1, found 'three'"),
        ("stem", {"depth": 2.5}, "stem's depth must be a whole number of at least 1, found 2.5"),
        ("stem", {"width": None}, "stem's width must be a whole number of at least 1, found None"),
        ("stem", {"stride": True}, "stem's stride must be a whole number of at least 1, found True"),
        ("stem", {"kernel_size": "3"}, "stem's kernel_size must be odd and positive, found '3'"),
        ("stem", {"width_growth": "double"}, "stem's width_growth must be a number, found 'double'"),
        ("stem", {"width_growth": math.inf}, "stem's width_growth must be a number, found inf"),
        ("stem", {"strided_repeats": 2.5}, "stem's strided_repeats must be a whole number of at least 0.*found 2.5"),
        ("branch", {"chunk_megabytes": "all"}, "chunk_megabytes must be a number, found 'all'"),
        ("head", {"dropout": "none"}, "head's dropout must be a number, found 'none'"),
        ("root", {"channels": 32}, "root's channels must be a list.*found 32"),
        ("root", {"channels": [32, 6.5]}, "root's channels must be a whole number of at least 1, found 6.5"),
        ("stem", {"kernel_size": 4}, "stem's kernel_size must be odd"),
        ("stem", {"cardinality": -1}, "cardinality must be a whole number of at least 1"),
        ("stem", {"width_growth": 0.0}, "width_growth must be positive"),
        ("branch", {"width": 0}, "branch's width must be a whole number of at least 1"),
        ("head", {"dropout": 1.0}, "dropout must lie in"),
        ("root", {"channels": []}, "channels must be a list"),
    ],
)
def test_settings_out_of_range_are_named(
    group: str, change: dict[str, object], message: str, settings_of: SettingsOf
) -> None:
    parts: dict[str, Any] = {
        "root": settings_of("root", "paper"),
        "stem": settings_of("stem", "alt_conv_resnext"),
        "branch": settings_of("branch", "luong"),
        "head": settings_of("head", "fully_connected"),
    }
    parts[group] |= change
    with pytest.raises(ConfigError, match=message):
        LandmarkNetwork(**parts, in_channels=1, image_size=(90, 110), num_points=6)


@pytest.mark.slow
@pytest.mark.parametrize(("stem", "branch", "ensemble"), [("alt_conv_luong", "luong", 1), ("resnext", "vit", 3)])
def test_weakest_pairs_learn_to_follow_a_blob(stem: str, branch: str, ensemble: int, make_network: MakeNetwork) -> None:
    torch.manual_seed(0)
    network = make_network(stem, branch, image_size=(44, 60), ensemble=ensemble)
    optimizer = torch.optim.Adam(network.parameters(), lr=2e-3)
    y, x = torch.meshgrid(torch.arange(44) / 44, torch.arange(60) / 60, indexing="ij")
    losses = []
    for _ in range(50):
        centre = 0.2 + 0.6 * torch.rand(16, 2)
        distance = (x - centre[:, 0, None, None]).square() + (y - centre[:, 1, None, None]).square()
        images = torch.exp(-distance / 0.02)[:, None]
        error = (network(images) - centre[:, None]).abs()
        loss = 10 * torch.log1p(error / 2).sum(dim=(1, 2)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    constant = 12 * 10 * math.log1p(0.15 / 2)  # the best constant answer errs by a quarter of the range
    assert sum(losses[-10:]) / 10 < 0.4 * constant
