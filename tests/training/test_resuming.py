"""Which settings a resumed run keeps, and which may have changed since."""

import functools
import re
from pathlib import Path

import pytest
import torch
from omegaconf import DictConfig, OmegaConf

from thermal_landmarks.commands.configs import compose_config
from thermal_landmarks.data.paths import with_absolute_paths
from thermal_landmarks.errors import ConfigError
from thermal_landmarks.runs import RunFolder
from thermal_landmarks.training.resuming import resumed_config

LINE = [
    "data=wflw",
    "experiment=[paper/C-2,studies/comparison]",
    "stem.depth=2",
    "data.image_size=[64,64]",
    "data.source.folder=/old/wflw",
    "data.source.image_dir=/old/wflw/WFLW_images",
    "data.test_source.folder=/old/wflw",
    "trainer.max_epochs=10",
    "seed=0",
]
"""The command line of the run."""


@functools.cache
def _composed(*line: str) -> DictConfig:
    return compose_config("train", list(line))


def composed(*line: str) -> DictConfig:
    """A copy; composing takes a while."""
    return _composed(*line).copy()


def stored(*line: str) -> DictConfig:
    """What a run with this command line keeps."""
    cfg = composed(*line)
    OmegaConf.set_struct(cfg, False)
    cfg.names = {"data": "wflw", "experiment": "paper/C-2,studies/comparison", "ablation": None}
    if line != tuple(LINE):
        cfg.names |= {"data": line[0].partition("=")[2]}
    OmegaConf.resolve(cfg)
    cfg.data = with_absolute_paths(cfg.data)
    return cfg


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """A run that has trained 5 of its 10 epochs."""
    found = RunFolder(tmp_path / "run")
    found.checkpoints.mkdir(parents=True)
    torch.save({"epoch": 4}, found.last_checkpoint)
    OmegaConf.save(stored(*LINE), found.config)
    return found


def resumed(run: RunFolder, *typed: str) -> DictConfig:
    return resumed_config(run, typed, composed(*(setting for setting in typed if not setting.startswith("hydra"))))


def test_the_runs_own_command_line_may_be_repeated(run):
    assert resumed(run, *LINE, "hydra.run.dir=x", "resume=last") == stored(*LINE)


def test_a_longer_training_of_the_runs_own_command_line(run):
    longer = [line.replace("max_epochs=10", "max_epochs=20") for line in LINE]
    assert resumed(run, *longer, "resume=last") == stored(*longer)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("experiment=lotr/m", "experiment (paper/C-2,studies/comparison)"),
        ("experiment=[studies/comparison,paper/C-2]", "experiment (paper/C-2,studies/comparison)"),
        ("data=coco", "data (wflw)"),
        ("renderer_ablation/off=beards", "data.source"),
        ("renderer_ablation/on=beards", "data.source"),
        ("debug=fast", "trainer.fast_dev_run (False)"),
        ("ablation=no_rotation", "ablation (none)"),
        ("stem=resnext", "stem (conv)"),
        ("loss=l1", "loss."),
        ("trainer=gpu", "trainer.accelerator (auto)"),
        ("stem.depth=3", "stem.depth (2)"),
        ("data.source.part=test", "data.source.part (train)"),
        ("+stem.dilation=2", "stem.dilation (None)"),
        ("objective=val/nme", "objective (val/wing)"),
        ("data.image_size=[64,32]", "data.image_size ([64, 64])"),
        ("seed=1", "seed (0)"),
    ],
)
def test_what_would_make_another_run_of_it_is_refused(run, typed, kept):
    line = [] if typed.startswith(("experiment=", "data=")) else LINE
    if "renderer" in typed:
        line = ["data=synthetic_wild"]
        OmegaConf.save(stored(*line), run.config)
    key = typed.partition("=")[0]
    with pytest.raises(ConfigError, match=re.escape(f"{typed}: a resumed run keeps its {kept}")):
        resumed(run, *(old for old in line if old.partition("=")[0] != key), typed)


def test_length_hardware_and_records_may_change(run):
    typed = ["trainer.max_epochs=20", "+trainer.detect_anomaly=true", "++trainer.devices=2", "tags=[again]"]
    cfg = resumed(run, *typed, "logger=none", "data.workers=2")
    assert cfg.trainer == {**stored(*LINE).trainer, "max_epochs": 20, "detect_anomaly": True, "devices": 2}
    assert (cfg.tags, cfg.logger.kind, cfg.data.workers) == (["again"], "none", 2)


def test_data_may_have_moved(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = resumed(run, "data=wflw", "data.source.folder=new/wflw", "data.image_size=[64,64]").data
    new = str(tmp_path / "new" / "wflw")
    assert (data.source.folder, data.source.image_dir) == (new, f"{new}/WFLW_images")
    assert data.test_source.folder == new


def test_a_typed_interpolation_means_its_value(run):
    assert resumed(run, "seed=${trainer.overfit_batches}").seed == 0
    with pytest.raises(ConfigError, match=r"keeps its stem\.depth \(2\)"):
        resumed(run, "stem.depth=${ensemble}")


@pytest.mark.parametrize("factor", [1, 3])
def test_fewer_epochs_than_are_trained_are_refused(run, factor):
    cfg = OmegaConf.load(run.config)
    cfg.trainer.epochs_factor = factor
    OmegaConf.save(cfg, run.config)
    enough = {1: 5, 3: 2}[factor]
    with pytest.raises(ConfigError, match=rf"max_epochs={enough - 1}: the run has trained 5 epochs .* least {enough}"):
        resumed(run, f"trainer.max_epochs={enough - 1}")
    assert resumed(run, f"trainer.max_epochs={enough}").trainer.max_epochs == enough


def test_a_run_of_an_earlier_version_goes_on_with_its_names(run):
    cfg = OmegaConf.load(run.config)
    del cfg.names, cfg.stem.removed_repeats
    cfg.group_choices = {"data": "wflw", "experiment": "paper/C-2,comparison"}
    cfg.callbacks.history = {"_target_": "thermal_landmarks.training.callbacks.history.History"}
    OmegaConf.save(cfg, run.config)
    assert resumed(run, *LINE).names == stored(*LINE).names
