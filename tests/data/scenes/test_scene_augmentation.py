from dataclasses import replace

import numpy as np
import pytest
import torch

from thermal_landmarks.data.draws import Draws
from thermal_landmarks.data.scenes.augmentation import SceneAugmentation, SceneChanges, random_tones
from thermal_landmarks.data.scenes.batch import Faces

STILL = SceneChanges(
    scale=(1.0, 1.0), near_face=0.0, rotation_max_deg=0.0, mosaic=0.0, invert=0.0, gamma=(1.0, 1.0), curve=0.0,
    coarse=0.0, compression=0.0, noise=0.0, patches=0, scale_bar=0.0, smallest_px=3.0,
)  # fmt: skip
SIZE = (96, 128)


def batch_of_dots(count: int = 8) -> tuple[torch.Tensor, Faces]:
    """Dark scenes, each with one bright square face."""
    draw = np.random.default_rng(0)
    images, boxes = torch.zeros(count, 120, 160, dtype=torch.uint8), torch.zeros(count, 1, 4)
    for row in range(count):
        x, y = (int(draw.integers(20, limit - 40)) for limit in (160, 120))
        images[row, y : y + 20, x : x + 20] = 255
        boxes[row, 0] = torch.tensor([x - 0.5, y - 0.5, x + 19.5, y + 19.5])
    there = torch.ones(count, 1, dtype=torch.bool)
    return images, Faces(boxes, torch.zeros(count, 1), there, ~there)


@pytest.mark.parametrize(
    "changes",
    [
        {"scale": (0.8, 1.5), "rotation_max_deg": 25.0, "near_face": 0.5},
        {"mosaic": 1.0},
        {"coarse": 1.0, "coarse_factor": (2.0, 2.0), "compression": 1.0},
    ],
    ids=["placed", "mosaic", "recorded"],
)
def test_every_face_is_where_its_box_says(changes: dict[str, object]) -> None:
    augmentation = SceneAugmentation(replace(STILL, **changes), SIZE)  # type: ignore[arg-type]
    images, faces = augmentation(*batch_of_dots(), torch.Generator().manual_seed(0))
    assert tuple(images.shape) == (8, 1, *SIZE)
    assert faces.wanted.any(dim=1).float().mean() > 0.6
    for picture, boxes, wanted in zip(images[:, 0], faces.boxes_px, faces.wanted, strict=True):
        for box in boxes[wanted]:
            x, y = (box[:2] + box[2:]) / 2
            assert float(picture[int(y.round()), int(x.round())]) > 0.5
            size = (box[2:] - box[:2]).clamp(min=1)
            left = int((x - 0.75 * size[0]).round())
            if left >= 0:
                assert float(picture[int(y.round()), left]) < 0


def test_the_same_generator_gives_the_same_pictures_and_another_one_others() -> None:
    augmentation = SceneAugmentation(SceneChanges(), SIZE)
    first, again, other = (augmentation(*batch_of_dots(), torch.Generator().manual_seed(seed))[0] for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert float(first.abs().max()) <= 1


def test_tones_rise_unless_they_are_inverted_or_curved() -> None:
    draws = Draws(50, torch.Generator().manual_seed(0))
    rising = random_tones(draws, invert=0.0, gamma=(0.5, 2.0), curve=0.0)
    assert (rising.diff(dim=1) >= -1e-6).all()
    assert float(rising.min()) >= -1
    assert float(rising.max()) <= 1
    falling = random_tones(draws, invert=1.0, gamma=(0.5, 2.0), curve=0.0)
    assert (falling.diff(dim=1) <= 1e-6).all()
    curved = random_tones(draws, invert=0.0, gamma=(0.5, 2.0), curve=1.0)
    assert ((curved.diff(dim=1) > 0).any(dim=1) & (curved.diff(dim=1) < 0).any(dim=1)).float().mean() > 0.9


def test_compression_leaves_a_flat_picture_and_blurs_a_fine_one() -> None:
    augmentation = SceneAugmentation(replace(STILL, compression=1.0), SIZE)
    draws = Draws(2, torch.Generator().manual_seed(0))
    flat = augmentation._compress(torch.full((2, 1, 30, 44), 0.3), draws)
    assert float((flat - 0.3).abs().max()) < 0.1
    fine = torch.randn(2, 1, 32, 40, generator=torch.Generator().manual_seed(0)) * 0.05
    kept = augmentation._compress(fine, draws)
    assert float((kept - fine).abs().mean()) > 0.01
    assert float((kept - fine).abs().max()) < 0.5
