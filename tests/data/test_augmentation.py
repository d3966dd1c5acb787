import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from thermal_landmarks.data.augmentation import Augmentation, AugmentationSettings, augment_values
from thermal_landmarks.errors import ConfigError

MIRROR = torch.tensor([1, 0, 2])


def blob_image(points: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    y, x = torch.meshgrid(torch.arange(size[0]), torch.arange(size[1]), indexing="ij")
    blobs = [
        torch.exp(-((x - px) ** 2 + (y - py) ** 2) / 8) * (i + 1) / 2 for i, (px, py) in enumerate(points.tolist())
    ]
    return torch.stack(blobs).sum(0)[None, None] - 1


def centroid(image: torch.Tensor, near: torch.Tensor) -> np.ndarray:
    column, row = (round(float(v)) for v in near)
    window = (image[0, 0] + 1)[row - 5 : row + 6, column - 5 : column + 6]
    y, x = torch.meshgrid(torch.arange(row - 5, row + 6), torch.arange(column - 5, column + 6), indexing="ij")
    return np.array([float((window * x).sum() / window.sum()), float((window * y).sum() / window.sum())])


def augment(image, points, stored_deg=0.0, seed=0, **ranges):
    augmentation = Augmentation(AugmentationSettings(padding="cold", **ranges), MIRROR)
    mask = torch.ones(len(image), points.shape[1], dtype=torch.bool)
    generator = torch.Generator().manual_seed(seed)
    return augmentation(image, points, mask, torch.full((len(image),), stored_deg), generator)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), angle=st.floats(-30, 30), mirror=st.booleans())
def test_points_move_with_the_image(seed, angle, mirror):
    points = torch.tensor([[[35.0, 40.0], [75.0, 40.0], [55.0, 62.0]]])
    image = blob_image(points[0], (100, 110))
    ranges = {"scale": (0.9, 1.1), "shift": 0.05, "hflip": float(mirror)}
    moved_image, moved, _, scale = augment(image, points, angle, seed, **ranges)
    for point in moved[0]:
        np.testing.assert_allclose(centroid(moved_image, point), point, atol=0.3)
    before, after = (torch.linalg.norm(p[0, 0] - p[0, 1]) for p in (points, moved))
    assert float(after / before) == pytest.approx(float(scale), rel=1e-4)


def test_positive_angle_turns_left_about_the_centre():
    points = torch.tensor([[[74.5, 49.5], [49.5, 49.5], [49.5, 24.5]]])
    _, moved, _, _ = augment(torch.zeros(1, 1, 100, 100), points, 30.0)
    c, s = 25 * math.cos(math.radians(30)), 25 * math.sin(math.radians(30))
    expected = [[49.5 + c, 49.5 - s], [49.5, 49.5], [49.5 - s, 49.5 - c]]
    torch.testing.assert_close(moved[0], torch.tensor(expected), atol=1e-3, rtol=0)


def test_mirroring_swaps_partners():
    points = torch.tensor([[[20.0, 30.0], [60.0, 30.0], [40.0, 50.0]]])
    _, moved, _, _ = augment(torch.zeros(1, 1, 80, 81), points, hflip=1.0)
    torch.testing.assert_close(moved, torch.tensor([[[20.0, 30.0], [60.0, 30.0], [40.0, 50.0]]]))


def test_nothing_asked_nothing_changed():
    image = torch.rand(2, 1, 30, 40) * 2 - 1
    points = torch.rand(2, 3, 2) * 30
    found_image, found_points, _, scale = augment(image, points)
    torch.testing.assert_close(found_image, image)
    torch.testing.assert_close(found_points, points)
    assert scale.tolist() == [1, 1]


def test_same_generator_same_batch():
    image, points = torch.rand(2, 1, 30, 40), torch.rand(2, 3, 2) * 30
    ranges = {"rotation": "random", "noise": 0.1, "gain": (0.8, 1.2), "occlusion": 0.5}
    first, again, other = (augment(image, points, seed=s, **ranges)[0] for s in (1, 1, 2))
    torch.testing.assert_close(first, again, rtol=0, atol=0)
    assert not torch.equal(first, other)


def test_blur_equals_a_gaussian_filter():
    from scipy.ndimage import gaussian_filter

    image = torch.rand(1, 1, 40, 50, generator=torch.Generator().manual_seed(0)) - 0.5
    settings = AugmentationSettings(blur=2.0)
    found = augment_values(image, settings, torch.Generator().manual_seed(3))
    sigma = float(torch.rand(1, generator=torch.Generator().manual_seed(3))) * 2
    radius = math.ceil(2.5 * sigma)
    expected = gaussian_filter(image[0, 0].numpy(), sigma, mode="nearest", radius=radius)
    np.testing.assert_allclose(found[0, 0], expected, atol=1e-4)


def test_occlusion_covers_a_patch_of_the_asked_size():
    image = torch.zeros(64, 1, 100, 100)
    found = augment_values(
        image, AugmentationSettings(occlusion=1.0, occlusion_size=(0.2, 0.2)), torch.Generator().manual_seed(0)
    )
    covered = (found != 0).sum(dim=(1, 2, 3))
    assert covered.max() == 400
    assert (covered > 0).all()


def test_colours_change_together_within_their_range():
    picture = torch.rand(40, 3, 6, 8, generator=torch.Generator().manual_seed(0)) - 0.5
    settings = AugmentationSettings(colour=0.1)
    found = augment_values(picture, settings, torch.Generator().manual_seed(1))
    gray, found_gray = picture.mean(dim=1, keepdim=True), found.mean(dim=1, keepdim=True)
    differences = (found - found_gray) - (found - found_gray).mean(dim=(2, 3), keepdim=True)
    before = (picture - gray) - (picture - gray).mean(dim=(2, 3), keepdim=True)
    saturation = (differences * before).sum(dim=(1, 2, 3)) / before.square().sum(dim=(1, 2, 3))
    torch.testing.assert_close(differences, before * saturation[:, None, None, None], atol=1e-5, rtol=0)
    assert 0.9 <= saturation.min() < 0.95 < 1.05 < saturation.max() <= 1.1
    balance = (found - picture).mean(dim=(2, 3))
    assert 0.15 < balance.abs().max() < 0.25  # a tenth of [-1, 1], and a little of the saturation
    single = picture[:, :1]
    torch.testing.assert_close(augment_values(single, settings, torch.Generator()), single)


def test_blur_takes_each_channel_as_a_picture_of_its_own():
    picture = torch.rand(2, 3, 20, 30, generator=torch.Generator().manual_seed(0)) - 0.5
    settings = AugmentationSettings(blur=2.0)
    found = augment_values(picture, settings, torch.Generator().manual_seed(3))
    for channel in range(3):
        alone = augment_values(picture[:, channel : channel + 1], settings, torch.Generator().manual_seed(3))
        torch.testing.assert_close(found[:, channel : channel + 1], alone)


def test_contrast_and_shift_keep_the_differences_within_a_warm_face():
    face = torch.linspace(0.6, 1, 30).view(1, 1, 1, 30).expand(64, 1, 5, 30)  # skin lies near the end of the range
    settings = AugmentationSettings(gain=(0.8, 1.25), offset=0.1)
    found = augment_values(face, settings, torch.Generator().manual_seed(0))
    contrast = (found[..., -1] - found[..., 0])[:, 0, 0] / 0.4
    assert 0.8 <= contrast.min() < 0.9
    assert 1.15 < contrast.max() <= 1.25
    middle = found.mean(dim=(1, 2, 3)) - 0.8 * contrast
    assert 0.15 < middle.abs().max() <= 0.2  # a tenth of [-1, 1]


def test_unknown_mode_is_refused():
    with pytest.raises(ConfigError, match="none, triple, random"):
        AugmentationSettings(rotation="left")


def test_tone_curve_keeps_order_and_ends_and_inversion_exchanges_cold_and_warm():
    ramp = torch.linspace(-1, 1, 50).view(1, 1, 1, 50).expand(6, 1, 1, 50)
    curved = augment_values(ramp, AugmentationSettings(gamma=(0.5, 2.0)), torch.Generator().manual_seed(0))
    assert (curved.diff(dim=-1) >= 0).all()
    torch.testing.assert_close(curved[..., [0, -1]], ramp[..., [0, -1]])
    exponent = torch.log((curved[:, 0, 0, 25] + 1) / 2) / torch.log((ramp[:, 0, 0, 25] + 1) / 2)
    assert exponent.min() >= 0.5
    assert exponent.max() <= 2.0
    assert exponent.std() > 0.1
    inverted = augment_values(ramp, AugmentationSettings(invert=0.5), torch.Generator().manual_seed(1))
    turned = [torch.equal(image, -same) for image, same in zip(inverted, ramp, strict=True)]
    kept = [torch.equal(image, same) for image, same in zip(inverted, ramp, strict=True)]
    assert any(turned)
    assert any(kept)
    assert all(a or b for a, b in zip(turned, kept, strict=True))
