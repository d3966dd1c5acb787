"""What a dashboard would show, read back from W&B's offline record."""

import json
from typing import Any

import pytest
import torch
from lightning.pytorch.loggers import TensorBoardLogger
from omegaconf import OmegaConf

from thermal_landmarks.errors import ConfigError
from thermal_landmarks.runs import git_commit
from thermal_landmarks.training.callbacks.checkpoints import BestCheckpoint
from thermal_landmarks.training.callbacks.dashboard import BestArtifact, StepLoss, ValidationOverlays
from thermal_landmarks.training.callbacks.test_results import TestFigures
from thermal_landmarks.training.callbacks.throughput import Throughput
from thermal_landmarks.training.loggers import RunMetadata, build_logger, wandb_mode

METADATA = RunMetadata(
    model_id="C-1",
    stem="conv",
    branch="none",
    data="blobs",
    scheme="perinasal6",
    settings={"optimizer": {"lr": 3e-3}},
    parameters=1234,
    gflops=0.5,
    study="C-1 paper",
    tags=["mine"],
)


def test_the_offline_record_holds_what_a_dashboard_shows(
    make_module, make_data, make_trainer, tmp_path, capfd, monkeypatch, read_record
):
    import wandb

    monkeypatch.setenv("WANDB_MODE", "offline")
    settings = OmegaConf.create({"kind": "wandb", "project": "faces", "entity": None, "mode": "auto"})
    logger = build_logger(settings, METADATA, tmp_path / "run")
    callbacks = [Throughput(skip_steps=1), TestFigures(faces=1), BestCheckpoint(), BestArtifact()]
    callbacks += [StepLoss(every_steps=2), ValidationOverlays(every_epochs=3, faces=2)]
    trainer = make_trainer(max_epochs=3, callbacks=callbacks, logger=logger)
    module, data = make_module(), make_data()
    trainer.fit(module, data)
    tested = trainer.test(module, data, verbose=False)[0]
    wandb.teardown()  # finish alone may return before W&B's process has written its file

    said = capfd.readouterr()
    assert [line for line in (said.out + said.err).splitlines() if "wandb" in line.lower()] == [
        f"W&B is offline; to upload this run: wandb sync {next((tmp_path / 'run/wandb').glob('offline-run-*'))}"
    ]
    records = read_record(tmp_path / "run" / "wandb")
    run = next(r.run for r in records if r.WhichOneof("record_type") == "run")
    assert run.display_name == "C-1 conv/none blobs seed 0"
    assert (run.project, run.run_group, run.job_type) == ("faces", "C-1 paper", "train")
    assert {"C-1", "stem:conv", "branch:none", "data:blobs", "study:C-1 paper", "mine"} <= set(run.tags)
    config = {item.key: json.loads(item.value_json) for item in run.config.update}
    assert config["optimizer"] == {"lr": 3e-3}
    assert (config["parameters"], config["gflops"], config["model_id"]) == (1234, 0.5, "C-1")

    history = [
        {"/".join(item.nested_key) or item.key: json.loads(item.value_json) for item in r.history.item}
        for r in records
        if r.WhichOneof("record_type") == "history"
    ]
    wing = [row["val/wing"] for row in history if "val/wing" in row]
    assert len(wing) == 3
    logged = {name for row in history for name in row}
    assert {"train/loss", "train/learning_rate", "train/images_per_second", *tested} <= logged

    summary: dict[str, Any] = {}
    for record in records:
        if record.WhichOneof("record_type") == "summary":
            for item in record.summary.update:
                summary["/".join(item.nested_key) or item.key] = json.loads(item.value_json)
    assert summary["val/wing"] == {"min": min(wing), "max": max(wing), "last": wing[-1]}
    assert summary["test/wing"] == pytest.approx(tested["test/wing"])

    pictures = {f.path for r in records if r.WhichOneof("record_type") == "files" for f in r.files.files}
    for name in ("overlays_best", "overlays_median", "overlays_worst", "ced"):
        (picture,) = [p for p in pictures if name in p]
        assert next((tmp_path / "run" / "wandb").glob(f"offline-run-*/files/{picture}")).stat().st_size > 1000

    assert config["commit"] == git_commit()
    (picture,) = [p for p in pictures if "val/overlays" in p]
    assert next((tmp_path / "run" / "wandb").glob(f"offline-run-*/files/{picture}")).stat().st_size > 1000
    losses = [(row["trainer/global_step"], row["train/step_loss"]) for row in history if "train/step_loss" in row]
    assert [step for step, _ in losses] == [1, 3, 5, 7]  # of nine, counted from 0
    assert all(loss > 0 for _, loss in losses)

    (artifact,) = [r.artifact for r in records if r.WhichOneof("record_type") == "artifact"]
    assert artifact.type == "model"
    assert "best" in artifact.aliases
    assert json.loads(artifact.metadata)["val/wing"] == pytest.approx(min(wing))
    (content,) = artifact.manifest.contents
    assert torch.load(content.local_path, weights_only=True)["hyper_parameters"]["model_id"] == "C-1"


@pytest.fixture
def logged_out(monkeypatch, tmp_path):
    for name in ("WANDB_MODE", "WANDB_API_KEY", "WANDB_DISABLED", "WANDB_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))


def test_wandb_is_online_only_where_the_user_is_logged_in(logged_out, monkeypatch, tmp_path):
    assert wandb_mode() == "offline"
    (tmp_path / "netrc").write_text("machine other.org login user password x\n")
    assert wandb_mode() == "offline"
    (tmp_path / "netrc").write_text("machine api.wandb.ai login user password x\n")
    assert wandb_mode() == "online"
    monkeypatch.setenv("WANDB_MODE", "disabled")
    assert wandb_mode() == "disabled"


def test_an_api_key_is_enough(logged_out, monkeypatch):
    monkeypatch.setenv("WANDB_API_KEY", "0" * 40)
    assert wandb_mode() == "online"


@pytest.mark.parametrize("kind", ["csv", "none"])
def test_csv_and_none_need_no_logger(kind, tmp_path):
    assert build_logger({"kind": kind}, METADATA, tmp_path) is None


def test_tensorboard_gets_metrics_and_pictures(make_module, make_data, make_trainer, tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    logger = build_logger({"kind": "tensorboard"}, METADATA, tmp_path / "run")
    assert isinstance(logger, TensorBoardLogger)
    trainer = make_trainer(logger=logger, callbacks=[TestFigures(faces=1)])
    module, data = make_module(), make_data()
    trainer.fit(module, data)
    trainer.test(module, data, verbose=False)
    logger.finalize("success")
    events = EventAccumulator(logger.log_dir)
    events.Reload()
    assert {"val/wing", "test/nme", "train/loss"} <= set(events.Tags()["scalars"])
    assert "test/ced" in events.Tags()["images"]


def test_an_unknown_logger_or_mode_is_named(tmp_path):
    with pytest.raises(ConfigError, match="tensorboard"):
        build_logger({"kind": "mlflow"}, METADATA, tmp_path)
    with pytest.raises(ConfigError, match="offline"):
        build_logger({"kind": "wandb", "mode": "off"}, METADATA, tmp_path)


def test_long_tags_are_cut_to_what_wandb_takes():
    metadata = RunMetadata(model_id="x" * 80, stem="a", branch="b", data="c", scheme="d", ensemble=3)
    assert max(map(len, metadata.all_tags)) == 64
    assert "ensemble:3" in metadata.all_tags
    assert metadata.name.startswith("x" * 80 + " x3 a/b")


def test_ensemble_and_ablation_are_in_name_group_and_tags():
    metadata = RunMetadata(
        model_id="A-2",
        stem="alt_conv_resnext",
        branch="luong",
        data="blobs",
        scheme="perinasal6",
        ensemble=3,
        ablation="no_rotation",
        experiment="paper/A-2,comparison",
        seed=4,
    )
    assert metadata.name == "A-2 x3 no_rotation alt_conv_resnext/luong blobs seed 4"
    assert metadata.group == "A-2 x3 no_rotation blobs"
    assert {"ablation:no_rotation", "experiment:paper/A-2", "experiment:comparison"} <= set(metadata.all_tags)
    assert (metadata.record()["ablation"], metadata.record()["experiment"]) == ("no_rotation", "paper/A-2,comparison")


def test_facts_for_the_record_are_plain_data():
    assert json.loads(json.dumps(METADATA.record()))["tags"] == ["mine"]
