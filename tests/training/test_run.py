"""One training job as a function: what decides about it, and what it leaves without a test."""

import csv
import json

import pytest
import torch

from thermal_landmarks.data import datamodule
from thermal_landmarks.data.cache import load_or_build
from thermal_landmarks.errors import ConfigError, OutputError
from thermal_landmarks.training.run import train


def test_the_objective_decides_which_epoch_is_the_best(tiny_config, tmp_path):
    cfg = tiny_config("trainer.max_epochs=4", "objective=val/accuracy", "scheduler=plateau", "data.split.test=0")
    metrics = train(cfg, tmp_path / "run")
    with (tmp_path / "run" / "history.csv").open() as file:
        accuracy = [float(row["val/accuracy"]) for row in csv.DictReader(file)]
    assert metrics["val/accuracy"] == max(accuracy)
    assert metrics["best_epoch"] == accuracy.index(max(accuracy)) + 1
    best = torch.load(tmp_path / "run" / "checkpoints" / "best.ckpt", weights_only=True)
    assert best["epoch"] + 1 == metrics["best_epoch"]
    assert best["lr_schedulers"][0]["mode"] == "max"


def test_without_a_test_the_validation_is_shown_and_data_are_read_once(tiny_config, tmp_path, capsys, monkeypatch):
    read = []
    monkeypatch.setattr(datamodule, "load_or_build", lambda *a, **k: read.append(a[0]) or load_or_build(*a, **k))
    metrics = train(tiny_config("trainer.max_epochs=1", "data.split.test=0"), tmp_path / "run")
    assert len(read) == 1
    assert not any(name.startswith("test") for name in metrics)
    shown = capsys.readouterr().out
    assert "There is no test: data.split.test" in shown
    assert "Validation metrics of the best epoch" in shown
    assert f"{metrics['val/wing']:.4f}" in shown


@pytest.mark.parametrize("objective", ["test/nme", "val/wings"])
def test_an_objective_that_training_does_not_measure_is_refused_before_it(tiny_config, tmp_path, objective):
    with pytest.raises(ConfigError, match=rf"objective={objective} isn't measured.*val/nme"):
        train(tiny_config(f"objective={objective}"), tmp_path / "run")


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("data.batch_size=0", "data.batch_size=0 must be"),
        ("data.split.val=1.5", r"data\.split\.val=1\.5 is a fraction"),
    ],
)
def test_sizes_that_make_no_sense_are_named(tiny_config, tmp_path, setting, message):
    with pytest.raises(ValueError, match=message):
        train(tiny_config(setting), tmp_path / "run")


def test_a_run_folder_that_takes_no_files_is_one_line(tiny_config, tmp_path):
    (tmp_path / "run").touch()
    with pytest.raises(OutputError, match=r"run/config\.yaml can't be written"):
        train(tiny_config(), tmp_path / "run")


def test_a_table_that_the_disk_has_no_room_for_leaves_the_best_checkpoint(tiny_config, tmp_path, monkeypatch):
    def full(path, rows):
        raise OutputError(f"{path} can't be written: No space left on device.")

    train(tiny_config("trainer.max_epochs=1", "data.split.test=0"), tmp_path / "run")
    best = (tmp_path / "run" / "checkpoints" / "best.ckpt").read_bytes()
    monkeypatch.setattr("thermal_landmarks.training.callbacks.history.write_rows", full)
    with pytest.raises(OutputError, match=r"history\.csv"):
        train(tiny_config(f"resume={tmp_path / 'run'}"), tmp_path / "run", overrides=["trainer.max_epochs=2"])
    assert (tmp_path / "run" / "checkpoints" / "best.ckpt").read_bytes() == best
    assert "No space left" in json.loads((tmp_path / "run" / "metrics.json").read_text())["incomplete"]
