import csv
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from thermal_landmarks.data.annotation import Source
from thermal_landmarks.data.datamodule import LandmarkDataModule
from thermal_landmarks.data.dataset import LandmarkDataset
from thermal_landmarks.data.schemes import get_scheme
from thermal_landmarks.evaluation.files import choose, draw_figures, in_original, write_per_image
from thermal_landmarks.evaluation.measures import Measures, measure
from thermal_landmarks.evaluation.table import ImageTable
from thermal_landmarks.evaluation.terminal import landmark_table, metric_table
from thermal_landmarks.inference.evaluation_run import evaluate
from thermal_landmarks.inference.predictor import Predictor

MakeCheckpoint = Callable[..., Path]
Found = tuple[ImageTable, LandmarkDataset]
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
def found(always_the_middle: Predictor, blob_faces: Source, tmp_path: Path) -> Found:
    """What is predicted of all blob faces, and they."""
    data = data_module(blob_faces, always_the_middle, tmp_path / "cache")
    return evaluate(always_the_middle, data), data.datasets["test"]


def test_errors_equal_those_worked_out_by_hand(found: Found, blob_faces: Source) -> None:
    table, dataset = found
    annotations = blob_faces.annotations()
    points = np.stack([a.points_px for a in annotations])
    distances = np.linalg.norm(points[:, PERINASAL] - [31.5, 23.5], axis=-1)
    inter_ocular = np.linalg.norm(points[:, EYES[0]] - points[:, EYES[1]], axis=-1)
    box = np.sqrt(np.ptp(points, axis=1).prod(axis=1))  # around all annotated points
    assert [dataset.samples.names[row] for row in table.index] == [str(a.image) for a in annotations]
    assert_allclose(in_original(table.true_px, table, dataset), points[:, PERINASAL], atol=1e-4)
    assert_allclose(
        in_original(table.predicted_px, table, dataset), np.broadcast_to([31.5, 23.5], (12, 6, 2)), atol=1e-4
    )
    assert_allclose(table.error_px, distances, atol=1e-3)
    nme = distances.mean(axis=1) / inter_ocular
    assert_allclose(table.nme("inter_ocular"), nme, rtol=1e-4)
    assert_allclose(table.nme("box"), distances.mean(axis=1) / box, rtol=1e-4)
    measured = measure(table, Measures())
    assert measured["nme"] == pytest.approx(nme.mean(), rel=1e-4)
    assert measured["pixel_error"] == pytest.approx(distances.mean(), rel=1e-4)
    assert measured["failure_rate"] == pytest.approx((nme > 0.1).mean())


def test_table_has_a_row_an_image_with_its_errors_in_original_pixels(found: Found, tmp_path: Path) -> None:
    table, dataset = found
    table.true_px[3, 1] = np.nan
    write_per_image(table, dataset, get_scheme("perinasal6"), Measures(), tmp_path)
    with (tmp_path / "per_image.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 12
    assert rows[3]["subject"] == "s1"
    assert rows[3]["subnasale_error_px"] == rows[3]["subnasale_true_x_px"] == ""
    assert float(rows[3]["mean_error_px"]) == pytest.approx(table.error_px[3, [0, 2, 3, 4, 5]].mean(), abs=1e-3)
    for i, row in enumerate(rows):
        assert row["image"] == f"blob_{i}.png"
        assert float(row["nme"]) == pytest.approx(table.nme("inter_ocular")[i], abs=1e-5)
        x, y = float(row["mouth_right_x_px"]), float(row["mouth_right_y_px"])
        true_x, true_y = float(row["mouth_right_true_x_px"]), float(row["mouth_right_true_y_px"])
        assert float(row["mouth_right_error_px"]) == pytest.approx(np.hypot(x - true_x, y - true_y), abs=2e-3)


def test_figures_are_drawn_also_where_no_image_has_a_normaliser(found: Found) -> None:
    table, dataset = found
    measured = measure(table, Measures())
    few = draw_figures(table, dataset, Measures(), measured, name="C-1", faces=2)
    assert set(few) == {"ced", "overlays_best", "overlays_median", "overlays_worst"}
    assert [len(figure.axes) for name, figure in few.items() if name != "ced"] == [2, 2, 2]
    assert set(draw_figures(table, dataset, Measures(), measured, name="C-1", faces=0)) == {"ced"}
    without = replace(table, inter_ocular_px=np.full(12, np.nan))
    many = draw_figures(without, dataset, Measures(), measured, name="C-1", faces=100)
    assert set(many) == {"overlays_best", "overlays_median", "overlays_worst"}
    assert [len(figure.axes) for figure in many.values()] == [12, 12, 12]


def test_the_shown_faces_are_ranked_and_have_their_points(found: Found) -> None:
    table, dataset = found
    nme = table.nme("inter_ocular")
    worst = draw_figures(table, dataset, Measures(), measure(table, Measures()), name="", faces=1)["overlays_worst"]
    row = int(nme.argmax())
    assert worst.axes[0].get_title() == f"blob_{row}.png: {table.mean_error_px[row]:.1f} px, NME {nme[row]:.1%}"
    true, predicted = (np.stack(line.get_data(), axis=1) for line in worst.axes[0].lines)
    assert_allclose(true, table.true_px[row])
    assert_allclose(predicted, table.predicted_px[row])


def test_rendered_faces_of_two_people_have_different_titles(found: Found) -> None:
    table, dataset = found
    names = [f"synthetic/subject_{i:05d}/00000" for i in range(12)]
    named = LandmarkDataset(replace(dataset.samples, names=names), dataset.rows, dataset.landmarks)
    best = draw_figures(table, named, Measures(), measure(table, Measures()), name="", faces=3)["overlays_best"]
    assert len({axis.get_title().partition(":")[0] for axis in best.axes}) == 3


def test_faces_are_chosen_by_their_error_and_not_without_one() -> None:
    assert choose(np.array([0.3, np.nan, 0.1, 0.2, 0.5, 0.4]), 1) == {"best": [2], "median": [0], "worst": [4]}
    assert choose(np.arange(6.0), 2) == {"best": [0, 1], "median": [2, 3], "worst": [5, 4]}


def test_tables_show_every_metric_and_landmark(found: Found) -> None:
    measured = {f"test/{name}": value for name, value in measure(found[0], Measures()).items()}
    table = metric_table(measured, "inter_ocular")
    assert {f"test/{name}" for name in table.columns[0].cells} == set(measured) - {"test/non_finite"}
    broken = metric_table({**measured, "test/non_finite": 2}, "inter_ocular")
    assert list(broken.columns[0].cells)[-1] == "non_finite"
    by_landmark = landmark_table(found[0], get_scheme("perinasal6").landmark_names)
    assert list(by_landmark.columns[1].cells) == [f"{mean:.2f}" for mean in found[0].error_px.mean(axis=0)]
