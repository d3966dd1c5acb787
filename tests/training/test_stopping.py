"""A training that is asked to stop leaves a checkpoint of that moment, from which it goes on bit for bit."""

import json
import os
import signal
import time
from typing import Any

import lightning as L
import pytest
import torch
from omegaconf import OmegaConf

from thermal_landmarks.commands.entry import command
from thermal_landmarks.errors import Interrupted
from thermal_landmarks.runs import find_run_to_resume
from thermal_landmarks.training.callbacks.checkpoints import BestCheckpoint, LastCheckpoint
from thermal_landmarks.training.callbacks.ema import WeightEma
from thermal_landmarks.training.callbacks.history import History
from thermal_landmarks.training.callbacks.interruption import Interruption
from thermal_landmarks.training.callbacks.randomness import StepSeed
from thermal_landmarks.training.run import train
from thermal_landmarks.training.stopping import stop_requests


class Signal(L.Callback):
    """Signals this process in a step, or in a validation, of an epoch counted from 0."""

    def __init__(self, number: int, *, epoch: int, step: int | None) -> None:
        self.number, self.epoch, self.step = number, epoch, step

    def on_train_batch_start(self, trainer: L.Trainer, pl_module: Any, batch: Any, batch_idx: int) -> None:
        if (trainer.current_epoch, batch_idx) == (self.epoch, self.step):
            os.kill(os.getpid(), self.number)

    def on_validation_start(self, trainer: L.Trainer, *args: Any) -> None:
        if self.step is None and trainer.current_epoch == self.epoch:
            os.kill(os.getpid(), self.number)


@pytest.mark.parametrize(
    ("number", "step", "trained", "averaged"),
    [(signal.SIGTERM, 1, "2 of 4", True), (signal.SIGINT, 0, "2 of 4", False), (signal.SIGTERM, None, "3 of 4", False)],
    ids=["second_step", "first_step", "validation"],
)
def test_a_stopped_run_resumes_to_the_same_end(
    make_module, make_data, make_trainer, tmp_path, number, step, trained, averaged
):
    def fit(folder: str, *extra: L.Callback, resume: bool = False) -> dict[str, Any]:
        root = tmp_path / folder
        callbacks = [StepSeed(seed=5), *([WeightEma(decay=0.9)] if averaged else []), History(), *extra]
        trainer = make_trainer(
            max_epochs=4, callbacks=[*callbacks, BestCheckpoint(), LastCheckpoint()], default_root_dir=str(root)
        )
        data = make_data(batch_size=3, augmentation={"rotation": "random", "noise": 0.1})
        trainer.fit(make_module(), data, ckpt_path=root / "checkpoints" / "last.ckpt" if resume else None)
        assert trainer.num_training_batches >= 3
        return torch.load(root / "checkpoints" / "last.ckpt", weights_only=True)

    with stop_requests() as request, pytest.raises(Interrupted, match=f"in epoch {trained}") as stop:
        fit("stopped", Interruption(request), Signal(number, epoch=1, step=step))
    assert stop.value.signal_number == number
    assert signal.getsignal(number) is not request._answer

    resumed, straight = fit("stopped", resume=True), fit("straight")
    for key in ("state_dict", *(["current_model_state"] if averaged else [])):
        for name, value in straight[key].items():
            assert torch.equal(resumed[key][name], value), name
    rows = [[row["val/wing"] for row in last["callbacks"]["History"]["rows"]] for last in (resumed, straight)]
    assert rows[0] == rows[1]
    assert len(rows[0]) == 4


def signal_this_process(number: int) -> None:
    os.kill(os.getpid(), number)
    time.sleep(1)  # Python answers between two of its instructions


def test_a_second_signal_and_one_outside_of_training_stop_at_once(capsys):
    with stop_requests() as request:
        request.patient = True
        os.kill(os.getpid(), signal.SIGTERM)
        assert request.signal_number == signal.SIGTERM
        assert "SIGTERM: stopping after this step" in capsys.readouterr().err
        with pytest.raises(Interrupted):
            signal_this_process(signal.SIGTERM)
    with stop_requests(), pytest.raises(Interrupted):
        signal_this_process(signal.SIGINT)


def test_a_stopped_run_keeps_what_it_measured_and_says_how_to_go_on(tiny_config, tmp_path):
    def ask_to_stop(value: float, epochs: int) -> bool:
        os.kill(os.getpid(), signal.SIGTERM)
        return False

    folder = tmp_path / "runs" / "a"
    with pytest.raises(Interrupted, match=rf"Stopped by SIGTERM in epoch 2 of 3.* To go on: resume={folder}$"):
        train(tiny_config("trainer.max_epochs=3"), folder, report=ask_to_stop)
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics["incomplete"].startswith("stopped by SIGTERM in epoch 2 of 3")
    assert metrics["best_epoch"] == metrics["epochs"] == 1
    assert metrics["val/wing"] > 0
    assert "test/wing" not in metrics
    assert find_run_to_resume("last", tmp_path / "runs") == folder

    finished = train(tiny_config(f"resume={folder}"), folder)
    assert json.loads((folder / "metrics.json").read_text()) == finished
    assert finished["epochs"] == 3
    assert "incomplete" not in finished
    assert finished["test_precision"] == "32"


@pytest.mark.parametrize(("error", "code"), [(Interrupted("Stopped.", 15), 143), (KeyboardInterrupt(), 130)])
def test_the_exit_code_names_the_signal(monkeypatch, capsys, error, code):
    def fail(cfg: Any) -> None:
        raise error

    monkeypatch.setattr("sys.argv", ["train.py"])
    monkeypatch.setattr("hydra.main", lambda **settings: lambda function: lambda: function(OmegaConf.create()))
    with pytest.raises(SystemExit) as stop:
        command("train")(fail)()
    assert stop.value.code == code
    assert capsys.readouterr().err.strip() == str(error)
