"""Public benchmarks from their own folder layout to their table of results, by the documented commands."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest

from thermal_landmarks.cli import compose_config
from thermal_landmarks.data.five_points import write_five_points
from thermal_landmarks.data.readers.wflw import FLAGS, Wflw
from thermal_landmarks.training.run import train

SRC = Path(__file__).parents[1] / "src"
SMALL = ["data.image_size=[64,64]", "trainer.max_epochs=1", "data.batch_size=4", "logger=csv"]


def run(cwd: Path, command: str, *arguments: str) -> str:
    result = subprocess.run(
        [sys.executable, str(SRC / command), *arguments], cwd=cwd, capture_output=True, text=True, timeout=600
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.mark.slow
def test_wflw_is_trained_on_aligned_faces_and_measured_on_its_subsets(wflw_folder: Path, tmp_path: Path) -> None:
    points = {}
    for part in ("train", "test"):
        for face in Wflw(folder=wflw_folder, part=part).annotations():
            points[face.image.absolute()] = [face.points_px[[96, 97, 54, 76, 82]].astype(float)]
    write_five_points(tmp_path / "five.csv", points)
    data = ["data=wflw", f"data.source.folder={wflw_folder}", "data.five_points.file=five.csv"]
    model = ["experiment=lotr/m", "root.pretrained=false"]
    shown = run(tmp_path, "train.py", *model, *data, *SMALL, "data.crop.mode=align", "hydra.run.dir=trained")
    assert "wflw98: 7 train, 1 val, 6 test images" in shown
    shown = run(tmp_path, "evaluate.py", "checkpoint=trained", *data, "device=cpu", "hydra.run.dir=measured")
    assert "the test data set: 6 images" in shown
    assert "Benchmark in percent (NME by inter ocular)" in shown
    metrics = json.loads((tmp_path / "measured" / "metrics.json").read_text())
    assert metrics["metric_settings"]["auc_rule"] == "simpson"
    subsets = {row["subset"]: row for row in metrics["benchmark"]["subsets"]}
    assert list(subsets) == ["full", *FLAGS]
    assert subsets["full"]["images"] == 6
    assert subsets["full"]["nme"] == pytest.approx(metrics["test/nme"], rel=1e-4)
    assert subsets["full"]["failure_rate@0.1"] == pytest.approx(metrics["test/failure_rate"])
    with (tmp_path / "measured" / "benchmark.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert float(rows[1]["nme"]) == pytest.approx(subsets["pose"]["nme"])
    assert (tmp_path / "measured" / "figures" / "by_nme.png").stat().st_size > 10_000


@pytest.mark.filterwarnings("ignore:hydra.utils.instantiate")  # the commands give a whitelist, a call from here doesn't
@pytest.mark.parametrize(
    ("name", "scheme", "images"), [("jd106", "jd106", (15, 1, 2)), ("lapa", "lapa106", (15, 1, 3))]
)
def test_106_points_are_trained_from_their_own_layout(
    name: str, scheme: str, images: tuple[int, ...], request: pytest.FixtureRequest, tmp_path: Path, capsys
) -> None:
    folder = request.getfixturevalue(f"{name}_folder")
    overrides = [f"data={name}", f"data.source.folder={folder}", *SMALL, f"data.cache_dir={tmp_path}", "trainer=cpu"]
    metrics = train(compose_config("train", overrides), tmp_path / "run")
    assert metrics["scheme"] == scheme
    shown = capsys.readouterr().out
    assert "{} train, {} val, {} test images".format(*images) in shown
    assert 0 < metrics["test/nme"] < 1
