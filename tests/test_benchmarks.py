"""The commands of docs/benchmarks.md on miniature copies of the data sets (small images, one epoch, random weights)."""

import csv
import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from thermal_landmarks.building import build
from thermal_landmarks.commands.configs import compose_config
from thermal_landmarks.data.five_points import write_five_points
from thermal_landmarks.data.readers.wflw import FLAGS, Wflw
from thermal_landmarks.training.losses import smooth_wing

ROOT = Path(__file__).parents[1]
DOCS = (ROOT / "docs" / "benchmarks.md").read_text()
WFLW, JD, LAPA, ALIGNED = [block.splitlines() for block in re.findall(r"```bash\n(.*?)```", DOCS, flags=re.DOTALL)]
SMALL = ["root.pretrained=false", "data.image_size=[64,64]", "trainer.max_epochs=1", "data.batch_size=4", "logger=none"]
SMALL += ["callbacks.figures=null", "root.model=mobilenetv2_100"]  # test_experiments.py trains the HRNet
FIVE_OF_WFLW = [96, 97, 54, 76, 82]


@pytest.fixture
def run(run_script: Callable[..., Any]) -> Callable[..., str]:
    def run(line: str, cwd: Path, folder: Path, *arguments: str) -> str:
        words = shlex.split(line.removeprefix("uv run python ").replace("FOLDER", str(folder)))
        result = run_script([*words, *arguments], cwd=cwd)
        assert result.returncode == 0, result.stderr
        shown: str = result.stdout
        return shown

    return run


def measured(cwd: Path, shown: str) -> dict[str, Any]:
    (path,) = cwd.glob("outputs/evaluate/*/metrics.json")
    metrics: dict[str, Any] = json.loads(path.read_text())
    assert f"the test data set: {metrics['benchmark']['subsets'][0]['images']} images" in shown
    return metrics


@pytest.mark.slow
@pytest.mark.parametrize("lines", [WFLW, ALIGNED], ids=["box", "align"])
def test_wflw_is_trained_and_measured_on_its_subsets(
    lines: list[str], wflw_folder: Path, tmp_path: Path, run: Callable[..., str]
) -> None:
    points = {}
    for part in ("train", "test"):
        for face in Wflw(folder=wflw_folder, part=part).annotations():
            points[face.image.absolute()] = [face.points_px[FIVE_OF_WFLW].astype(float)]
    write_five_points(tmp_path / "five.csv", points)
    train, evaluate = lines
    assert "wflw98: 7 train, 1 val, 6 test images" in run(train, tmp_path, wflw_folder, *SMALL)
    (config,) = tmp_path.glob("outputs/*/config.yaml")
    crop = yaml.safe_load(config.read_text())["data"]["crop"]["mode"]
    assert crop == ("align" if lines is ALIGNED else "box")
    shown = run(evaluate, tmp_path, wflw_folder)
    assert "Benchmark in percent (NME by inter ocular)" in shown
    metrics = measured(tmp_path, shown)
    assert metrics["metric_settings"]["auc_rule"] == "simpson"
    subsets = {row["subset"]: row for row in metrics["benchmark"]["subsets"]}
    assert list(subsets) == ["full", *FLAGS]
    assert subsets["full"]["images"] == 6
    assert subsets["full"]["nme"] == pytest.approx(metrics["test/nme"], rel=1e-4)
    assert subsets["full"]["failure_rate@0.1"] == pytest.approx(metrics["test/failure_rate"])
    (table,) = tmp_path.glob("outputs/evaluate/*/benchmark.csv")
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert float(rows[1]["nme"]) == pytest.approx(subsets["pose"]["nme"])
    assert (table.parent / "figures" / "by_nme.png").stat().st_size > 10_000


@pytest.mark.slow
@pytest.mark.parametrize(
    ("lines", "tree", "scheme", "images"),
    [(JD, "jd106_folder", "jd106", (5, 1, 2)), (LAPA, "lapa_folder", "lapa106", (5, 1, 3))],
    ids=["jd106", "lapa"],
)
def test_106_points_are_trained_and_measured_in_their_own_layout(
    lines: list[str],
    tree: str,
    scheme: str,
    images: tuple[int, ...],
    run: Callable[..., str],
    request: pytest.FixtureRequest,
    tmp_path: Path,
) -> None:
    folder = request.getfixturevalue(tree)
    train, evaluate = lines
    counts = "{} train, {} val, {} test images".format(*images)
    assert f"{scheme}: {counts}" in run(train, tmp_path, folder, *SMALL)
    metrics = measured(tmp_path, run(evaluate, tmp_path, folder))
    (row,) = metrics["benchmark"]["subsets"]
    assert row["images"] == images[2]
    assert 0 < row["nme"] < 1
    assert metrics["metric_settings"]["normaliser"] == ("box" if lines is JD else "inter_ocular")


@pytest.mark.parametrize("preset", ["m", "m_plus", "r_plus", "hr_plus"])
def test_presets_are_trained_by_the_papers_recipe(preset: str) -> None:
    cfg = compose_config("train", [f"experiment=lotr/{preset}", "data=wflw"])
    assert (cfg.optimizer._target_, cfg.optimizer.lr) == ("timm.optim.Lamb", 1e-3)
    assert (cfg.trainer.max_epochs, cfg.data.batch_size, cfg.flip_tta) == (100, 32, True)
    assert (cfg.data.colour, cfg.data.in_channels, cfg.data.crop.mode) == (True, 3, "box")
    loss = build("loss", cfg.loss)
    assert (loss.penalty.func, loss.coordinates) == (smooth_wing, "pixel")
    assert loss.penalty.keywords == {"width": 10, "epsilon": 2, "threshold": 0.01}
    assert cfg.branch.query_std**2 == pytest.approx(1e-4)
    optimizer = build("optimizer", cfg.optimizer)([torch.nn.Parameter(torch.zeros(2))])
    schedule = build("scheduler", cfg.scheduler)(optimizer, total_steps=1000, steps_per_epoch=10)
    factor = schedule["scheduler"].lr_lambdas[0]
    epochs = {epoch: factor(10 * epoch) for epoch in range(100)}
    assert [epoch for epoch in range(1, 100) if epochs[epoch] != epochs[epoch - 1]] == [50, 75]
    assert (epochs[0], epochs[50], epochs[75]) == pytest.approx((1, 0.1, 0.01))


def test_the_documented_adamw_has_the_recipes_rate() -> None:
    (added,) = re.findall("`(optimizer=adamw [^`]+)`", DOCS)
    cfg = compose_config("train", ["experiment=lotr/m", "data=wflw", *added.split()])
    assert (cfg.optimizer._target_, cfg.optimizer.lr) == ("torch.optim.AdamW", 1e-3)
