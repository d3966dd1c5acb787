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
from thermal_landmarks.evaluation.measures import METRICS, Measures, measure, pixel_error_by_point, prediction_spread
from thermal_landmarks.evaluation.table import ImagePass, nan_mean
from thermal_landmarks.training.losses import LandmarkLoss


def table_of(*pairs):
    """The table of some (prediction, batch)."""
    images = ImagePass(6)
    for prediction, batch in pairs:
        images.add(prediction, batch)
    return images.finish()


def measured(*pairs, **settings):
    return measure(table_of(*pairs), Measures(**settings))


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
    batches = [make_batch(5, seed=0, missing=missing), make_batch(3, seed=1, missing=missing, first=5)]
    whole = {name: torch.cat([b[name] for b in batches]) for name in batches[0]}
    expected = reference(torch.cat([predict(b) for b in batches]), whole, normaliser)
    assert measured(*((predict(b), b) for b in batches), normaliser=normaliser) == pytest.approx(expected, rel=1e-4)
    assert set(expected) == set(METRICS)


def test_the_wing_metric_is_the_wing_loss(make_batch):
    batch = make_batch(7, missing=0.4)
    prediction = predict(batch, noise=3)
    for width, epsilon in ((10.0, 2.0), (0.5, 0.1)):
        loss = LandmarkLoss(width=width, epsilon=epsilon)(
            prediction, to_unit(batch["points_px"], (30, 40)), batch["mask"], (30, 40)
        )
        found = measured((prediction, batch), wing_width=width, wing_epsilon=epsilon)["wing"]
        assert found == pytest.approx(float(loss), rel=1e-5)


def test_prediction_spread_is_the_ratio_of_standard_deviations_over_images(make_batch):
    batch = make_batch(7, missing=0.4)
    prediction, target = predict(batch, noise=0.2), to_unit(batch["points_px"], (30, 40))
    variances = []
    for n in range(6):
        rows = [i for i in range(7) if batch["mask"][i, n]]
        if len(rows) > 1:
            variances += [
                [np.var(points[rows, n, k].double().numpy()) for points in (prediction, target)] for k in (0, 1)
            ]
    predicted, true = np.mean(variances, axis=0)
    assert prediction_spread(table_of((prediction, batch))) == pytest.approx(math.sqrt(predicted / true), rel=1e-5)
    assert prediction_spread(table_of((torch.full_like(prediction, 0.5), batch))) == 0
    assert math.isnan(prediction_spread(table_of()))


def test_a_pass_forgets_the_one_before(make_batch):
    images = ImagePass(6)
    images.add(torch.full((5, 6, 2), 9.0), make_batch())
    images.finish()
    batch = make_batch(seed=3)
    images.add(predict(batch), batch)
    assert measure(images.finish(), Measures()) == pytest.approx(reference(predict(batch), batch), rel=1e-4)


def test_nothing_measured_is_nan(make_batch):
    for pairs in ([], [(torch.rand(5, 6, 2), make_batch(missing=1.1))]):
        values = measured(*pairs)
        assert tuple(values) == METRICS
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
    found = measured((to_unit(batch["points_px"], (30, 40)) + torch.tensor(errors).view(2, 6, 2), batch))
    assert found["wing"] <= 12 * 10 * math.log(1 + found["mae"] / 2) * (1 + 1e-5) + 1e-5


def test_images_without_a_normaliser_are_left_out(make_batch):
    batch = make_batch(4, missing=0)
    batch["inter_ocular_px"][1] = torch.nan
    batch["inter_ocular_px"][2] = 0
    kept = {name: value[[0, 3]] for name, value in batch.items()}
    expected = reference(predict(batch)[[0, 3]], kept)["nme"]
    assert measured((predict(batch), batch))["nme"] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_prediction_that_is_no_number_is_a_failure(make_batch, value):
    """It isn't a missing measurement: one image of four has no normaliser, one no finite prediction."""
    batch = make_batch(4, missing=0)
    batch["inter_ocular_px"][0] = torch.nan
    prediction = to_unit(batch["points_px"], (30, 40))
    prediction[1, 2, 0] = value
    found = measured((prediction, batch))
    assert found["failure_rate"] == pytest.approx(1 / 3)
    assert found["auc"] == pytest.approx(2 / 3, abs=1e-4)
    assert found["nme"] == pytest.approx(0, abs=1e-5)
    assert found["non_finite"] == 1
    assert not math.isfinite(found["mae"])


def test_a_masked_prediction_may_be_anything(make_batch):
    batch = make_batch(4, missing=0)
    batch["mask"][1, 2] = False
    prediction = predict(batch)
    expected = measured((prediction, batch))
    prediction = prediction.index_put((torch.tensor(1), torch.tensor(2)), torch.tensor(math.nan))
    assert measured((prediction, batch)) == pytest.approx(expected)


def test_an_image_that_comes_again_masked_counts_once(make_batch):
    batch = make_batch(5, missing=0)
    again = {name: value[[4]].clone() for name, value in batch.items()}
    again["mask"][:] = False
    for pairs in (
        [(predict(batch), batch), (torch.rand(1, 6, 2), again)],
        [(torch.rand(1, 6, 2), again), (predict(batch), batch)],
    ):
        assert table_of(*pairs).index.tolist() == [0, 1, 2, 3, 4]
        assert measured(*pairs) == pytest.approx(reference(predict(batch), batch), rel=1e-4)


def test_simpson_rule_equals_scipy_on_the_sampled_curve_and_nearly_the_exact_area(make_batch):
    batch = make_batch(60, missing=0)
    errors = table_of((predict(batch), batch)).nme("inter_ocular")
    sampled, exact = (
        measured((predict(batch), batch), auc_rule=rule, auc_threshold=0.3)["auc"] for rule in ("simpson", "exact")
    )
    x = np.linspace(0, 0.3, 3001)
    curve = [(errors <= value).mean() for value in x]
    assert sampled == pytest.approx(simpson(curve, x=x) / 0.3, abs=1e-5)
    assert sampled == pytest.approx(exact, abs=1e-3)


def test_pixel_error_tells_the_landmarks_apart(make_batch):
    batch = make_batch(3, missing=0)
    batch["pixel_size"][:] = 2
    prediction = to_unit(batch["points_px"], (30, 40))
    prediction[:, 4, 0] += 3 / 40
    table = table_of((prediction, batch))
    assert pixel_error_by_point(table).tolist() == pytest.approx([0, 0, 0, 0, 6, 0], abs=1e-3)
    assert measure(table, Measures())["pixel_error"] == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize(
    ("settings", "named"),
    [({"normaliser": "eyes"}, "box"), ({"auc_rule": "trapezoid"}, "simpson"), ({"auc_threshold": 0}, "positive")],
)
def test_an_unknown_choice_is_refused(settings, named):
    with pytest.raises(ConfigError, match=named):
        Measures(**settings)


def test_nan_mean_skips_missing_values_and_says_where_nothing_is_left():
    values = np.array([[1.0, np.nan, 3.0], [np.nan, np.nan, np.nan]])
    np.testing.assert_allclose(nan_mean(values, axis=1), [2.0, np.nan])
    np.testing.assert_allclose(nan_mean(values, axis=0), [1.0, np.nan, 3.0])


def _process(rank: int, rendezvous: str, batches: list, predictions: list, folder: str) -> None:
    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo", init_method=f"file://{rendezvous}", rank=rank, world_size=2)
    table = table_of(*zip(predictions, batches, strict=True))
    torch.save(
        {"values": measure(table, Measures()), "by_point": pixel_error_by_point(table).tolist()},
        Path(folder) / f"{rank}.pt",
    )
    torch.distributed.destroy_process_group()


@pytest.mark.skipif(sys.platform == "win32", reason="gloo's file rendezvous")
@pytest.mark.parametrize("split", [1, 3], ids=["uneven", "one_empty"])
def test_two_processes_agree_with_one(make_batch, tmp_path, split):
    batches = [make_batch(n, seed=n, missing=0.3, first=10 * n) for n in (5, 2, 7)]
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
    by_point = pixel_error_by_point(table_of(*zip(predictions, batches, strict=True)))
    for rank in (0, 1):
        found = torch.load(tmp_path / f"{rank}.pt")
        assert found["values"] == pytest.approx(expected, rel=1e-4)
        assert found["by_point"] == pytest.approx(by_point.tolist())
