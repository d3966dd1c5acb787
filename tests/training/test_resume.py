"""A run killed in mid-epoch and resumed ends bit for bit where the uninterrupted one ends."""

import shutil
from functools import partial
from pathlib import Path
from typing import Any

import lightning as L
import pytest
import torch

from thermal_landmarks.training.callbacks.checkpoints import BestCheckpoint, LastCheckpoint
from thermal_landmarks.training.callbacks.collapse import CollapseWarning
from thermal_landmarks.training.callbacks.ema import WeightEma
from thermal_landmarks.training.callbacks.history import History
from thermal_landmarks.training.callbacks.randomness import StepSeed
from thermal_landmarks.training.schedules import cosine, plateau


class CopyFolder(L.Callback):
    """Keeps what SIGKILL in the middle of the fourth epoch would have left; tests/commands/test_train.py sends one."""

    def __init__(self, copy: Path) -> None:
        self.copy = copy

    def on_train_batch_end(self, trainer: L.Trainer, *args: Any, **kwargs: Any) -> None:
        if trainer.current_epoch == 3 and trainer.fit_loop.batch_idx == 1:
            shutil.copytree(trainer.default_root_dir, self.copy)


SCHEDULES = {
    "cosine": cosine,
    "plateau": partial(plateau, patience=0, gamma=0.5, monitor="train/loss"),
    "val_plateau": partial(plateau, patience=0, gamma=0.5),
}


@pytest.mark.parametrize(
    ("schedule", "averaged", "interval"), [("cosine", True, 1), ("plateau", False, 1), ("val_plateau", False, 2)]
)
def test_a_killed_run_resumes_to_the_same_end(
    make_module, make_data, make_trainer, tmp_path, schedule, averaged, interval
):
    root, killed = tmp_path / "run", tmp_path / "killed"

    def fit(*, resume: bool = False) -> dict[str, Any]:
        torch.manual_seed(99)  # whatever ran before must not matter
        callbacks = [StepSeed(seed=5), CollapseWarning(), *([WeightEma(decay=0.9)] if averaged else [])]
        callbacks += [History(), BestCheckpoint(), LastCheckpoint(), *([] if resume else [CopyFolder(killed)])]
        trainer = make_trainer(
            max_epochs=6, check_val_every_n_epoch=interval, callbacks=callbacks, default_root_dir=str(root)
        )
        data = make_data(batch_size=6, augmentation={"rotation": "random", "noise": 0.1})
        module = make_module(scheduler=SCHEDULES[schedule])
        trainer.fit(module, data, ckpt_path=root / "checkpoints" / "last.ckpt" if resume else None)
        best = trainer.test(module, data, ckpt_path=root / "checkpoints" / "best.ckpt", verbose=False)[0]
        last = torch.load(root / "checkpoints" / "last.ckpt", weights_only=True)
        return {"best": best, "last": last, "history": (root / "history.csv").read_text()}

    straight = fit()
    shutil.rmtree(root)
    killed.rename(root)
    assert torch.load(root / "checkpoints" / "last.ckpt", weights_only=True)["epoch"] == 2
    assert len((root / "history.csv").read_text().splitlines()) < 7

    resumed = fit(resume=True)
    assert resumed["best"] == straight["best"]
    assert resumed["history"] == straight["history"]
    assert len(straight["history"].splitlines()) == 7
    for key in ("state_dict", "optimizer_states", "lr_schedulers", *(["current_model_state"] if averaged else [])):
        assert_identical(resumed["last"][key], straight["last"][key])


def assert_identical(one: Any, other: Any) -> None:
    assert type(one) is type(other)
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        for key in one:
            assert_identical(one[key], other[key])
    elif isinstance(one, list | tuple):
        assert len(one) == len(other)
        for a, b in zip(one, other, strict=True):
            assert_identical(a, b)
    elif isinstance(one, torch.Tensor):
        assert torch.equal(one, other)
    else:
        assert one == other


def test_dropout_of_a_step_does_not_depend_on_what_ran_before(make_module, make_data, make_trainer, tmp_path):
    def weights(draws: int) -> torch.Tensor:
        class Draw(L.Callback):
            def on_train_batch_end(self, *args: Any, **kwargs: Any) -> None:
                torch.rand(draws)

        module = make_module()
        make_trainer(max_epochs=2, callbacks=[StepSeed(seed=1), Draw()]).fit(module, make_data())
        return module.network.head.linear.weight

    assert torch.equal(weights(3), weights(7))


def test_another_seed_gives_another_dropout(make_module, make_data, make_trainer):
    def weights(seed: int) -> torch.Tensor:
        module = make_module()
        make_trainer(max_epochs=1, callbacks=[StepSeed(seed=seed)]).fit(module, make_data())
        return module.network.head.linear.weight

    assert not torch.equal(weights(1), weights(2))


def test_history_of_a_run_resumed_in_another_folder_is_whole(make_module, make_data, make_trainer, tmp_path):
    def fit(folder: str, epochs: int, path: Path | None) -> list[str]:
        root = tmp_path / folder
        trainer = make_trainer(max_epochs=epochs, callbacks=[History(), LastCheckpoint()], default_root_dir=str(root))
        trainer.fit(make_module(), make_data(), ckpt_path=path)
        return [line.split(",")[0] for line in (root / "history.csv").read_text().splitlines()]

    fit("a", 2, None)
    assert fit("b", 3, tmp_path / "a" / "checkpoints" / "last.ckpt") == ["epoch", "0", "1", "2"]
