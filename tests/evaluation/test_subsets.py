import csv
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from thermal_landmarks.csv_table import write_rows
from thermal_landmarks.data.annotation import Source
from thermal_landmarks.data.datamodule import LandmarkDataModule
from thermal_landmarks.data.dataset import LandmarkDataset
from thermal_landmarks.data.readers.jd106 import Jd106
from thermal_landmarks.data.readers.wflw import FLAGS, Wflw
from thermal_landmarks.evaluation.files import in_original
from thermal_landmarks.evaluation.nme_bins import nme_bins_figure
from thermal_landmarks.evaluation.subsets import as_records, benchmark_errors, score_subsets, score_table, subset_masks
from thermal_landmarks.evaluation.table import ImageTable
from thermal_landmarks.inference.evaluation_run import evaluate
from thermal_landmarks.inference.predictor import Predictor

MakeCheckpoint = Callable[..., Path]
Found = tuple[ImageTable, LandmarkDataset]
BOX = {"mode": "box", "margin": -0.1}  # cuts off points of the jaw


def evaluation_of(source: Source, make_checkpoint: MakeCheckpoint, cache: Path, **crop: object) -> Found:
    checkpoint = make_checkpoint(scheme=source.scheme, image_size=(48, 48), crop=crop or BOX)
    predictor = Predictor.from_checkpoint(checkpoint, device="cpu")
    data = LandmarkDataModule(
        source=source, scheme=source.scheme, image_size=(48, 48), crop=crop or BOX, cache_dir=cache, workers=1
    )
    data.use_for_test(source)
    return evaluate(predictor, data), data.datasets["test"]


@pytest.fixture
def wflw(wflw_folder: Path, make_checkpoint: MakeCheckpoint, tmp_path: Path) -> Found:
    return evaluation_of(Wflw(folder=wflw_folder, part="test"), make_checkpoint, tmp_path)


def test_wflw_errors_are_over_all_98_points_and_the_distance_of_points_60_and_72(
    wflw: Found, wflw_folder: Path
) -> None:
    table, dataset = wflw
    assert np.isnan(table.true_px).any()
    predictions = in_original(table.predicted_px, table, dataset)
    expected = []
    for face, predicted in zip(Wflw(folder=wflw_folder, part="test").annotations(), predictions, strict=True):
        true = face.points_px.astype(float)
        distances = [np.hypot(*(p - t)) for p, t in zip(predicted, true, strict=True)]
        assert len(distances) == 98
        expected.append(sum(distances) / 98 / np.hypot(*(true[60] - true[72])))
    np.testing.assert_allclose(benchmark_errors(table, dataset, "inter_ocular"), expected, rtol=1e-5)


def test_jd_errors_are_normalised_by_the_rectangle_around_the_true_points(
    jd106_folder: Path, make_checkpoint: MakeCheckpoint, tmp_path: Path
) -> None:
    source = Jd106(folder=jd106_folder, parts=["Test_data"])
    table, dataset = evaluation_of(source, make_checkpoint, tmp_path)
    predictions = in_original(table.predicted_px, table, dataset)
    expected = []
    for face, predicted in zip(source.annotations(), predictions, strict=True):
        width, height = face.points_px.max(axis=0) - face.points_px.min(axis=0)
        expected.append(np.linalg.norm(predicted - face.points_px, axis=1).mean() / np.sqrt(width * height))
    np.testing.assert_allclose(benchmark_errors(table, dataset, "box"), expected, rtol=1e-5)


def test_every_flag_has_a_row_also_where_no_image_has_it(wflw: Found, tmp_path: Path) -> None:
    nme = np.array([0.01, 0.09, 0.2, 0.03, np.nan, 0.04])
    scores = score_subsets(nme, subset_masks(*wflw), (0.08, 0.1), "simpson")
    assert list(scores) == ["full", *FLAGS]
    records = {record["subset"]: record for record in as_records(scores)}
    assert records["full"]["images"] == 5  # one has no NME
    assert records["full"]["nme"] == pytest.approx(0.074)
    assert (records["full"]["failure_rate@0.08"], records["full"]["failure_rate@0.1"]) == (0.4, 0.2)
    assert records["expression"]["failure_rate@0.08"] == 1
    assert records["expression"]["auc@0.1"] == pytest.approx(0.1, abs=1e-3)
    assert records["occlusion"] == {"subset": "occlusion", "images": 0}
    assert scores["blur"] is None
    write_rows(tmp_path / "benchmark.csv", as_records(scores))
    with (tmp_path / "benchmark.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["subset"] for row in rows] == list(scores)
    assert float(rows[0]["auc@0.08"]) == records["full"]["auc@0.08"]
    assert rows[-1]["nme"] == ""
    table = score_table(scores, "inter_ocular")
    assert list(table.columns[2].cells)[:2] == ["7.40", "1.00"]
    assert list(table.columns[3].cells)[-1] == "-"


def test_a_prediction_that_is_no_number_is_a_failure_and_not_left_out(wflw: Found) -> None:
    table, dataset = wflw
    prediction = table.prediction.copy()
    prediction[2, 5] = np.nan
    broken = replace(table, prediction=prediction)
    before, nme = (benchmark_errors(t, dataset, "inter_ocular") for t in (table, broken))
    assert np.isposinf(nme[2])
    others = np.arange(6) != 2
    np.testing.assert_array_equal(nme[others], before[others])
    found = score_subsets(nme, {"full": np.ones(6, dtype=bool)}, (10.0,), "exact")["full"]
    assert found is not None
    assert (found.images, found.non_finite) == (6, 1)
    assert found.failure_rate[10.0] == pytest.approx(1 / 6)
    assert found.nme == pytest.approx(before[others].mean())
    assert np.isposinf(broken.error_px[2, 5])


def test_faces_are_shown_by_range_of_nme_and_subset(wflw: Found) -> None:
    nme = np.array([0.01, 0.055, 0.2, 0.06, np.nan, 0.04])
    figure = nme_bins_figure(*wflw, nme, subset_masks(*wflw), [0.05, 0.06])
    titles = [axis.get_title() for axis in figure.axes]
    assert len(titles) == 3 * 6
    assert titles[0] == "pose: NME 0.010"
    assert titles[7] == "expression: NME 0.055"
    assert titles[9] == "make-up: NME 0.060"
    assert titles[14] == "illumination: NME 0.200"
    assert titles[4] == "occlusion: no face with NME < 0.05"
    without = nme_bins_figure(*wflw, nme, {"full": np.ones(6, dtype=bool)}, [0.05])
    assert [axis.get_title() for axis in without.axes][:2] == ["NME 0.010", "NME 0.040"]
    assert "NME 0.200" in [axis.get_title() for axis in without.axes]
    empty = [axis for axis in without.axes if not axis.get_title()]
    assert empty
    assert not any(axis.axison or axis.images[0].get_visible() for axis in empty)


def test_an_nme_on_an_edge_of_figure_3_is_between_the_edges(wflw: Found) -> None:
    nme = np.array([0.0499, 0.05, 0.06, 0.0601, np.nan, np.nan])
    figure = nme_bins_figure(*wflw, nme, {"full": np.ones(6, dtype=bool)}, [0.05, 0.06])
    titles = [axis.get_title() for axis in figure.axes]
    rows = [[title for title in titles[start : start + 6] if title] for start in (0, 6, 12)]
    assert rows == [["NME 0.050"], ["NME 0.050", "NME 0.060"], ["NME 0.060"]]
