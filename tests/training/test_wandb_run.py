"""How a training tells W&B its end, and how a resumed one goes on there: read back from the offline records."""

import json

import pytest
import wandb

from thermal_landmarks.training.callbacks.checkpoints import BestCheckpoint, LastCheckpoint
from thermal_landmarks.training.callbacks.dashboard import StepLoss
from thermal_landmarks.training.loggers import RunMetadata, build_logger, log_outcome

METADATA = RunMetadata(model_id="C-1", stem="conv", branch="none", data="blobs", scheme="perinasal6")
SETTINGS = {"kind": "wandb", "project": "faces", "entity": None, "mode": "offline"}


@pytest.fixture
def train(make_module, make_data, make_trainer, tmp_path):
    """Trains to the end of an epoch, from the last checkpoint or from the start."""

    def fit(epochs: int, *, resume: bool = False) -> None:
        root = tmp_path / "run"
        logger = build_logger(SETTINGS, METADATA, root)
        callbacks = [StepLoss(every_steps=1), BestCheckpoint(), LastCheckpoint()]
        trainer = make_trainer(max_epochs=epochs, callbacks=callbacks, logger=logger, default_root_dir=str(root))
        checkpoint = root / "checkpoints" / "last.ckpt" if resume else None
        trainer.fit(make_module(), make_data(), ckpt_path=checkpoint)
        wandb.teardown()

    return fit


def rows_of(records):
    histories = [r.history for r in records if r.WhichOneof("record_type") == "history"]
    items = [{"/".join(i.nested_key) or i.key: json.loads(i.value_json) for i in h.item} for h in histories]
    return {history.step.num: row for history, row in zip(histories, items, strict=True)}


def run_of(records):
    return next(r.run for r in records if r.WhichOneof("record_type") == "run")


def test_a_run_resumed_offline_continues_behind_what_its_checkpoint_knew(train, tmp_path, read_records):
    train(2)
    lost = tmp_path / "run" / "checkpoints" / "last.ckpt"
    kept = lost.read_bytes()
    train(3, resume=True)
    lost.write_bytes(kept)  # as if killed in the third epoch, before its checkpoint
    train(4, resume=True)

    first, second, third = read_records(tmp_path / "run" / "wandb")
    before, killed, after = (rows_of(records) for records in (first, second, third))
    assert not run_of(first).HasField("branch_point")
    for resumed in (second, third):
        assert run_of(resumed).run_id == run_of(first).run_id
        point = run_of(resumed).branch_point
        assert (point.run, point.metric, point.value) == (run_of(first).run_id, "_step", max(before))
    for rows in (killed, after):
        assert min(rows) == max(before) + 1  # nothing that the checkpoint knew is written again
        assert min(row["trainer/global_step"] for row in rows.values()) > max(
            row["trainer/global_step"] for row in before.values()
        )
    steps = [row["trainer/global_step"] for row in (before | after).values() if "train/step_loss" in row]
    assert steps == sorted(set(steps))


def test_a_run_whose_steps_are_unknown_is_resumed_as_another_one(train, tmp_path, read_records):
    train(1)
    (tmp_path / "run" / "wandb_steps.csv").unlink()
    train(2, resume=True)
    first, second = read_records(tmp_path / "run" / "wandb")
    assert run_of(first).run_id != run_of(second).run_id
    assert run_of(first).run_group == run_of(second).run_group


def test_the_end_of_a_training_can_be_filtered_by(tmp_path, read_records, summary_and_config):
    build_logger(SETTINGS, METADATA, tmp_path / "run")
    log_outcome("pruned", "val/wing", {"val/wing": 1.5, "best_epoch": 3})
    wandb.teardown()
    (records,) = read_records(tmp_path / "run" / "wandb")
    summary, config = summary_and_config(records)
    expected = {"state": "pruned", "best_objective": 1.5, "best_epoch": 3}
    assert expected.items() <= summary.items()
    assert expected.items() <= config.items()
