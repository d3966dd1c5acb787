import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from PIL import Image

from thermal_landmarks.data.annotation import Source
from thermal_landmarks.data.datamodule import LandmarkDataModule
from thermal_landmarks.data.schemes import get_scheme
from thermal_landmarks.inference.evaluation import Evaluation, evaluate, nan_mean
from thermal_landmarks.inference.evaluation_files import landmark_table, write_figures, write_per_image
from thermal_landmarks.inference.predictor import Predictor
from thermal_landmarks.reporting.tables import metric_table

MakeCheckpoint = Callable[..., Path]
EYES, PERINASAL = (2, 5), slice(8, 14)  # of BlobFaces' points: outer eye corners, and the six around the upper lip


@pytest.fixture
def always_the_middle(make_checkpoint: MakeCheckpoint) -> Predictor:
    """Predicts the middle of the image for every landmark: x = 31.5, y = 23.5 in 48 x 64 pixels."""
    predictor = Predictor.from_checkpoint(make_checkpoint(image_size=(24, 32)), device="cpu")
    with torch.no_grad():
        predictor.network.head.linear.weight.zero_()
        predictor.network.head.linear.bias.fill_(0.5)
    return predictor


def data_module(source: Source, predictor: Predictor, cache: Path) -> LandmarkDataModule:
    data = LandmarkDataModule(
        source=source,
        scheme=predictor.scheme.name,
        image_size=predictor.preprocessing.image_size,
        batch_size=5,
        cache_dir=cache,
        workers=1,
    )
    data.use_for_test(source)
    return data


@pytest.fixture
def evaluation(always_the_middle: Predictor, blob_faces: Source, tmp_path: Path) -> Evaluation:
    return evaluate(always_the_middle, data_module(blob_faces, always_the_middle, tmp_path / "cache"))


def test_errors_equal_those_worked_out_by_hand(evaluation: Evaluation, blob_faces: Source) -> None:
    annotations = blob_faces.annotations()
    points = np.stack([a.points_px for a in annotations])
    distances = np.linalg.norm(points[:, PERINASAL] - [31.5, 23.5], axis=-1)
    inter_ocular = np.linalg.norm(points[:, EYES[0]] - points[:, EYES[1]], axis=-1)
    assert [evaluation.samples.names[row] for row in evaluation.rows] == [str(a.image) for a in annotations]
    assert_allclose(evaluation.true_px, points[:, PERINASAL], atol=1e-4)
    assert_allclose(evaluation.predicted_px, np.broadcast_to([31.5, 23.5], (12, 6, 2)), atol=1e-4)
    assert_allclose(evaluation.error_px, distances, atol=1e-3)
    assert_allclose(evaluation.nme, distances.mean(axis=1) / inter_ocular, rtol=1e-4)
    assert evaluation.metrics["test/nme"] == pytest.approx(evaluation.nme.mean(), rel=1e-4)
    assert evaluation.metrics["test/pixel_error"] == pytest.approx(distances.mean(), rel=1e-4)
    assert evaluation.metrics["test/failure_rate"] == pytest.approx((evaluation.nme > 0.1).mean())


def test_metric_settings_reach_the_metrics(always_the_middle: Predictor, blob_faces: Source, tmp_path: Path) -> None:
    data = data_module(blob_faces, always_the_middle, tmp_path / "cache")
    evaluation = evaluate(always_the_middle, data, metrics={"normaliser": "box", "failure_threshold": 10.0})
    points = np.stack([a.points_px for a in blob_faces.annotations()])
    box = np.sqrt(np.ptp(points, axis=1).prod(axis=1))  # around all annotated points
    assert_allclose(evaluation.nme, evaluation.error_px.mean(axis=1) / box, rtol=1e-4)
    assert evaluation.metrics["test/failure_rate"] == 0


def test_nan_mean_skips_missing_values_and_says_where_nothing_is_left() -> None:
    values = np.array([[1.0, np.nan, 3.0], [np.nan, np.nan, np.nan]])
    assert_allclose(nan_mean(values, axis=1), [2.0, np.nan])
    assert_allclose(nan_mean(values, axis=0), [1.0, np.nan, 3.0])


def test_table_has_a_row_an_image_with_its_errors_in_original_pixels(evaluation: Evaluation, tmp_path: Path) -> None:
    evaluation.true_px[3, 1] = np.nan
    write_per_image(evaluation, get_scheme("perinasal6"), tmp_path / "per_image.csv")
    with (tmp_path / "per_image.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 12
    assert rows[3]["subject"] == "s1"
    assert rows[3]["subnasale_error_px"] == rows[3]["subnasale_true_x_px"] == ""
    assert float(rows[3]["mean_error_px"]) == pytest.approx(evaluation.error_px[3, [0, 2, 3, 4, 5]].mean(), abs=1e-3)
    for i, row in enumerate(rows):
        assert row["image"] == f"blob_{i}.png"
        assert float(row["nme"]) == pytest.approx(evaluation.nme[i], abs=1e-5)
        x, y = float(row["mouth_right_x_px"]), float(row["mouth_right_y_px"])
        true_x, true_y = float(row["mouth_right_true_x_px"]), float(row["mouth_right_true_y_px"])
        assert float(row["mouth_right_error_px"]) == pytest.approx(np.hypot(x - true_x, y - true_y), abs=2e-3)


def test_figures_are_written_also_where_no_image_has_a_normaliser(evaluation: Evaluation, tmp_path: Path) -> None:
    settings: dict[str, Any] = {"name": "C-1", "auc_threshold": 0.1, "failure_threshold": 0.1}
    write_figures(evaluation, tmp_path / "a", overlays=2, **settings)
    evaluation.nme[:] = np.nan
    write_figures(evaluation, tmp_path / "b", overlays=100, **settings)
    write_figures(evaluation, tmp_path / "c", overlays=0, **settings)
    assert [p.name for p in (tmp_path / "c").iterdir()] == ["ced.png"]
    for folder in ("a", "b"):
        assert sorted(p.name for p in (tmp_path / folder).iterdir()) == [
            "best.png",
            "ced.png",
            "median.png",
            "worst.png",
        ]
    few, many = (Image.open(tmp_path / folder / "worst.png").size for folder in ("a", "b"))
    assert many[1] > 2 * few[1]


def test_tables_show_every_metric_and_landmark(evaluation: Evaluation) -> None:
    table = metric_table(evaluation.metrics, "inter_ocular")
    assert {f"test/{name}" for name in table.columns[0].cells} == set(evaluation.metrics) - {"test/non_finite"}
    broken = metric_table({**evaluation.metrics, "test/non_finite": 2}, "inter_ocular")
    assert list(broken.columns[0].cells)[-1] == "non_finite"
    by_landmark = landmark_table(evaluation, get_scheme("perinasal6").landmark_names)
    means = evaluation.error_px.mean(axis=0)
    assert list(by_landmark.columns[1].cells) == [f"{mean:.2f}" for mean in means]
