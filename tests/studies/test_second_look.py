"""How the second look is made: what it learns from, and how it is joined with the finder's score."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import second_look
import torch
from numpy.testing import assert_allclose
from scipy.special import expit

from thermal_landmarks.models.checkpoint import find_finder, load_finder
from thermal_landmarks.models.face_decoding import Detections


def test_crops_are_moved_and_keep_one_contrast() -> None:
    stored = torch.zeros(40, 96, 96)
    stored[:, 30:66, 36:60] = 5.0
    crops = second_look.changed(stored, torch.Generator().manual_seed(0))
    assert crops.shape == (40, 1, 64, 64)
    assert crops.abs().max() <= 1.5
    inverted = crops[:, 0, 28:36, 28:36].mean((1, 2)) < crops[:, 0, :4].mean((1, 2))
    assert 0.03 < inverted.float().mean() < 0.35
    width = (crops[:, 0, 32].abs() > 0.7).sum(dim=1).float()
    assert width.std() > 1


def test_a_network_is_trained_from_the_finders_and_kept_beside_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(
        second_look, "SCENES", ((1, 1, {"alone": 1.0, "nobody": 0.0, "away": 0.0, "face_px": (60, 60)}),)
    )
    network, finder = tmp_path / "network.pt", tmp_path / "finder.ckpt"
    shutil.copy(find_finder(None), finder)
    second_look.train(network, minutes=0.0001)
    begun, ended = second_look.begun().state_dict(), second_look.trained(network).state_dict()
    assert torch.equal(begun["root.layers.0.0.weight"], load_finder().network.state_dict()["root.layers.0.0.weight"])
    assert any(not torch.allclose(begun[name], ended[name], atol=1e-3) for name in begun)
    second_look.write(finder, second_look.trained(network), [0.1, 1.0, 0.5])
    loaded = load_finder(finder).second_look
    assert loaded is not None
    assert loaded[1] == [0.1, 1.0, 0.5]
    for name, value in loaded[0].state_dict().items():
        assert torch.equal(value, ended[name]), name


def test_joined_weights_keep_what_neither_look_changes() -> None:
    """The second look says nothing: all weight stays with the first. It says everything: the first hardly counts."""
    draw = np.random.default_rng(0)

    def cases(seen: float) -> list[second_look.Found]:
        found = []
        for _ in range(150):
            right = draw.random(2) < 0.5
            first, second = (expit(draw.normal(0, 1.5, 2) + told * (2 * right - 1)) for told in (1.0, seen))
            boxes = np.array([[0, 0, 40, 40], [50, 0, 90, 40]], dtype=float)
            one, two = (Detections(boxes, score, np.zeros(2)) for score in (first, second))
            found.append(second_look.Found(one, two, [], (40, 90), boxes[right], np.empty((0, 4))))
        return found

    nothing, much = (second_look.joined(cases(seen)) for seen in (0.0, 3.0))
    assert_allclose(nothing, [0, 1, 0], atol=0.35)
    assert much[2] > 2
