from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from thermal_landmarks.errors import ConfigError
from thermal_landmarks.models.center_map import CenterMapHead, FaceMaps
from thermal_landmarks.models.face_decoding import Detections, box_overlap, decode, match, suppress
from thermal_landmarks.models.network import STEM_LETTERS, FinderNetwork, LandmarkNetwork
from thermal_landmarks.models.shapes import FeatureMap, Tokens

SettingsOf = Callable[[str, str], dict[str, Any]]


def finder(settings_of: SettingsOf, stem: str = "pyramid", branch: str = "none") -> FinderNetwork:
    settings: dict[str, Any] = {part: settings_of(part, name) for part, name in (("stem", stem), ("branch", branch))}
    root = settings_of("root", "paper") | {"channels": [8, 16]}
    head = settings_of("head", "center_map")
    return FinderNetwork(root=root, head=head, in_channels=1, image_size=(96, 128), **settings).eval()


@pytest.mark.parametrize("stem", ["pyramid", *STEM_LETTERS])
@pytest.mark.parametrize("branch", ["none", "luong"])
def test_any_stem_finds_faces_in_pictures_of_any_size(stem: str, branch: str, settings_of: SettingsOf) -> None:
    network = finder(settings_of, stem, branch)
    for height, width in ((96, 128), (70, 90)):
        maps = network(torch.randn(1, 1, height, width))
        cells = (-(-height // network.stride), -(-width // network.stride))
        assert tuple(maps.score.shape) == (1, *cells)
        assert tuple(maps.box.shape) == (1, 4, *cells)
        assert maps.score.sigmoid().max() < 0.2  # the prior


def test_the_pyramid_sees_the_whole_frame_from_every_cell(settings_of: SettingsOf) -> None:
    torch.manual_seed(0)
    network = finder(settings_of)
    images = torch.randn(1, 1, 256, 320, requires_grad=True)
    network(images).score[0, 32, 40].backward()
    assert images.grad is not None
    seen = images.grad[0, 0].abs().sum(dim=0).nonzero()
    assert int(seen.min()) < 20
    assert int(seen.max()) > 300


def test_heads_and_networks_that_do_not_fit_are_refused(settings_of: SettingsOf) -> None:
    parts: dict[str, Any] = {"stem": settings_of("stem", "conv"), "branch": settings_of("branch", "none")}
    shape: dict[str, Any] = {"in_channels": 1, "image_size": (96, 128)}
    root = settings_of("root", "paper")
    with pytest.raises(ConfigError, match=r"head=center_map gives faces.*data.task=faces"):
        LandmarkNetwork(root=root, head=settings_of("head", "center_map"), num_points=6, **shape, **parts)
    with pytest.raises(ConfigError, match="head=fully_connected gives landmarks"):
        FinderNetwork(root=root, head=settings_of("head", "fully_connected"), **shape, **parts)
    with pytest.raises(ConfigError, match=r"needs feature maps.*branch=none"):
        CenterMapHead([Tokens(10, 4)], width=8, prior=0.01)
    with pytest.raises(ConfigError, match="prior must lie between 0 and 1"):
        CenterMapHead([FeatureMap(8, 4, 4)], width=8, prior=1.0)


def maps_with(peaks: list[tuple[int, int, float]]) -> FaceMaps:
    """Maps of 10 x 12 cells with faces of 2 x 3 cells that lean by 0.5, at (row, column, score)."""
    score = torch.full((1, 10, 12), -10.0)
    y, x = torch.meshgrid(torch.arange(10) + 0.5, torch.arange(12) + 0.5, indexing="ij")
    box = torch.stack([x, y, torch.full_like(x, 2.0), torch.full_like(x, 3.0)])[None]
    angle = torch.tensor([np.cos(0.5), np.sin(0.5)], dtype=torch.float32)[None, :, None, None].expand(1, 2, 10, 12)
    for row, column, value in peaks:
        score[0, row, column] = torch.logit(torch.tensor(value))
    return FaceMaps(score, box, 2.0 * angle)


def test_decoding_gives_boxes_in_pixels_the_surest_first_and_one_for_each_face() -> None:
    found = decode(maps_with([(2, 3, 0.6), (7, 9, 0.9), (7, 11, 0.3), (2, 4, 0.5)]), 4, threshold=0.4)[0]
    np.testing.assert_allclose(found.score, [0.9, 0.6], rtol=1e-5)
    np.testing.assert_allclose(found.boxes_px[0], [37.5 - 4, 29.5 - 6, 37.5 + 4, 29.5 + 6])
    np.testing.assert_allclose(found.angle, 0.5, rtol=1e-5)
    assert decode(maps_with([]), 4, threshold=0.4)[0].number == 0


def test_overlap_is_that_of_counted_pixels() -> None:
    draw = np.random.default_rng(0)
    corners = draw.integers(0, 20, (8, 2, 2))
    boxes = np.concatenate([corners.min(axis=1), corners.max(axis=1) + 1], axis=1).astype(float)
    masks = np.zeros((8, 21, 21), dtype=bool)
    for mask, (x0, y0, x1, y1) in zip(masks, boxes.astype(int), strict=True):
        mask[y0:y1, x0:x1] = True
    for i in range(8):
        for j in range(8):
            wanted = (masks[i] & masks[j]).sum() / (masks[i] | masks[j]).sum()
            assert box_overlap(boxes[i : i + 1], boxes[j : j + 1])[0, 0] == pytest.approx(wanted)


def detections(*rows: tuple[float, tuple[float, float, float, float]]) -> Detections:
    boxes = np.array([box for _, box in rows], dtype=np.float32).reshape(-1, 4)
    return Detections(boxes, np.array([score for score, _ in rows]), np.zeros(len(rows)))


def test_of_overlapping_faces_the_surer_one_is_kept() -> None:
    found = detections((0.5, (0, 0, 10, 10)), (0.8, (1, 0, 11, 10)), (0.4, (20, 0, 30, 10)))
    np.testing.assert_allclose(suppress(found, 0.4).score, [0.8, 0.4])


def test_each_face_is_matched_once_and_ignored_ones_count_neither_way() -> None:
    found = detections((0.9, (0, 0, 10, 10)), (0.8, (1, 0, 11, 10)), (0.7, (50, 50, 60, 60)), (0.6, (80, 80, 90, 90)))
    truth = np.array([[0, 0, 10, 10], [100, 100, 110, 110]], dtype=float)
    right, counts = match(found, truth, np.array([[45.0, 45, 70, 70]]))
    assert right.tolist() == [True, False, False, False]
    assert counts.tolist() == [True, True, False, True]
