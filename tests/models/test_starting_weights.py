import pytest
import torch

from thermal_landmarks.errors import ConfigError
from thermal_landmarks.models.network import LandmarkNetwork
from thermal_landmarks.models.starting_weights import load_matching_weights

IMAGES = torch.rand(2, 1, 90, 110, generator=torch.Generator().manual_seed(0))


def changed(network: LandmarkNetwork, **settings) -> LandmarkNetwork:
    return LandmarkNetwork(**network.settings | settings).eval()


def test_the_same_network_predicts_the_same(make_network):
    trained = make_network("alt_conv_resnext", "luong").eval()
    network = changed(trained)
    assert not torch.allclose(network(IMAGES), trained(IMAGES))
    counts = load_matching_weights(network, trained)
    assert all(taken == total for taken, total in counts.values())
    torch.testing.assert_close(network(IMAGES), trained(IMAGES))


def test_what_does_not_fit_stays_as_it_was(make_network):
    trained, other = make_network("alt_conv_resnext", "luong"), make_network("alt_conv_resnext", "vit").settings
    network = changed(trained, branch=other["branch"], num_points=16)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    counts = load_matching_weights(network, trained)
    assert counts["root"][0] == counts["root"][1] > 0
    assert counts["stem"][0] == counts["stem"][1] > 0
    assert counts["branch"][0] == 0 < counts["branch"][1]
    assert counts["head"][0] < counts["head"][1]
    there = trained.state_dict()
    for name, tensor in network.state_dict().items():
        own = name.startswith(("components.0.1.", "head.")) and there.get(name, torch.empty(0)).shape != tensor.shape
        torch.testing.assert_close(tensor, before[name] if own else there[name])


def test_another_root_is_refused_with_its_settings(make_network):
    trained = make_network("conv", "none")
    network = changed(trained, root={**trained.settings["root"], "channels": [8, 8]})
    with pytest.raises(ConfigError, match=r"only 0 of the root's 4 tensors .*'channels': \[32, 64\]"):
        load_matching_weights(network, trained)


@pytest.mark.parametrize(("places", "warnings"), [("stretched", 0), ("centres", 1)])
def test_heat_maps_whose_cells_lie_elsewhere_are_said(make_network, caplog, places, warnings):
    head = {"name": "soft_argmax", "margin": 1, "dropout": 0.0, "heat_weight": 1.0, "heat_sigma": 1.0}
    trained = changed(make_network("conv", "none"), head=head)
    load_matching_weights(changed(trained, head=head | {"places": places}), trained)
    assert sum("head.places=stretched" in message for message in caplog.messages) == warnings
