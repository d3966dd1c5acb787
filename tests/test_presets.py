"""The paper's twenty models have the published sizes; ablations, ensembles and seeds combine with them."""

import json
from pathlib import Path

import pytest
import torch
from omegaconf import OmegaConf

from thermal_landmarks import building
from thermal_landmarks.commands.configs import compose_config
from thermal_landmarks.data.schemes import get_scheme
from thermal_landmarks.models.complexity import count_parameters
from thermal_landmarks.models.network import LandmarkNetwork

ROOT = Path(__file__).parents[1]
TABLE_1 = {
    "C-1": 383100,
    "C-2": 139404,
    "C-3": 533948,
    "C-4": 215868,
    "R-1": 287792,
    "R-2": 294844,
    "R-3": 2275528,
    "R-4": 159420,
    "L-1": 618844,
    "L-2": 303836,
    "L-3": 283772,
    "L-4": 911292,
    "B-1": 592748,
    "B-2": 262028,
    "B-3": 599276,
    "B-4": 747948,
    "A-1": 762052,
    "A-2": 91280,
    "A-3": 541380,
    "A-4": 2070140,
}


def build(cfg, device="meta", image_size=None):
    parts = {part: OmegaConf.to_container(cfg[part], resolve=True) for part in ("root", "stem", "branch", "head")}
    with torch.device(device):
        return LandmarkNetwork(
            **parts,
            in_channels=cfg.data.in_channels,
            image_size=image_size or cfg.data.image_size,
            num_points=get_scheme(cfg.data.scheme).num_points,
        )


@pytest.fixture(scope="module")
def presets():
    return {name: compose_config("train", [f"experiment=paper/{name}"]) for name in TABLE_1}


def test_every_model_of_table_1_has_a_preset_of_exactly_its_size(presets):
    networks = {name: build(cfg) for name, cfg in presets.items()}
    assert {name: count_parameters(network) for name, network in networks.items()} == TABLE_1
    assert {name: network.model_id for name, network in networks.items()} == {name: name for name in TABLE_1}
    assert {tuple(network.image_shape) for network in networks.values()} == {(3, 480, 640)}


@pytest.mark.parametrize("name", TABLE_1)
def test_every_preset_takes_a_step_at_a_small_size(presets, name):
    torch.manual_seed(0)
    cfg = presets[name]
    network = build(cfg, device="cpu", image_size=[48, 64])
    optimizer = building.build("optimizer", cfg.optimizer)(network.parameters())
    images = torch.randn(2, *network.image_shape)
    target, mask = torch.rand(2, 6, 2), torch.ones(2, 6, dtype=torch.bool)
    before = [parameter.detach().clone() for parameter in network.parameters()]
    points, _ = network.forward_train(images, target, mask)
    value = building.build("loss", cfg.loss)(points, target, mask, (48, 64))
    value.backward()
    optimizer.step()
    assert value.isfinite()
    moved = [(new - old).abs().max() for new, old in zip(network.parameters(), before, strict=True)]
    assert all(change.isfinite() for change in moved)
    assert sum(change > 0 for change in moved) > len(moved) / 2


def test_presets_follow_the_protocol_and_say_that_they_are_reconstructions(presets):
    protocol = compose_config("train", ["experiment=paper/protocol"])
    for name, cfg in presets.items():
        assert (cfg.data, cfg.trainer, cfg.loss) == (protocol.data, protocol.trainer, protocol.loss)
        _, title, *comment = (ROOT / "conf" / "experiment" / "paper" / f"{name}.yaml").read_text().splitlines()
        assert title.startswith(f"# {name} (")
        assert title.endswith("a reconstruction by parameter count.")
        assert f"{TABLE_1[name]:,} parameters" in comment[0]


def test_layers_removed_drops_the_last_convolution_and_resnext_layer_of_a_preset(presets):
    whole = build(presets["A-2"])
    shorter = build(compose_config("train", ["experiment=paper/A-2", "ablation=layers_removed"]))
    shapes, left = ([tuple(p.shape) for p in network.components[0][0].parameters()] for network in (whole, shorter))
    convolution_and_normalisation, resnext = 3, 8
    assert left == shapes[: -(convolution_and_normalisation + resnext)]


@pytest.mark.parametrize("name", ["C-1", "R-1", "L-1", "B-1", "A-1"])
def test_layers_removed_shortens_every_stem_and_leaves_the_rest_as_it_was(presets, name):
    whole = build(presets[name])
    shorter = build(compose_config("train", [f"experiment=paper/{name}", "ablation=layers_removed"]))
    shapes, left = ([tuple(p.shape) for p in network.components[0][0].parameters()] for network in (whole, shorter))
    assert left == shapes[: len(left)]
    assert 0 < len(left) < len(shapes)


def plain_parameters(cfg, map_size=(30, 40)):
    """By hand, from the paper's equations: the root, the stem's repeats, the branch and the head."""
    stem, branch, points = cfg.stem, cfg.branch, get_scheme(cfg.data.scheme).num_points

    def convolution(before, after, size):
        return size**2 * before * after + after

    def resnext(before, after):
        inner = stem.cardinality * stem.bottleneck_width
        grouped = stem.kernel_size**2 * inner * stem.bottleneck_width + inner
        return convolution(before, inner, 1) + grouped + convolution(inner, after, 1)

    def attention(channels, kind):
        return 3 * channels**2 + (1 if kind.endswith("bahdanau") else 0)

    total = convolution(1, 32, 3) + convolution(32, 64, 3)
    channels, (rows, columns) = 64, map_size
    for width in (16, 32, 64):
        if stem.name == "resnext":
            total += resnext(channels, width)
        else:
            total += convolution(channels, width, 3)
            total += resnext(width, width) if stem.name == "alt_conv_resnext" else 0
            total += attention(width, stem.name) if stem.name in ("alt_conv_luong", "alt_conv_bahdanau") else 0
        channels, rows, columns = width, -(-rows // 2), -(-columns // 2)
    features = channels * rows * columns
    if branch.name in ("luong", "bahdanau"):
        width = branch.width or channels
        total += convolution(channels, width, 1) if width != channels else 0
        total += branch.depth * attention(width, branch.name)
        features = width * rows * columns
    if branch.name == "vit":
        tokens, dim = 1 + -(-rows // 2) * -(-columns // 2), branch.dim
        hidden = round(dim * branch.mlp_ratio)
        projections = 4 * (dim**2 + dim) + dim * hidden + hidden + hidden * dim + dim
        total += 4 * channels * dim + dim + dim + tokens * dim + branch.depth * (projections + 2 * 2 * dim)
        features = tokens * dim
    return total + features * 2 * points + 2 * points, features


@pytest.mark.parametrize(
    ("stem", "branch"),
    [
        ("conv", "none"),
        ("resnext", "luong"),
        ("alt_conv_luong", "none"),
        ("alt_conv_bahdanau", "bahdanau"),
        ("alt_conv_resnext", "vit"),
    ],
)
def test_the_plain_form_has_the_papers_parameters_and_no_others(stem, branch):
    sizes = ["stem.width=16", "stem.width_growth=2.0", "stem.strided_repeats=3"]
    cfg = compose_config("train", ["experiment=paper/plain", f"stem={stem}", f"branch={branch}", *sizes])
    cfg.data.image_size = [120, 160]
    network = build(cfg, device="cpu")
    expected, features = plain_parameters(cfg)
    assert (count_parameters(network), network.head.linear.in_features) == (expected, features)
    assert not any(isinstance(module, torch.nn.BatchNorm2d | torch.nn.GroupNorm) for module in network.modules())
    points = network(torch.randn(2, 1, 120, 160))
    assert points.shape == (2, 6, 2)
    points.square().sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())


def test_the_plain_form_fits_any_preset_and_one_of_our_changes_can_be_taken_back(presets):
    cfg = compose_config("train", ["experiment=[paper/B-3,paper/plain]", "stem.residual=true"])
    assert cfg.stem.width == presets["B-3"].stem.width
    assert (cfg.stem.residual, cfg.stem.shared_scale, cfg.branch.residual) == (True, True, False)


def test_no_rotation_trains_three_times_as_many_epochs_of_unrotated_images():
    cfg = compose_config("train", ["experiment=paper/A-2", "ablation=no_rotation", "trainer.max_epochs=7"])
    assert cfg.data.augmentation.rotation == "none"
    assert building.build("trainer", cfg.trainer, logger=None).max_epochs == 21
    usual = compose_config("train", []).trainer.max_epochs
    unrotated = compose_config("train", ["ablation=no_rotation"]).trainer
    assert building.build("trainer", unrotated).max_epochs == 3 * usual


def test_a_thermal_model_learns_with_lotrs_loss():
    torch.manual_seed(0)
    cfg = compose_config("train", ["loss=smooth_wing", "data.image_size=[48,64]"])
    network, loss = build(cfg, device="cpu"), building.build("loss", cfg.loss)
    points, _ = network.forward_train(
        torch.randn(2, 1, 48, 64), torch.rand(2, 6, 2), torch.ones(2, 6, dtype=torch.bool)
    )
    value = loss(points, torch.rand(2, 6, 2), torch.ones(2, 6, dtype=torch.bool), (48, 64))
    value.backward()
    assert value > 1  # pixels
    assert all(parameter.grad.isfinite().all() for parameter in network.parameters() if parameter.requires_grad)
    assert any(parameter.grad.abs().max() > 0 for parameter in network.root.parameters())


TINY = ["data.image_size=[48,64]", "data.batch_size=8", "logger=none", "trainer.max_epochs=1", "data=coco"]
TINY.append("callbacks.figures=null")


@pytest.fixture
def train(run_script, blob_coco, tmp_path):
    def run(*arguments):
        data = [f"data.source.annotation_file={blob_coco}", "data.scheme=perinasal6"]
        return run_script(["src/train.py", *arguments, *TINY, *data], cwd=tmp_path)

    return run


def test_preset_ablation_ensemble_and_seeds_combine_and_are_recorded(train, tmp_path):
    result = train(
        "--multirun",
        "experiment=paper/A-2",
        "ablation=none,no_rotation",
        "ensemble=2",
        "seed=range(2)",
    )
    assert result.returncode == 0, result.stderr
    assert "A-2 x2 no_rotation" in result.stdout
    runs = [json.loads(path.read_text()) for path in sorted(tmp_path.glob("outputs/multirun/*/*/metrics.json"))]
    assert [(run["ablation"], run["seed"], run["epochs"]) for run in runs] == [
        *[(None, 0, 1), (None, 1, 1)],
        *[("no_rotation", 0, 3), ("no_rotation", 1, 3)],
    ]
    assert {(run["experiment"], run["model_id"], run["ensemble"]) for run in runs} == {("paper/A-2", "A-2", 2)}


def test_a_list_of_experiments_is_recorded_with_its_ablation(train, tmp_path):
    result = train("experiment=[paper/C-1,studies/comparison,ablation/layers_removed]")
    assert result.returncode == 0, result.stderr
    (path,) = tmp_path.glob("outputs/train/*/metrics.json")
    run = json.loads(path.read_text())
    assert run["ablation"] == "layers_removed"
    assert run["experiment"] == "paper/C-1,studies/comparison,ablation/layers_removed"


def test_an_experiment_that_would_undo_an_ablation_is_refused(train, tmp_path):
    result = train("experiment=[ablation/no_rotation,paper/A-2]")
    assert result.returncode != 0
    assert "Put the ablations last" in result.stderr
