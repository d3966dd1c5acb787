import csv
import math
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from thermal_landmarks.data.schemes import get_scheme
from thermal_landmarks.errors import ConfigError
from thermal_landmarks.evaluation.figures import ced_figure
from thermal_landmarks.training.callbacks.checkpoints import BestCheckpoint, LastCheckpoint
from thermal_landmarks.training.callbacks.collapse import CollapseWarning
from thermal_landmarks.training.callbacks.ema import WeightEma
from thermal_landmarks.training.callbacks.history import History
from thermal_landmarks.training.callbacks.progress import EpochBar, EpochLines, build_progress
from thermal_landmarks.training.callbacks.test_results import TestFigures, TestImages
from thermal_landmarks.training.callbacks.throughput import Throughput
from thermal_landmarks.training.schedules import cosine


def test_constant_predictions_are_warned_of_once_and_varied_ones_are_not(make_module, make_data, make_trainer, capsys):
    module, data = make_module(optimizer=partial(torch.optim.SGD, lr=0.0)), make_data()
    torch.nn.init.zeros_(module.network.head.linear.weight)
    callback = CollapseWarning(patience=2)
    trainer = make_trainer(max_epochs=3, callbacks=[callback])
    trainer.fit(module, data)
    assert callback.collapsed
    assert float(trainer.callback_metrics["val/prediction_spread"]) == pytest.approx(0, abs=1e-3)
    text = capsys.readouterr().err
    assert text.count("COLLAPSED PREDICTIONS") == 1
    assert "optimizer.lr" in text

    callback = CollapseWarning(patience=2)
    make_trainer(max_epochs=2, callbacks=[callback]).fit(make_module(seed=1), data)
    assert not callback.collapsed
    assert "COLLAPSED" not in capsys.readouterr().err


def test_the_advice_names_a_tenth_of_the_full_learning_rate(make_module, make_data, make_trainer, capsys):
    module = make_module(optimizer=partial(torch.optim.SGD, lr=1e-5), scheduler=partial(cosine, warmup_epochs=0))
    torch.nn.init.zeros_(module.network.head.linear.weight)
    make_trainer(max_epochs=2, callbacks=[CollapseWarning(patience=2)]).fit(module, make_data())
    assert module.trainer.optimizers[0].param_groups[0]["lr"] < 5e-6
    assert "optimizer.lr=1e-06 " in capsys.readouterr().err


def test_every_epoch_leaves_a_row_a_line_and_a_checkpoint_without_old_values_between_validations(
    make_module, make_data, make_trainer, tmp_path, capsys
):
    callbacks = [
        Throughput(skip_steps=1),
        History(),
        build_progress(terminal=False),
        BestCheckpoint(),
        LastCheckpoint(),
    ]
    trainer = make_trainer(max_epochs=3, check_val_every_n_epoch=2, enable_progress_bar=True, callbacks=callbacks)
    trainer.fit(make_module(), make_data())
    with (tmp_path / "run" / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["0", "1", "2"]
    assert [bool(row["val/wing"]) for row in rows] == [False, True, False]
    assert float(rows[1]["val/wing"]) == pytest.approx(float(trainer.callback_metrics["val/wing"]))
    assert all(row["train/loss"] and float(row["train/learning_rate"]) == pytest.approx(3e-3) for row in rows)
    assert float(rows[-1]["train/images_per_second"]) > 0
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("epoch")]
    assert [line.split("  ")[0] for line in lines] == ["epoch 1/3", "epoch 2/3", "epoch 3/3"]
    assert ["val wing" in line for line in lines] == [False, True, False]
    assert torch.load(tmp_path / "run" / "checkpoints" / "last.ckpt", weights_only=True)["epoch"] == 2


def test_a_terminal_gets_a_bar_and_a_log_file_lines():
    assert isinstance(build_progress(terminal=True), EpochBar)
    assert isinstance(build_progress(terminal=False), EpochLines)


def test_throughput_leaves_out_the_first_steps(make_module, make_data, make_trainer, monkeypatch):
    clock = iter(range(0, 10_000, 10))
    monkeypatch.setattr("thermal_landmarks.training.callbacks.throughput.time.perf_counter", lambda: next(clock))
    callback = Throughput(skip_steps=2)
    trainer = make_trainer(max_epochs=2, callbacks=[callback])
    trainer.fit(make_module(), make_data(batch_size=6))
    images = len(trainer.datamodule.datasets["train"])
    steps = math.ceil(images / 6)
    assert steps >= 3
    # Epoch 1 counts the steps after the second, epoch 2 those after its first; two looks at the clock an epoch.
    assert callback.images == (images - 12) + (images - 6)
    assert callback.seconds == 20
    assert callback.images_per_second == callback.images / 20


def test_last_is_the_last_epoch_and_best_the_best_one(make_module, make_data, make_trainer, tmp_path):
    # With `max` and a falling error the best epoch isn't the last.
    history, best, last = History(), BestCheckpoint(monitor="val/wing", mode="max"), LastCheckpoint()
    make_trainer(max_epochs=4, callbacks=[history, best, last]).fit(make_module(), make_data())
    folder = tmp_path / "run" / "checkpoints"
    assert sorted(p.name for p in folder.iterdir()) == ["best.ckpt", "last.ckpt"]
    wing = [row["val/wing"] for row in history.rows]
    assert torch.load(folder / "last.ckpt", weights_only=True)["epoch"] == 3
    assert torch.load(folder / "best.ckpt", weights_only=True)["epoch"] == int(np.argmax(wing)) < 3
    assert float(best.best_model_score) == pytest.approx(max(wing))


def test_a_run_resumed_elsewhere_takes_its_best_checkpoint_along(make_module, make_data, make_trainer, tmp_path):
    def fit(folder: str, epochs: int, path: Path | None) -> BestCheckpoint:
        best = BestCheckpoint(mode="max")
        trainer = make_trainer(
            max_epochs=epochs, callbacks=[best, LastCheckpoint()], default_root_dir=str(tmp_path / folder)
        )
        trainer.fit(make_module(), make_data(), ckpt_path=path)
        return best

    first = fit("a", 2, None)
    second = fit("b", 4, tmp_path / "a" / "checkpoints" / "last.ckpt")
    assert Path(second.best_model_path) == tmp_path / "b" / "checkpoints" / "best.ckpt"
    assert float(second.best_model_score) == float(first.best_model_score)
    assert torch.load(second.best_model_path, weights_only=True)["epoch"] == 0


def test_averaged_weights_follow_their_formula_and_are_what_a_checkpoint_predicts_with(
    make_module, make_data, make_trainer, tmp_path
):
    weights = []
    ema = WeightEma(decay=0.5)

    class Recorder(torch.optim.SGD):
        def step(self, closure=None):
            loss = super().step(closure)
            weights.append(module.network.head.linear.weight.detach().clone())
            return loss

    module = make_module(optimizer=lambda groups: Recorder(groups, lr=0.01))
    trainer = make_trainer(max_epochs=4, callbacks=[ema, LastCheckpoint()])
    trainer.fit(module, make_data())
    expected = weights[0]
    for step, current in enumerate(weights[1:], start=1):
        decay = min(0.5, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * current
    checkpoint = torch.load(tmp_path / "run" / "checkpoints" / "last.ckpt", weights_only=True)
    assert torch.allclose(checkpoint["state_dict"]["network.head.linear.weight"], expected, atol=1e-6)
    assert torch.allclose(checkpoint["current_model_state"]["network.head.linear.weight"], weights[-1])
    tested = trainer.test(module, trainer.datamodule, ckpt_path=tmp_path / "run/checkpoints/last.ckpt", verbose=False)
    assert torch.allclose(module.network.head.linear.weight, expected, atol=1e-6)
    assert tested


def test_an_average_that_never_moves_is_refused():
    with pytest.raises(ConfigError, match="decay"):
        WeightEma(decay=1.0)


def test_a_test_leaves_pictures(make_module, make_data, make_trainer, tmp_path):
    make_trainer(callbacks=[TestFigures(faces=1)]).test(make_module(), make_data(), verbose=False)
    pictures = sorted(p.name for p in (tmp_path / "run" / "figures").iterdir())
    assert pictures == ["ced.png", "overlays_best.png", "overlays_median.png", "overlays_worst.png"]
    shown = [np.asarray(Image.open(tmp_path / "run" / "figures" / name)) for name in pictures]
    background = [(picture == picture[0, 0]).all(axis=-1).mean() for picture in shown]
    assert max(background) < 0.95  # a figure without its curve or face is nearly all background


def test_the_error_curve_repeats_the_logged_metrics(make_module, make_data, make_trainer, monkeypatch):
    drawn = {}

    def draw(curves, **thresholds):
        drawn.update(curves=curves, thresholds=thresholds)
        return ced_figure(curves, **thresholds)

    monkeypatch.setattr("thermal_landmarks.evaluation.figures.ced_figure", draw)
    module = make_module(metrics={"auc_threshold": 2.0, "failure_threshold": 0.3, "auc_rule": "simpson"})
    tested = make_trainer(callbacks=[TestFigures()]).test(module, make_data(), verbose=False)[0]
    ((curve,), thresholds) = drawn["curves"].values(), drawn["thresholds"]
    assert curve.auc == pytest.approx(tested["test/auc"])
    assert curve.failure_rate == pytest.approx(tested["test/failure_rate"])
    assert thresholds == {"auc_threshold": 2.0, "failure_threshold": 0.3}
    assert curve.failure_rate == pytest.approx((curve.nme > 0.3).mean())


def test_every_tested_image_leaves_its_errors(make_module, make_data, make_trainer, tmp_path):
    module, data = make_module(), make_data(split={"overlap": True}, batch_size=5)
    data.setup()
    ala_left = get_scheme("face16").landmark_names.index("ala_left")
    data.datasets["test"].samples.points_px[2, ala_left] = np.nan  # not annotated in the third image
    metrics = make_trainer(callbacks=[TestImages()]).test(module, data, verbose=False)[0]
    with (tmp_path / "run" / "per_image.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    names = get_scheme("perinasal6").landmark_names
    assert list(rows[0])[:5] == ["image", "subject", "nme", "mean_error_px", f"{names[0]}_error_px"]
    assert [row["subject"] for row in rows] == [f"s{i // 2}" for i in range(12)]
    assert np.mean([float(row["nme"]) for row in rows]) == pytest.approx(metrics["test/nme"], rel=1e-3)
    for name in names:
        errors = [float(row[f"{name}_error_px"]) for row in rows if row[f"{name}_error_px"]]
        assert len(errors) == (11 if name == names[0] else 12)
        assert np.mean(errors) == pytest.approx(metrics[f"test/pixel_error/{name}"], rel=1e-3)
    assert rows[2][f"{names[0]}_error_px"] == ""
