import copy
import logging
from functools import partial

import lightning as L
import numpy as np
import pytest
import torch

from thermal_landmarks.commands.configs import compose_config
from thermal_landmarks.data.schemes import get_scheme
from thermal_landmarks.errors import ConfigError
from thermal_landmarks.evaluation.measures import METRICS
from thermal_landmarks.inference.predictor import Predictor
from thermal_landmarks.models.checkpoint import load_checkpoint
from thermal_landmarks.training.losses import LandmarkLoss
from thermal_landmarks.training.module import build_module
from thermal_landmarks.training.optimization import parameter_groups
from thermal_landmarks.training.schedules import plateau


def test_training_lowers_the_validation_error_and_logs_every_metric(make_module, make_data, make_trainer):
    module, data, trainer = make_module(), make_data(), make_trainer(max_epochs=25)
    before = trainer.validate(module, data, verbose=False)[0]
    trainer.fit(module, data)
    after = {name: float(value) for name, value in trainer.callback_metrics.items()}
    assert after["val/wing"] < 0.6 * before["val/wing"]
    expected = {f"val/{name}" for name in (*METRICS, "loss", "prediction_spread")} | {
        "train/loss",
        "train/learning_rate",
    }
    assert set(after) == expected
    assert after["val/wing"] == pytest.approx(after["val/loss"], rel=1e-4)  # the default loss is the metric


def test_a_checkpoint_is_plain_data_and_predicts_on_its_own(make_module, make_data, make_trainer, tmp_path):
    data, trainer = make_data(), make_trainer()
    module = make_module(loss=LandmarkLoss(penalty="l1"), preprocessing=data.preprocessing.settings)
    trainer.fit(module, data)
    trainer.save_checkpoint(tmp_path / "a.ckpt")
    content = torch.load(tmp_path / "a.ckpt", weights_only=True)
    assert content["hyper_parameters"]["model_id"] == "C-1"
    assert content["hyper_parameters"]["scheme"] == "perinasal6"
    restored = load_checkpoint(tmp_path / "a.ckpt").network
    images = torch.rand(3, 1, 24, 32)
    with torch.no_grad():
        assert torch.allclose(restored(images), module.eval()(images), atol=1e-6)


def test_a_module_without_an_optimizer_tests_but_does_not_train(make_module, make_data, make_trainer):
    module, data = make_module(optimizer=None), make_data()
    assert make_trainer().test(module, data, verbose=False)[0]["test/wing"] > 0
    with pytest.raises(ConfigError, match="optimizer"):
        make_trainer().fit(module, data)


def test_training_starts_at_the_mean_shape_of_the_training_set(make_module, make_data, make_trainer):
    module, data = make_module(optimizer=lambda groups: torch.optim.SGD(groups, lr=0.0)), make_data()
    make_trainer(max_epochs=1).fit(module, data)
    assert torch.allclose(module.network.head.linear.bias.view(6, 2), data.mean_shape.float())


def test_the_test_table_holds_each_image_once_and_agrees_with_the_metrics(make_module, make_data, make_trainer):
    module, data = make_module(), make_data()
    result = make_trainer().test(module, data, verbose=False)[0]
    table = module.tested
    assert table.index.tolist() == sorted(data.datasets["test"].rows.tolist())
    assert table.nme("inter_ocular").mean() == pytest.approx(result["test/nme"], rel=1e-5)
    batch = data.finish(next(iter(data.test_dataloader())), augment=False)
    distance = (torch.from_numpy(table.predicted_px) - batch["points_px"]).norm(dim=-1).mean() * batch["pixel_size"][0]
    assert float(distance) == pytest.approx(result["test/pixel_error"], rel=1e-4)


def test_each_landmark_has_its_pixel_error(make_module, make_data, make_trainer):
    module, data = make_module(), make_data()
    result = make_trainer().test(module, data, verbose=False)[0]
    batch = data.finish(next(iter(data.test_dataloader())), augment=False)
    distance = (torch.from_numpy(module.tested.predicted_px) - batch["points_px"]).norm(dim=-1)
    expected = (distance * batch["pixel_size"][:, None]).mean(dim=0).tolist()
    names = get_scheme("perinasal6").landmark_names
    assert [result[f"test/pixel_error/{name}"] for name in names] == pytest.approx(expected, rel=1e-4)


def test_the_test_can_average_over_image_and_mirror_image(make_module, make_data, make_trainer):
    data = make_data()
    module = make_module(flip_tta=True)
    assert module.hparams["flip_tta"]
    torch.nn.init.normal_(module.network.head.linear.weight)
    make_trainer().test(module, data, verbose=False)
    images = data.finish(next(iter(data.test_dataloader())), augment=False)["image"]
    with torch.no_grad():
        points, mirrored = module.eval()(images), module(images.flip(-1))
    mirrored[..., 0] = 1 - mirrored[..., 0]
    partners = [2, 1, 0, 5, 4, 3]  # perinasal6: alae, subnasale, mouth corners, upper lip
    expected = (points + mirrored[:, partners]) / 2
    np.testing.assert_allclose(module.tested.prediction, expected.numpy(), rtol=1e-4, atol=1e-5)
    assert (points - mirrored[:, partners]).abs().max() > 0.01  # the two do differ


def test_a_test_without_any_normaliser_says_once_what_to_do(make_module, make_data, make_trainer, caplog):
    data = make_data()
    data.setup()
    with caplog.at_level(logging.WARNING):
        make_trainer().test(make_module(), data, verbose=False)
        assert "metrics.normaliser" not in caplog.text
        data.datasets["test"].samples.inter_ocular_px[:] = float("nan")
        make_trainer().test(make_module(), data, verbose=False)
    assert caplog.text.count("metrics.normaliser=box") == 1


def test_plateau_waits_for_the_next_validation(make_module, make_data, make_trainer):
    schedule = partial(plateau, patience=0, gamma=0.5)
    module = make_module(optimizer=partial(torch.optim.SGD, lr=0.0), scheduler=schedule)
    trainer = make_trainer(max_epochs=5, check_val_every_n_epoch=2)
    trainer.fit(module, make_data())
    assert trainer.lr_scheduler_configs[0].scheduler.last_epoch == 2


def test_clipping_a_fused_optimizer_in_float16_is_refused_before_training(make_module, make_trainer, monkeypatch):
    monkeypatch.setattr(L.Trainer, "precision", "16-mixed")  # Lightning replaces it by bfloat16 on a CPU
    for fused in (True, False):
        module = make_module(optimizer=partial(torch.optim.AdamW, lr=1e-3, fused=fused))
        module.trainer = make_trainer()
        if fused:
            with pytest.raises(ConfigError, match=r"optimizer\.fused=false"):
                module.configure_optimizers()
        else:
            assert module.configure_optimizers()


def test_metrics_are_float32_under_bfloat16(make_module, make_data, make_trainer):
    module, trainer = make_module(), make_trainer(precision="bf16-mixed", max_epochs=1)
    trainer.fit(module, make_data())
    with torch.autocast("cpu", torch.bfloat16):
        assert module(torch.rand(2, 1, 24, 32)).dtype == torch.float32
    assert trainer.callback_metrics["val/wing"].dtype == torch.float32


def test_the_test_is_in_float32_whatever_the_training(make_module, make_data, make_trainer):
    data, tested = make_data(), []
    for precision in ("bf16-mixed", "32-true"):
        module = make_module(seed=3)
        make_trainer(precision=precision).test(module, data, verbose=False)
        tested.append(module.tested.prediction)
    np.testing.assert_array_equal(*tested)


def test_an_image_that_comes_twice_does_not_count_in_the_loss(make_module, make_data, make_trainer, monkeypatch):
    """The second of two processes with an odd number of images gets one again, masked, in a batch of its own."""
    module, data = make_module(), make_data(batch_size=3, split={"val": 0.4, "test": 0.15})
    data.setup()
    val = data.datasets["val"]
    val.rows = val.rows[:5]
    assert len(val) == 5
    monkeypatch.setattr(data, "_process", lambda: {"rank": 1, "processes": 2})
    logged = make_trainer().validate(module, data, verbose=False)[0]
    batch = data.finish(val.__getitems__([1, 3]), augment=False)
    with torch.no_grad():
        expected = module._loss(module.eval()(batch["image"]), batch)
    assert logged["val/loss"] == pytest.approx(float(expected), rel=1e-5)
    assert logged["val/loss"] == pytest.approx(logged["val/wing"], rel=1e-5)


def test_norms_and_biases_are_not_decayed(make_module):
    network = make_module().network
    decayed, free = parameter_groups(network)
    assert free["weight_decay"] == 0
    assert "weight_decay" not in decayed
    names = {id(p): name for name, p in network.named_parameters()}
    free_names = {names[id(p)] for p in free["params"]}
    assert all(p.ndim >= 2 for p in decayed["params"])
    assert "head.linear.bias" in free_names
    assert len(decayed["params"]) + len(free["params"]) == len(names)


def test_gradients_are_clipped_for_a_fused_optimizer_in_mixed_precision(make_module, make_data, make_trainer):
    seen = []

    class Recorder(torch.optim.SGD):
        def step(self, closure=None):
            loss = closure()
            norms = [p.grad.norm() for group in self.param_groups for p in group["params"]]
            seen.append(float(torch.stack(norms).norm()))
            return loss

    module = make_module(optimizer=lambda groups: Recorder(groups, lr=1e-3, fused=True))
    make_trainer(max_epochs=1, precision="bf16-mixed", gradient_clip_val=0.01).fit(module, make_data())
    assert seen
    assert max(seen) == pytest.approx(0.01, rel=1e-3)


def test_an_unknown_memory_format_is_named(make_module):
    with pytest.raises(ConfigError, match="channels_last"):
        make_module(memory_format="nhwc")


def test_a_module_that_zooms_learns_from_looks_and_is_measured_on_frames(
    make_module, make_data, make_trainer, tmp_path
):
    cascade, seldom = {"crop_size": [24, 32], "stages": 2, "face_size": 0.5}, {"check_val_every_n_epoch": 40}
    data = make_data(image_size=(48, 64), cascade=cascade)
    data.setup()
    module, trainer = make_module(preprocessing=data.preprocessing.settings), make_trainer(max_epochs=40, **seldom)
    before = trainer.validate(module, data, verbose=False)[0]
    trainer.fit(module, data)
    assert float(trainer.callback_metrics["val/pixel_error"]) < 0.7 * before["val/pixel_error"]
    trainer.save_checkpoint(tmp_path / "a.ckpt")
    predictor = Predictor.from_checkpoint(tmp_path / "a.ckpt", device="cpu")
    batch = data.finish(next(iter(data.test_dataloader())), augment=False)
    result = trainer.test(module, data, verbose=False)[0]
    error = (predictor.predict_normalised(batch["image"]) - batch["points_px"]).norm(dim=-1).mean()
    assert float(error * batch["pixel_size"][0]) == pytest.approx(result["test/pixel_error"], rel=1e-3)


def test_compiled_parts_are_those_of_the_network_and_keep_their_names(make_data):
    cfg = compose_config("train", ["stem=conv", "branch=luong", "head=fully_connected", "ensemble=2"])
    data = make_data()
    network = build_module(cfg, data).network
    cfg.compile_parts = True
    compiled = build_module(cfg, data).network
    parts = [part for component in compiled.components for part in component]
    assert len(parts) == 4
    assert all(part._compiled_call_impl is not None for part in parts)
    assert all(part._compiled_call_impl is None for component in network.components for part in component)
    assert compiled.state_dict().keys() == network.state_dict().keys()
    copy.deepcopy(compiled).load_state_dict(network.state_dict())
