"""Which settings a resumed run keeps, and which may have changed since."""

from pathlib import Path

import pytest
import torch
from omegaconf import OmegaConf

from thermal_landmarks.errors import ConfigError
from thermal_landmarks.runs import RunFolder
from thermal_landmarks.training.resuming import resumed_config

CONFIG = {
    "seed": 0,
    "objective": "val/wing",
    "group_choices": {
        "data": "wflw",
        "stem": "conv",
        "experiment": "paper/A-2,comparison",
        "ablation": "none",
        "renderer_ablation/off": "glasses",
        "renderer_ablation/on": None,
        "debug": None,
    },
    "stem": {"depth": 2, "kernel_size": 3},
    "data": {
        "source": {"folder": "/old/wflw", "part": "train", "image_dir": "/old/wflw/WFLW_images", "unit": None},
        "test_source": {"folder": "/old/wflw", "list_file": "/elsewhere/list.txt"},
        "split": {"file": None},
        "workers": 0,
        "image_size": [64, 64],
    },
    "trainer": {"max_epochs": 10, "epochs_factor": 1},
    "tags": [],
    "logger": {"kind": "csv"},
}


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """A run that has trained 5 of its 10 epochs."""
    found = RunFolder(tmp_path / "run")
    found.checkpoints.mkdir(parents=True)
    torch.save({"epoch": 4}, found.last_checkpoint)
    OmegaConf.save(OmegaConf.create(CONFIG), found.config)
    return found


def test_the_runs_own_command_line_may_be_repeated(run):
    typed = [
        "data=wflw",
        "stem=conv",
        "experiment=[paper/A-2,studies/comparison]",
        "renderer_ablation/off=glasses",
        "stem.depth=2",
    ]
    typed += ["data.image_size=[64,64]", "data.source.folder=/old/wflw", "seed=0", "hydra.run.dir=x", "resume=last"]
    assert resumed_config(run, typed) == OmegaConf.create(CONFIG)


@pytest.mark.parametrize(
    "typed",
    [
        *(
            "experiment=lotr/m",
            "experiment=paper/A-2",
            "experiment=[studies/comparison,paper/A-2]",
            "renderer_ablation/off=beards",
        ),
        *(
            "~renderer_ablation/off",
            "renderer_ablation/on=beards",
            "debug=fast",
            "stem=resnext",
            "stem.depth=3",
            "data.source.part=test",
        ),
        *("+stem.dilation=2", "objective=val/nme", "data.image_size=[64,32]", "seed=1"),
    ],
)
def test_what_would_make_another_run_of_it_is_refused(run, typed):
    with pytest.raises(ConfigError, match="a resumed run keeps its"):
        resumed_config(run, [typed])


def test_length_hardware_and_records_may_change(run):
    typed = ["trainer.max_epochs=20", "+trainer.detect_anomaly=true", "++trainer.devices=2", "tags=[again]"]
    cfg = resumed_config(run, [*typed, "logger.kind=wandb", "data.workers=2"])
    assert cfg.trainer == {"max_epochs": 20, "epochs_factor": 1, "detect_anomaly": True, "devices": 2}
    assert (cfg.tags, cfg.logger.kind, cfg.data.workers) == (["again"], "wandb", 2)


def test_data_may_have_moved(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = resumed_config(run, ["data.source.folder=new/wflw"]).data
    new = str(tmp_path / "new" / "wflw")
    assert (data.source.folder, data.source.image_dir) == (new, f"{new}/WFLW_images")
    assert (data.test_source.folder, data.test_source.list_file) == (new, "/elsewhere/list.txt")


def test_a_typed_interpolation_means_its_value(run):
    typed = OmegaConf.create({"seed": 0, "stem": {"depth": 2}})
    assert resumed_config(run, ["stem.depth=${two}"], typed).stem.depth == 2


@pytest.mark.parametrize("factor", [1, 3])
def test_fewer_epochs_than_are_trained_are_refused(run, factor):
    cfg = OmegaConf.load(run.config)
    cfg.trainer.epochs_factor = factor
    OmegaConf.save(cfg, run.config)
    enough = {1: 5, 3: 2}[factor]
    with pytest.raises(ConfigError, match=rf"max_epochs={enough - 1}: the run has trained 5 epochs .* least {enough}"):
        resumed_config(run, [f"trainer.max_epochs={enough - 1}"])
    assert resumed_config(run, [f"trainer.max_epochs={enough}"]).trainer.max_epochs == enough


def test_a_run_of_an_earlier_version_says_what_it_does_not_know(run):
    cfg = OmegaConf.load(run.config)
    del cfg.group_choices["renderer_ablation/off"]
    OmegaConf.save(cfg, run.config)
    with pytest.raises(ConfigError, match="earlier version, doesn't record its renderer_ablation/off"):
        resumed_config(run, ["renderer_ablation/off=glasses"])
