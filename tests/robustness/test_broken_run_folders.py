"""Some 250 broken run folders: nothing in them is executed, a report on them shows the good run beside them."""

import json
from pathlib import Path

import optuna
import pytest
import torch
from omegaconf import OmegaConf
from rich.console import Console
from robustness.bounds import held_to_bounds
from robustness.broken_run_folders import broken_configs, broken_metrics, hostile_settings
from robustness.damage import damaged_bytes, odd_settings

from thermal_landmarks.building import build
from thermal_landmarks.reporting.report.runs import collect
from thermal_landmarks.reporting.report.studies import load_searches
from thermal_landmarks.reporting.report.write import write_report
from thermal_landmarks.runs import RunFolder
from thermal_landmarks.training.resuming import resumed_config

SOURCE = {"_target_": "thermal_faces.SyntheticFaces", "subjects": 2}
DATA = {"_target_": "thermal_landmarks.data.datamodule.LandmarkDataModule", "source": SOURCE}

CONFIG = {
    "data": {**DATA, "image_size": [48, 64], "batch_size": 8},
    "group_choices": {"data": "synthetic", "stem": "conv"},
    "trainer": {"max_epochs": 3, "epochs_factor": 1},
    "seed": 0,
}
METRICS = {"stem": "conv", "branch": "none", "model_id": "C-1", "seed": 0, "ensemble": 1, "test/wing": 0.5, "data": "x"}


def test_no_stored_config_builds_foreign_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    count = 0
    for what, settings in hostile_settings(DATA):
        built, message = held_to_bounds(lambda settings=settings: build("data", settings), "")
        assert built is None, what
        assert message, what
        count += 1
    assert count > 100
    assert not list(tmp_path.iterdir())


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """A good run beside which others lie."""
    return _written(tmp_path / "runs" / "good")


def _written(folder: Path) -> RunFolder:
    run = RunFolder(folder)
    run.checkpoints.mkdir(parents=True)
    run.config.write_text(json.dumps(CONFIG), encoding="utf-8")
    run.metrics.write_text(json.dumps(METRICS), encoding="utf-8")
    torch.save({"epoch": 1}, run.last_checkpoint)
    return run


def test_every_broken_config_is_refused_by_name_or_resumed(
    run: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names = {"data": "synthetic", "experiment": None, "ablation": None}
    assert resumed_config(run, [], OmegaConf.create()) == {**CONFIG, "names": names}
    wrong = []
    for what, content in broken_configs(json.dumps(CONFIG, indent=1)):
        run.config.write_bytes(content)
        try:
            held_to_bounds(lambda: resumed_config(run, [], OmegaConf.create()), "config.yaml")
        except Exception as error:
            wrong.append(f"{what}: {type(error).__name__}: {str(error)[:200]}")
    assert not wrong, "\n".join(wrong)
    assert not (tmp_path / "executed").exists()


def test_a_report_shows_the_good_run_beside_broken_ones(run: RunFolder, tmp_path: Path) -> None:
    broken = _written(tmp_path / "runs" / "broken")
    for file, contents in (
        (broken.config, broken_configs(json.dumps(CONFIG, indent=1))),
        (broken.metrics, broken_metrics(METRICS)),
    ):
        good = file.read_bytes()
        for what, content in contents:
            file.write_bytes(content)
            found, _ = held_to_bounds(lambda: collect([tmp_path / "runs"]), "")
            assert run.path in [shown.folder for shown in found.runs], what
            left_out = [path for path, _ in found.left_out]
            assert len(found.runs) == 2 or left_out or found.evaluations, what
        file.write_bytes(good)


def test_a_report_is_written_beside_runs_of_odd_numbers_and_settings(tmp_path: Path) -> None:
    """All of them at once: one that can't be shown is named in the report and ends nothing."""
    runs = tmp_path / "runs"
    measured = {**METRICS, "scheme": "perinasal6", "test/nme": 0.1, "test/pixel_error/subnasale": 3.0, "parameters": 7}
    source = {**SOURCE, "_target_": "none"}
    config = {
        "data": {**DATA, "image_size": [48, 64], "batch_size": 8, "augmentation": {}, "source": source},
        "group_choices": {"loss": "wing"},
        "trainer": {"max_epochs": 3},
        "metrics": {"auc_threshold": 0.1},
        "seed": 0,
    }
    stored = [(measured, config)]
    stored += [(odd, config) for _, odd in odd_settings(measured, seed=0, count=25)]
    stored += [(measured, odd) for _, odd in odd_settings(config, seed=0, count=25)]
    for number, (metrics, settings) in enumerate(stored):
        run = _written(runs / f"{number:03d}")
        run.metrics.write_text(json.dumps(metrics))
        run.config.write_text(json.dumps(settings))
        run.per_image.write_text("image,nme\na.png,0.1\nb.png,nan\nc.png,1e308\nd.png,\n")
    page = write_report([runs], tmp_path / "report", studies=None, console=Console(quiet=True))
    text = page.read_text(encoding="utf-8")
    assert text.count("Not shown: ") > 5
    assert "expected a number up to" in text
    assert text.count("<script>") == 1, "that of the page alone"


def test_a_damaged_database_of_studies_is_read_or_named_in_one_line(tmp_path: Path) -> None:
    file = tmp_path / "studies.db"
    study = optuna.create_study(storage=f"sqlite:///{file}", study_name="quick/conv-none")
    study.optimize(lambda trial: trial.suggest_float("optimizer.lr", 1e-3, 1e-1, log=True), n_trials=2)
    content = file.read_bytes()
    assert len(load_searches(f"sqlite:///{file}")) == 1
    refused = 0
    for what, broken in damaged_bytes(content, seed=1, flips=0):
        path = tmp_path / f"{what}.db"
        path.write_bytes(broken)
        _, message = held_to_bounds(lambda path=path: load_searches(f"sqlite:///{path}"), path.name)
        assert "\n" not in message
        refused += bool(message)
    assert refused > 3
