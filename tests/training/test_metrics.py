import math
import multiprocessing
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import simpson

from thermal_landmarks.data.batch import to_unit
from thermal_landmarks.errors import ConfigError
from thermal_landmarks.training.metrics import MeanAbsoluteError, PointError, WingMetric, build_metrics
from thermal_landmarks.training.normalised_metrics import AreaUnderCurve, FailureRate, NormalisedMeanError

KEYS = {"wing", "mae", "mse", "accuracy", "nme", "failure_rate", "auc", "pixel_error", "non_finite"}


def predict(batch, seed=1, noise=0.05):
    target = to_unit(batch["points_px"], (30, 40)).nan_to_num(0.5)
    return target + noise * torch.randn(target.shape, generator=torch.Generator().manual_seed(seed))


def reference(prediction, batch, normaliser="inter_ocular", threshold=0.1):
    """Every metric by loops over images and points."""
    rows = []
    for i in range(len(prediction)):
        valid = [n for n in range(prediction.shape[1]) if batch["mask"][i, n]]
        if not valid:
            continue
        errors, distances, predicted, true = [], [], [], []
        for n in valid:
            x, y = (float(v) for v in batch["points_px"][i, n])
            px, py = (float(v) for v in prediction[i, n])
            errors += [px - (x + 0.5) / 40, py - (y + 0.5) / 30]
            distances.append(math.dist((px * 40 - 0.5, py * 30 - 0.5), (x, y)))
            predicted.append((px, py))
            true.append((x, y))
        length = {
            "inter_ocular": float(batch["inter_ocular_px"][i]),
            "box": math.sqrt(float(batch["box_px"][i, 0] * batch["box_px"][i, 1])),
            "image_diagonal": 50.0,
        }[normaliser]
        rows.append(
            {
                "wing": 12 * np.mean([10 * math.log(1 + abs(e) / 2) for e in errors]),
                "mae": np.mean(np.abs(errors)),
                "mse": np.mean(np.square(errors)),
                "accuracy": np.mean(
                    [np.argmax(np.array(predicted)[:, k]) == np.argmax(np.array(true)[:, k]) for k in (0, 1)]
                ),
                "nme": np.mean(distances) / length,
                "pixels": [d * float(batch["pixel_size"][i]) for d in distances],
            }
        )
    nme = np.array([row["nme"] for row in rows])
    values = {name: np.mean([row[name] for row in rows]) for name in ("wing", "mae", "mse", "accuracy", "nme")}
    return {
        **values,
        "failure_rate": np.mean(nme > threshold),
        "auc": np.mean([max(0, 1 - e / threshold) for e in nme]),
        "pixel_error": np.mean([pixels for row in rows for pixels in row["pixels"]]),
        "non_finite": 0,
    }


@pytest.mark.parametrize("normaliser", ["inter_ocular", "box", "image_diagonal"])
@pytest.mark.parametrize("missing", [0.0, 0.5])
def test_every_metric_equals_its_loop_over_two_batches(make_batch, normaliser, missing):
    metrics = build_metrics("test/", normaliser=normaliser)
    batches = [make_batch(5, seed=0, missing=missing), make_batch(3, seed=1, missing=missing)]
    for batch in batches:
        metrics.update(predict(batch), batch)
    whole = {name: torch.cat([b[name] for b in batches]) for name in batches[0]}
    expected = reference(torch.cat([predict(b) for b in batches]), whole, normaliser)
    found = {name: float(value) for name, value in metrics.compute().items()}
    assert found == pytest.approx({f"test/{name}": value for name, value in expected.items()}, rel=1e-4)
    assert set(expected) == KEYS


def test_metrics_forget_on_reset(make_batch):
    metrics = build_metrics("val/")
    metrics.update(torch.full((5, 6, 2), 9.0), make_batch())
    metrics.compute()
    metrics.reset()
    batch = make_batch(seed=3)
    metrics.update(predict(batch), batch)
    expected = reference(predict(batch), batch)
    assert {k: float(v) for k, v in metrics.compute().items()} == pytest.approx(
        {f"val/{name}": value for name, value in expected.items()}, rel=1e-4
    )


@pytest.mark.filterwarnings("ignore:The ``compute`` method")
def test_nothing_measured_is_nan(make_batch):
    untouched = build_metrics("")
    masked = build_metrics("")
    masked.update(torch.rand(5, 6, 2), make_batch(missing=1.1))
    for metrics in (untouched, masked):
        values = metrics.compute()
        assert set(values) == KEYS
        assert values.pop("non_finite") == 0
        assert all(math.isnan(value) for value in values.values())


@given(st.lists(st.floats(-3, 3), min_size=24, max_size=24), st.integers(0, 2**12 - 1))
def test_wing_stays_below_the_bound_that_mae_sets(errors, masked):
    mask = torch.tensor([bool(masked >> i & 1) for i in range(12)]).view(2, 6)
    mask[0, 0] = True
    batch = {
        "image": torch.zeros(2, 1, 30, 40),
        "points_px": torch.full((2, 6, 2), 7.0),
        "mask": mask,
        "inter_ocular_px": torch.ones(2),
        "box_px": torch.ones(2, 2),
        "pixel_size": torch.ones(2),
        "index": torch.arange(2),
    }
    prediction = to_unit(batch["points_px"], (30, 40)) + torch.tensor(errors).view(2, 6, 2)
    wing, mae = WingMetric(), MeanAbsoluteError()
    wing.update(prediction, batch)
    mae.update(prediction, batch)
    assert float(wing.compute()) <= 12 * 10 * math.log(1 + float(mae.compute()) / 2) * (1 + 1e-5) + 1e-5


def test_images_without_a_normaliser_are_left_out(make_batch):
    batch = make_batch(4, missing=0)
    batch["inter_ocular_px"][1] = torch.nan
    batch["inter_ocular_px"][2] = 0
    metric = NormalisedMeanError()
    metric.update(predict(batch), batch)
    kept = {name: value[[0, 3]] for name, value in batch.items()}
    assert float(metric.compute()) == pytest.approx(reference(predict(batch)[[0, 3]], kept)["nme"], rel=1e-5)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_prediction_that_is_no_number_is_a_failure(make_batch, value):
    """It isn't a missing measurement: one image of four has no normaliser, one no finite prediction."""
    batch = make_batch(4, missing=0)
    batch["inter_ocular_px"][0] = torch.nan
    prediction = to_unit(batch["points_px"], (30, 40))
    prediction[1, 2, 0] = value
    metrics = build_metrics("")
    metrics.update(prediction, batch)
    found = {name: float(v) for name, v in metrics.compute().items()}
    assert found["failure_rate"] == pytest.approx(1 / 3)
    assert found["auc"] == pytest.approx(2 / 3, abs=1e-4)
    assert found["nme"] == pytest.approx(0, abs=1e-5)
    assert found["non_finite"] == 1
    assert not math.isfinite(found["mae"])


def test_a_masked_prediction_may_be_anything(make_batch):
    batch = make_batch(4, missing=0)
    batch["mask"][1, 2] = False
    prediction = predict(batch)
    expected = build_metrics("")
    expected.update(prediction, batch)
    prediction = prediction.index_put((torch.tensor(1), torch.tensor(2)), torch.tensor(math.nan))
    found = build_metrics("")
    found.update(prediction, batch)
    values = {name: float(v) for name, v in found.compute().items() if name != "accuracy"}
    assert values == pytest.approx({name: float(v) for name, v in expected.compute().items() if name != "accuracy"})


def test_simpson_rule_equals_scipy_on_the_sampled_curve_and_nearly_the_exact_area(make_batch):
    batch = make_batch(60, missing=0)
    simpson_auc = AreaUnderCurve(rule="simpson", threshold=0.3)
    exact_auc = AreaUnderCurve(rule="exact", threshold=0.3)
    for metric in (simpson_auc, exact_auc):
        metric.update(predict(batch), batch)
    errors = simpson_auc.image_errors().numpy()
    x = np.linspace(0, 0.3, 3001)
    curve = [(errors <= value).mean() for value in x]
    assert float(simpson_auc.compute()) == pytest.approx(simpson(curve, x=x) / 0.3, abs=1e-5)
    assert float(simpson_auc.compute()) == pytest.approx(float(exact_auc.compute()), abs=1e-3)


def test_an_error_on_the_threshold_is_no_failure():
    metric = FailureRate(threshold=0.5)
    metric.errors.append(torch.tensor([0.5, 0.500001, 0.1, 0.7]))
    metric._update_count = 1
    assert float(metric.compute()) == 0.5


def test_point_error_tells_the_landmarks_apart(make_batch):
    batch = make_batch(3, missing=0)
    batch["pixel_size"][:] = 2
    prediction = to_unit(batch["points_px"], (30, 40))
    prediction[:, 4, 0] += 3 / 40
    metric = PointError(num_points=6)
    metric.update(prediction, batch)
    assert metric.per_point().tolist() == pytest.approx([0, 0, 0, 0, 6, 0], abs=1e-3)
    assert float(metric.compute()) == pytest.approx(1, abs=1e-3)


def test_an_unknown_choice_is_refused():
    with pytest.raises(ConfigError, match="box"):
        NormalisedMeanError(normaliser="eyes")
    with pytest.raises(ConfigError, match="simpson"):
        AreaUnderCurve(rule="trapezoid")


def _process(rank: int, rendezvous: str, batches: list, predictions: list, folder: str) -> None:
    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo", init_method=f"file://{rendezvous}", rank=rank, world_size=2)
    metrics = build_metrics("")
    point_error = PointError(num_points=6)
    for batch, prediction in zip(batches, predictions, strict=True):
        metrics.update(prediction, batch)
        point_error.update(prediction, batch)
    values = {name: float(value) for name, value in metrics.compute().items()}
    torch.save({"values": values, "per_point": point_error.per_point()}, Path(folder) / f"{rank}.pt")
    torch.distributed.destroy_process_group()


@pytest.mark.skipif(sys.platform == "win32", reason="gloo's file rendezvous")
@pytest.mark.parametrize("split", [1, 3], ids=["uneven", "one_empty"])
def test_two_processes_agree_with_one(make_batch, tmp_path, split):
    batches = [make_batch(n, seed=n, missing=0.3) for n in (5, 2, 7)]
    predictions = [predict(b) for b in batches]
    context = multiprocessing.get_context("fork")  # an import of torch in each process would take longer than the test
    shards = [slice(0, split), slice(split, 3)]
    processes = [
        context.Process(
            target=_process, args=(rank, str(tmp_path / "meet"), batches[part], predictions[part], str(tmp_path))
        )
        for rank, part in enumerate(shards)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        if process.is_alive():
            process.kill()
        assert process.exitcode == 0
    whole = {name: torch.cat([b[name] for b in batches]) for name in batches[0]}
    expected = reference(torch.cat(predictions), whole)
    one = PointError(num_points=6)
    for batch, prediction in zip(batches, predictions, strict=True):
        one.update(prediction, batch)
    for rank in (0, 1):
        found = torch.load(tmp_path / f"{rank}.pt")
        assert found["values"] == pytest.approx(expected, rel=1e-4)
        assert torch.allclose(found["per_point"], one.per_point(), rtol=1e-4)
