"""The finder's second look: what it sees of a face, and what becomes of the score."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from thermal_landmarks.data.annotation import ThermalImage
from thermal_landmarks.errors import ConfigError
from thermal_landmarks.inference.finder import Finder
from thermal_landmarks.inference.second_look import SHARE, SecondLook, middle, normalised
from thermal_landmarks.models.checkpoint import load_finder
from thermal_landmarks.models.face_decoding import Detections
from thermal_landmarks.models.network import FinderNetwork

SettingsOf = Callable[[str, str], dict[str, Any]]
FOUND = Detections(
    np.array([[30, 20, 54, 52], [90, 60, 96, 68]], dtype=np.float32),
    np.array([0.6, 0.2], dtype=np.float32),
    np.array([0.2, 0.0], dtype=np.float32),
)


@pytest.fixture
def network(settings_of: SettingsOf) -> FinderNetwork:
    torch.manual_seed(0)
    stem = settings_of("stem", "pyramid") | {"width": [8, 8, 16], "depth": [1, 1, 1], "out_width": None}
    parts = {"stem": stem, "branch": settings_of("branch", "none"), "head": settings_of("head", "center_map")}
    root = settings_of("root", "paper") | {"channels": [4, 8]}
    return FinderNetwork(root=root, in_channels=1, image_size=(64, 64), **parts).eval()


def scene() -> ThermalImage:
    return ThermalImage(np.random.default_rng(0).normal(25, 4, (96, 128)).astype(np.float32), "celsius")


def test_a_pyramid_without_the_way_up_gives_its_coarsest_map(network: FinderNetwork) -> None:
    assert network.stride == 16
    assert network(torch.zeros(2, 1, 64, 64)).score.shape == (2, 4, 4)


def test_both_looks_are_joined_by_their_weights(network: FinderNetwork) -> None:
    def score(*weights: float) -> np.ndarray:
        finder = Finder(network, second_look=SecondLook(network, weights))
        return finder.verified(scene(), FOUND).score

    assert_allclose(score(0, 1, 0), FOUND.score, rtol=1e-5)
    assert_allclose(score(1, 0, 0), 1 / (1 + np.exp(-1)), rtol=1e-5)
    first, second, joined = (np.log(p / (1 - p)) for p in (FOUND.score, score(0, 0, 1), score(0.5, 2, 3)))
    assert_allclose(joined, 0.5 + 2 * first + 3 * second, atol=1e-3)
    assert Finder(network).verified(scene(), FOUND) is FOUND


def test_what_is_seen_depends_neither_on_the_unit_nor_on_the_mirror(network: FinderNetwork) -> None:
    look, image = SecondLook(network, (0, 0, 1)), torch.from_numpy(scene().values)
    boxes, angle, score = torch.tensor([[40.0, 30, 70, 70]]), torch.tensor([0.3]), torch.tensor([0.5])
    with torch.no_grad():
        once = look(image, boxes, angle, score)
        torch.testing.assert_close(look(image * 7 - 90, boxes, angle, score), once, rtol=1e-3, atol=1e-4)
        mirrored = torch.tensor([[127 - 70.0, 30, 127 - 40, 70]])
        torch.testing.assert_close(look(image.flip(1), mirrored, -angle, score), once, rtol=1e-3, atol=1e-4)
        assert look(image, boxes[:0], angle[:0], score[:0]).shape == (0,)


def test_a_face_fills_its_share_of_the_crop_upright(network: FinderNetwork) -> None:
    """A bright ellipse as large as the box, which leans: in the crop it is upright, in the middle, and half as high."""
    angle, half = 0.5, np.array([15.0, 15 * (1.3 / 0.7) ** 0.5])
    y, x = np.mgrid[:120, :160] - np.array([60.0, 80.0])[:, None, None]
    u, v = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    image = ((u / half[0]) ** 2 + (v / half[1]) ** 2 <= 1).astype(np.float32)
    along, across = half[1] ** 2, half[0] ** 2
    cos2, sin2 = np.cos(angle) ** 2, np.sin(angle) ** 2
    reach = np.sqrt([across * cos2 + along * sin2, across * sin2 + along * cos2])
    box = torch.tensor([[*(np.array([80, 60]) - reach), *(np.array([80, 60]) + reach)]], dtype=torch.float32)
    seen: list[torch.Tensor] = []
    look = SecondLook(network, (0, 0, 1))
    look.network.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    with torch.no_grad():
        look(torch.from_numpy(image), box, torch.tensor([angle]), torch.tensor([0.5]))
    bright = np.argwhere(seen[0][0, 0].numpy() > 0)
    assert_allclose(bright.mean(axis=0), [31.5, 31.5], atol=1)
    assert_allclose(np.ptp(bright, axis=0) + 1, [64 * SHARE, 64 * SHARE * half[0] / half[1]], atol=2)


def test_crops_have_one_contrast_and_no_extremes() -> None:
    crops = torch.randn(3, 1, 64, 64) * torch.tensor([0.1, 1, 90]).view(3, 1, 1, 1) + 30
    crops[1, 0, 5, 5] = 1e4
    seen = normalised(crops)
    assert seen.abs().max() <= 1.5
    assert_allclose(seen[[0, 2]].std(dim=(1, 2, 3)), 0.6, rtol=0.02)
    assert normalised(torch.full((1, 1, 64, 64), 20.0)).abs().max() == 0
    assert_allclose(middle(torch.arange(16.0).view(1, 4, 4)), [7.5])


def test_a_finders_file_holds_it(network: FinderNetwork, settings_of: SettingsOf, tmp_path: Path) -> None:
    weights = {f"{prefix}.{k}": v for prefix in ("network", "second_look") for k, v in network.state_dict().items()}
    second = {"network": network.settings, "weights": [0.1, 1.0, 0.5]}
    settings = {"task": "faces", "network": network.settings, "second_look": second}
    torch.save({"hyper_parameters": settings, "state_dict": weights}, tmp_path / "finder.ckpt")
    loaded = load_finder(tmp_path / "finder.ckpt").second_look
    assert loaded is not None
    expected = SecondLook(network, [0.1, 1.0, 0.5]).log_odds(torch.ones(1, 1, 64, 64).cumsum(3))
    assert_allclose(SecondLook(*loaded).log_odds(torch.ones(1, 1, 64, 64).cumsum(3)).detach(), expected.detach())
    assert Finder.from_checkpoint(tmp_path / "finder.ckpt").second_look is not None
    del weights["second_look.head.maps.bias"]
    torch.save({"hyper_parameters": settings, "state_dict": weights}, tmp_path / "finder.ckpt")
    with pytest.raises(ConfigError, match=r"finder\.ckpt"):
        load_finder(tmp_path / "finder.ckpt")
