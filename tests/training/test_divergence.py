"""A training whose numbers are lost ends there, says where, and keeps no such weights."""

import json
from functools import partial

import numpy as np
import pytest
import torch

from thermal_landmarks.errors import ConfigError, DivergedError
from thermal_landmarks.training.callbacks.checkpoints import BestCheckpoint, LastCheckpoint
from thermal_landmarks.training.callbacks.divergence import StopDiverged
from thermal_landmarks.training.run import train


def test_a_learning_rate_without_sense_is_named_with_epoch_step_and_files(make_module, make_data, make_trainer):
    data = make_data(batch_size=3)
    module = make_module(optimizer=partial(torch.optim.AdamW, lr=1e30))
    trainer = make_trainer(max_epochs=5, callbacks=[StopDiverged(), BestCheckpoint(), LastCheckpoint()])
    with pytest.raises(DivergedError, match=r"epoch 1, step \d of 8: the loss is (nan|inf)") as stop:
        trainer.fit(module, data)
    assert "blob_" in str(stop.value)
    assert "optimizer.lr=1e+29" in str(stop.value)


def test_an_image_that_no_network_can_take_is_named_alone(make_module, make_data, make_trainer):
    data = make_data(batch_size=4)
    data.setup()
    row = int(data.datasets["train"].rows[2])
    data.datasets["train"].samples.limits[row] = np.nan
    with pytest.raises(DivergedError, match=rf"the values of blob_{row}\.png are no finite numbers"):
        make_trainer(callbacks=[StopDiverged()]).fit(make_module(), data)


def test_lost_validation_predictions_are_named(make_module, make_data, make_trainer):
    module, data = make_module(), make_data()
    with torch.no_grad():
        module.network.head.linear.weight[0] = torch.nan
    with pytest.raises(DivergedError, match=r"after epoch 1 the points predicted for blob_\d+\.png"):
        make_trainer(callbacks=[StopDiverged()], limit_train_batches=0).validate(module, data)


def test_weights_that_are_no_numbers_are_not_kept(make_module, make_data, make_trainer, tmp_path):
    class Breaks(torch.optim.SGD):
        """The third epoch's last step breaks the weights; its loss, taken before, is fine."""

        steps = 0

        def step(self, closure=None):
            loss = super().step(closure)
            self.steps += 1
            if self.steps == 24:
                module.network.head.linear.weight.data[0] = torch.nan
            return loss

    module = make_module(optimizer=partial(Breaks, lr=1e-3))
    trainer = make_trainer(max_epochs=4, limit_val_batches=0, callbacks=[StopDiverged(), LastCheckpoint()])
    with pytest.raises(DivergedError, match=r"last\.ckpt isn't written"):
        trainer.fit(module, make_data(batch_size=3))
    kept = torch.load(tmp_path / "run" / "checkpoints" / "last.ckpt", weights_only=True)
    assert kept["epoch"] == 1
    assert all(value.isfinite().all() for value in kept["state_dict"].values())


def test_an_objective_that_the_data_can_not_measure_says_what_to_set(make_module, make_data, make_trainer):
    module, data = make_module(), make_data()
    data.setup()
    data.datasets["val"].samples.inter_ocular_px[:] = np.nan
    with pytest.raises(ConfigError, match=r"objective=val/nme .* metrics\.normaliser=box"):
        make_trainer(callbacks=[StopDiverged(objective="val/nme")]).fit(module, data)


def test_a_diverged_run_leaves_no_weights_and_metrics_that_say_so(tiny_config, tmp_path):
    with pytest.raises(DivergedError, match=r"optimizer\.lr"):
        train(tiny_config("trainer.max_epochs=3", "optimizer.lr=1e30"), tmp_path / "run")
    assert json.loads((tmp_path / "run" / "metrics.json").read_text())["incomplete"].startswith("DivergedError: ")
    assert not list((tmp_path / "run").glob("checkpoints/*.ckpt"))
