"""How the second look is made: what it learns from, and how it is joined with the finder's score."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import second_look
import second_look_cases
import second_look_crops
import torch
from numpy.testing import assert_allclose
from PIL import Image
from scipy.special import expit

from thermal_landmarks.inference.second_look import SecondLook
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


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    noise = np.random.default_rng(0).integers(0, 255, (40, 60), dtype=np.uint8)
    Image.fromarray(noise).save(folder / "noise.png")
    return folder


def test_a_network_is_trained_on_kept_with_the_mean_of_its_seeds_and_begun_from_the_finders(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, pictures: Path
) -> None:
    crowd = {"alone": 1.0, "nobody": 0.0, "away": 0.0, "face_px": (60, 60)}
    monkeypatch.setattr(second_look_crops, "PARTS", (second_look_crops.Part(1, 1, {"crowd": crowd}, 1.0),))
    networks, finder = [tmp_path / "one.pt", tmp_path / "two.pt"], tmp_path / "finder.ckpt"
    shutil.copy(find_finder(None), finder)
    shipped = load_finder().second_look
    assert shipped is not None
    for seed, file in enumerate(networks):
        second_look.train(file, tmp_path / "work", pictures, 0.0001, seed=seed)
    monkeypatch.setattr(second_look_crops, "_crops", None)  # those of the first call are used
    second_look.train(tmp_path / "new.pt", tmp_path / "work", pictures, 0.0001, new=True)
    one, two, both = (second_look.trained(files).state_dict() for files in (networks[:1], networks[1:], networks))
    begun, new = second_look.begun().state_dict(), second_look.trained([tmp_path / "new.pt"]).state_dict()
    assert torch.equal(begun["root.layers.0.0.weight"], load_finder().network.state_dict()["root.layers.0.0.weight"])
    seen = next(name for name in begun if name.endswith("running_mean"))  # the first step changes these alone
    assert not torch.equal(one[seen], shipped[0].state_dict()[seen])
    assert_allclose(one[seen], shipped[0].state_dict()[seen], atol=0.3)
    assert not torch.equal(new[seen], begun[seen])
    assert not torch.equal(one[seen], two[seen])
    assert_allclose(both[seen], (one[seen] + two[seen]) / 2, atol=1e-5)
    second_look.write(finder, second_look.trained(networks), [0.1, 1.0, 0.5])
    loaded = load_finder(finder).second_look
    assert loaded is not None
    assert loaded[1] == [0.1, 1.0, 0.5]
    for name, value in loaded[0].state_dict().items():
        assert torch.equal(value, both[name]), name


def test_cases_are_kept_and_give_the_score_that_predict_would(tmp_path: Path) -> None:
    settings = {"crowd": {"alone": 1.0, "nobody": 0.0, "away": 0.0, "face_px": (50, 60)}}
    (case,) = second_look_cases.rendered_cases(tmp_path, 3, 1, **settings)
    assert case.found.number
    ((values, unit),) = ((scene.values, scene.unit) for scene in second_look_crops.scenes(3, 1, **settings))
    finder = second_look_cases.Finder.from_checkpoint()
    verified = finder.verified(second_look_cases.ThermalImage(values, unit), case.found)
    assert isinstance(finder.second_look, SecondLook)
    assert_allclose(case.score(finder.second_look), verified.score, atol=0.02)
    assert_allclose(case.score(None), case.found.score)
    (again,) = second_look_cases.rendered_cases(tmp_path, 3, 1, **settings)
    assert_allclose(again.features(again.found.score), case.features(case.found.score))


def test_joined_weights_keep_what_neither_look_changes() -> None:
    """The second look says nothing: all weight stays with the first. It says everything: the first hardly counts."""
    draw = np.random.default_rng(0)

    def weights(seen: float) -> list[float]:
        cases, odds = [], []
        for _ in range(150):
            right = draw.random(2) < 0.5
            first, second = (draw.normal(0, 1.5, 2) + told * (2 * right - 1) for told in (1.0, seen))
            boxes = np.array([[0, 0, 40, 40], [50, 0, 90, 40]], dtype=float)
            found = Detections(boxes, expit(first), np.zeros(2))
            none = np.empty((2, 1, 64, 64)), np.empty((2, 5))
            cases.append(second_look_cases.Case(found, *none, boxes[right], np.empty((0, 4))))
            odds.append(second)
        return second_look.joined(cases, odds)

    nothing, much = (weights(seen) for seen in (0.0, 3.0))
    assert_allclose(nothing, [0, 1, 0], atol=0.35)
    assert much[2] > 2
