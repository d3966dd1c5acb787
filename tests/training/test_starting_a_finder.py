import pytest
import torch

from thermal_landmarks.building import build
from thermal_landmarks.commands.configs import compose_config
from thermal_landmarks.errors import ConfigError
from thermal_landmarks.models.checkpoint import load_finder
from thermal_landmarks.models.starting_weights import start_from
from thermal_landmarks.training.finder_module import FinderModule, build_finder


def finder(*overrides: str) -> FinderModule:
    cfg = compose_config("train", ["experiment=recipes/face_finder", "data.source.images=4", *overrides])
    return build_finder(cfg, build("data", cfg.data))


def test_a_finder_starts_from_the_shipped_one() -> None:
    module = finder()
    assert start_from(module.network, "face_finder") == "Weights of face_finder: root, stem, head"
    shipped = load_finder().network.state_dict()
    for name, value in module.network.state_dict().items():
        torch.testing.assert_close(value, shipped[name], msg=name)


def test_another_root_is_refused_by_name() -> None:
    with pytest.raises(ConfigError, match=r"weights=face_finder: only \d+ of the root's \d+ tensors"):
        start_from(finder("root.channels=[8,16]").network, "face_finder")


def test_weights_of_landmarks_are_no_start_for_a_finder() -> None:
    with pytest.raises(ConfigError, match="finds no faces"):
        start_from(finder().network, "thermal_real")
