"""The command on what training really leaves."""

import json
from functools import partial
from pathlib import Path

import pytest
from in_process import Command
from PIL import Image

from thermal_landmarks.commands.configs import compose_config
from thermal_landmarks.training.run import train


@pytest.fixture
def report(command: Command) -> Command:
    """Runs the command in a folder of its own; gives what it exits with."""
    return partial(command, "report", "hydra.run.dir=out")


@pytest.mark.slow
def test_a_trained_model_fills_tables_charts_and_pictures(report: Command, blob_coco: Path, tmp_path: Path) -> None:
    settings = ("data=coco", f"data.source.annotation_file={blob_coco}", f"data.cache_dir={tmp_path / 'cache'}")
    small = ("data.image_size=[24,32]", "data.workers=1", "stem=conv", "branch=none", "trainer.max_epochs=1")
    cfg = compose_config("train", [*settings, *small, "logger=none", "stem.strided_repeats=1"])
    measured = train(cfg, tmp_path / "runs" / "one")
    assert report("runs=runs", "augmentation_samples=1", "title=Blobs") is None
    page = (tmp_path / "out" / "report.html").read_text()
    assert "<h1>Blobs</h1>" in page
    assert f"{measured['test/wing']:.3f}" in page
    assert "24 × 32 × 1 pixels, 1 epoch, batch 32" in page
    figures = {path.stem for path in (tmp_path / "out" / "figures").iterdir()}
    assert {"cumulative_error", "error_by_landmark", "samples_singular_worst", "augmentation"} <= figures
    with Image.open(tmp_path / "out" / "figures" / "augmentation.webp") as picture:
        assert picture.width > 2 * picture.height  # one image, as it is and turned both ways


def test_a_folder_without_runs_and_one_that_is_not_there_are_named(report: Command, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert "no metrics.json below runs=empty" in str(report("runs=empty"))
    assert "runs=nowhere: there is no such folder" in str(report("runs=[empty,nowhere]"))


def test_evaluations_alone_make_a_report(report: Command, tmp_path: Path) -> None:
    content = {"evaluated": "all images: 4 images", "model_id": "A-2", "data": "thermal_real", "test/nme": 0.0625}
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "metrics.json").write_text(json.dumps(content))
    assert report("runs=runs", "studies=null") is None
    assert "| 6.25 |" in (tmp_path / "out" / "report.md").read_text()
