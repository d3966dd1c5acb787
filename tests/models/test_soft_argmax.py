from typing import Any, cast

import numpy as np
import pytest
import torch
from torch import nn

from thermal_landmarks.errors import ConfigError
from thermal_landmarks.models.checkpoint import load_checkpoint, shipped_checkpoints
from thermal_landmarks.models.network import Component, LandmarkNetwork
from thermal_landmarks.models.shapes import FeatureMap, Grid, Patches, Shape, Tokens
from thermal_landmarks.models.soft_argmax import SoftArgmaxHead
from thermal_landmarks.models.vit import VisionTransformerBranch

SETTINGS: dict[str, Any] = {"margin": 1, "dropout": 0.0, "heat_weight": 1.0, "heat_sigma": 0.8}
CONV = {"name": "conv", "depth": 3, "width": 4, "width_growth": 1.0, "kernel_size": 3, "stride": 2}
CONV |= {"normalisation": "none", "activation": "relu"}


def make_head(*in_shapes: Shape, num_points: int, **changes: Any) -> SoftArgmaxHead:
    """A head on maps that cover an image of 40 x 60 pixels."""
    return SoftArgmaxHead(in_shapes, num_points, FeatureMap(1, 40, 60), Grid(10.0), **(SETTINGS | changes))


def hot_cell(row: int, column: int) -> torch.Tensor:
    """One feature channel of 4 x 6 cells with one very hot cell."""
    features = torch.zeros(1, 1, 4, 6)
    features[0, 0, row, column] = 1
    return features


def soft_argmax(margin: int = 0) -> SoftArgmaxHead:
    head = make_head(FeatureMap(1, 4, 6), num_points=1, margin=margin)
    with torch.no_grad():
        head.heat.weight.fill_(200)
    return head


@pytest.mark.parametrize(("row", "column"), [(0, 0), (1, 4), (3, 5)])
@pytest.mark.parametrize("margin", [0, 2])
def test_soft_argmax_finds_the_middle_of_a_hot_cell(row: int, column: int, margin: int) -> None:
    point = soft_argmax(margin)([hot_cell(row, column)])[0, 0]
    torch.testing.assert_close(point, torch.tensor([(column + 0.5) / 6, (row + 0.5) / 4]))


def test_soft_argmax_is_the_centre_of_mass_of_the_softmax() -> None:
    torch.manual_seed(0)
    head = make_head(FeatureMap(3, 4, 6), FeatureMap(2, 4, 6), num_points=5)
    torch.nn.init.normal_(head.heat.weight)
    first, second = torch.randn(2, 3, 4, 6), torch.randn(2, 2, 4, 6)
    points = head([first, second])
    features = np.pad(torch.cat([first, second], dim=1).numpy(), ((0, 0), (0, 0), (1, 1), (1, 1)))
    weight, bias = (p.detach().numpy() for p in head.heat.parameters())
    weight = weight[:, :, 0, 0]
    for b in range(2):
        for n in range(5):
            total, x_sum, y_sum = 0.0, 0.0, 0.0
            for r in range(6):
                for c in range(8):
                    mass = np.exp(float(weight[n] @ features[b, :, r, c] + bias[n]))
                    total, x_sum, y_sum = total + mass, x_sum + mass * (c - 0.5) / 6, y_sum + mass * (r - 0.5) / 4
            np.testing.assert_allclose(points[b, n].detach().numpy(), [x_sum / total, y_sum / total], atol=1e-5)


def test_soft_argmax_keeps_full_precision_under_autocast() -> None:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        point = soft_argmax()([hot_cell(1, 4).bfloat16()])
    assert point.dtype == torch.float32
    torch.testing.assert_close(point[0, 0], torch.tensor([4.5 / 6, 1.5 / 4]))


def test_soft_argmax_wants_a_map() -> None:
    with pytest.raises(ConfigError, match="head=fully_connected, or branch=none, luong or bahdanau"):
        make_head(Tokens(10, 4), num_points=6)


def test_patches_of_a_vision_transformer_are_cells_of_a_map() -> None:
    torch.manual_seed(0)
    head = make_head(Patches.of(FeatureMap(3, 4, 6)), num_points=2)
    torch.nn.init.normal_(head.heat.weight)
    features = torch.randn(2, 3, 4, 6)
    torch.testing.assert_close(head([features.flatten(2).mT]), head([features]))


@pytest.mark.parametrize(("patch_size", "centre"), [(1, 0.0), (2, 0.5), (4, 1.5)])
def test_a_patch_lies_in_the_middle_of_its_pixels(patch_size: int, centre: float) -> None:
    settings: dict[str, Any] = {"depth": 1, "dim": 8, "heads": 2, "mlp_ratio": 1.0, "patch_size": patch_size}
    branch = VisionTransformerBranch(FeatureMap(4, 8, 12), **settings)
    assert isinstance(branch.out_shape, Patches)
    assert branch.out_shape.cells == FeatureMap(8, 8 // patch_size, 12 // patch_size)
    assert branch.grid == Grid(patch_size, centre)
    with_token = VisionTransformerBranch(FeatureMap(4, 8, 12), **settings, class_token=True)
    assert not isinstance(with_token.out_shape, Patches)


def test_heat_penalty_is_the_cross_entropy_with_gaussians_around_the_valid_points() -> None:
    torch.manual_seed(0)
    head = make_head(FeatureMap(3, 4, 6), num_points=2, heat_weight=5.0, heat_sigma=0.7)
    torch.nn.init.normal_(head.heat.weight)
    features = [torch.randn(2, 3, 4, 6)]
    target = torch.rand(2, 2, 2)
    target[1, 0] = torch.nan
    mask = torch.tensor([[True, True], [False, True]])
    points, penalty = head.forward_train(features, target, mask)
    torch.testing.assert_close(points, head(features))
    heat = head.heat(features[0]).detach().numpy()
    total = 0.0
    for b, n in ((0, 0), (0, 1), (1, 1)):
        gaussian, mass = np.zeros((6, 8)), np.exp(heat[b, n].astype(float))
        for r in range(6):
            for c in range(8):
                x, y = float(target[b, n, 0]) * 6 - 0.5, float(target[b, n, 1]) * 4 - 0.5  # in cells
                gaussian[r, c] = np.exp(-((c - 1 - x) ** 2 + (r - 1 - y) ** 2) / (2 * 0.7**2))
        total -= (gaussian / gaussian.sum() * np.log(mass / mass.sum())).sum()
    assert float(penalty.detach()) == pytest.approx(5 * total / 3, rel=1e-4)
    penalty.backward()
    assert head.heat.weight.grad is not None
    assert head.heat.weight.grad.isfinite().all()


def impulse_network(image_size: tuple[int, int], strided_repeats: int, **parts: Any) -> LandmarkNetwork:
    """Kernels of ones: an impulse becomes a hill around the cell whose receptive field is centred on it."""
    network = LandmarkNetwork(
        root={"name": "paper", "channels": [4, 4], "kernel_size": 3, "normalisation": "none", "activation": "relu"},
        stem=parts.get("stem", CONV | {"strided_repeats": strided_repeats}),
        branch={"name": "none"},
        head={"name": "soft_argmax", **SETTINGS, "places": parts.get("places", "centres")},
        in_channels=1,
        image_size=image_size,
        num_points=1,
    ).eval()
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.constant_(module.weight, 1 / module.weight[0].numel())
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    nn.init.constant_(network.head.heat.weight, 1.0)
    return network


def errors_px(network: LandmarkNetwork, pixels: list[tuple[int, int]]) -> np.ndarray:
    """Distance (x, y) of the found from the true pixel, for an impulse at each of these pixels (x, y)."""
    height, width = network.settings["image_size"]
    images = torch.zeros(len(pixels), 1, height, width)
    for image, (x, y) in zip(images, pixels, strict=True):
        image[0, y, x] = 1.0
    with torch.no_grad():
        features = network.components[0](network.root(images))
        sharp = features * (200 / features.amax(dim=(1, 2, 3), keepdim=True))
        points = network.head([sharp])[:, 0] * torch.tensor([width, height]) - 0.5
    return points.numpy() - np.array(pixels)


@pytest.mark.parametrize("strided_repeats", [1, 2, 3])  # total stride 8, 16, 32
@pytest.mark.parametrize("image_size", [(120, 160), (96, 96), (131, 205), (480, 640)])
def test_an_impulse_is_found_where_it_is_at_every_place(image_size: tuple[int, int], strided_repeats: int) -> None:
    network = impulse_network(image_size, strided_repeats)
    step = 4 * 2**strided_repeats
    height, width = image_size
    columns, rows = range(step, width - step, step), range(step, height - step, step)
    pixels = [(x, rows[-1]) for x in columns[:: len(columns) // 3 + 1]] + [(columns[-1], y) for y in rows[:4]]
    assert np.abs(errors_px(network, pixels)).max() < 0.01


def test_between_the_cells_the_offset_repeats_with_the_stride() -> None:
    network = impulse_network((131, 205), 2)
    first = errors_px(network, [(x, 48) for x in range(48, 64)])
    for shift in (16, 64, 96):
        np.testing.assert_allclose(errors_px(network, [(x + shift, 48) for x in range(48, 64)]), first, atol=0.01)


def test_stretched_places_drift_over_an_image_that_the_stride_does_not_divide() -> None:
    network = impulse_network((120, 160), 3, places="stretched")
    errors = errors_px(network, [(64, y) for y in (32, 64)])
    np.testing.assert_allclose(
        errors[:, 1], [(32 / 32 + 0.5) * 30 - 0.5 - 32, (64 / 32 + 0.5) * 30 - 0.5 - 64], atol=0.01
    )


def test_an_impulse_is_found_behind_deconvolutions() -> None:
    stem = {"name": "deconvolution", "width": 4, "channels": [4, 4], "kernel_size": 4}
    network = impulse_network((100, 140), 0, stem=stem | {"normalisation": "none", "activation": "relu"})
    assert np.abs(errors_px(network, [(48, 32), (80, 64), (104, 76)])).max() < 0.01


@pytest.mark.parametrize("model", ["resnet18", "mobilenetv2_100", "hrnet_w18_small"])
def test_the_cells_of_a_centred_backbone_are_one_stride_apart_from_the_first_pixel(model: str) -> None:
    from thermal_landmarks.models.timm_root import TimmRoot

    root = TimmRoot(FeatureMap(1, 96, 160), model=model, stage=None, pretrained=False)
    assert root.grid == Grid(32.0)


def test_a_backbone_that_pads_one_side_more_says_what_to_set() -> None:
    from thermal_landmarks.models.timm_root import TimmRoot

    root = TimmRoot(FeatureMap(1, 64, 64), model="tf_mobilenetv3_small_minimal_100", stage=1, pretrained=False)
    with pytest.raises(ConfigError, match=r"head\.places=stretched"):
        SoftArgmaxHead([root.out_shape], 1, FeatureMap(1, 64, 64), root.grid, **SETTINGS, places="centres")


@pytest.mark.parametrize("name", shipped_checkpoints())
def test_shipped_networks_keep_the_places_that_they_were_trained_with(name: str) -> None:
    network = load_checkpoint(name).network
    height, width = cast(Component, network.components[0]).out_shape[-2:]
    margin = network.settings["head"]["margin"]
    x = (torch.arange(-margin, width + margin) + 0.5) / width
    y = (torch.arange(-margin, height + margin) + 0.5) / height
    expected = torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1).flatten(0, 1)
    assert torch.equal(network.head.places, expected)
