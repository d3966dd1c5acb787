import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from thermal_landmarks.reporting.report.chart import Chart, finished, style
from thermal_landmarks.reporting.report.charts import ced_chart, landmark_chart, pareto_front, size_chart
from thermal_landmarks.reporting.report.rows import Protocol, group
from thermal_landmarks.reporting.report.runs import collect
from thermal_landmarks.reporting.report.studies import Search, load_searches
from thermal_landmarks.reporting.report.study_charts import packed_plots, study_charts


@pytest.fixture
def protocol(make_run, tmp_path: Path) -> Protocol:
    for i, (model, parameters, wing) in enumerate((("C-1", 10_000, 1.2), ("A-1", 50_000, 1.0), ("A-2", 90_000, 1.1))):
        make_run(f"r{i}", model, wing=wing, parameters=parameters, gflops=parameters / 1e6)
    return group(collect([tmp_path / "runs"]).runs)[0]


@pytest.fixture(scope="module")
def search(storage: str) -> Search:
    return load_searches(storage)[0]


def tooltips(chart: Chart | None) -> list[str]:
    assert chart is not None
    ElementTree.fromstring(chart.svg)  # well-formed on its own
    return re.findall("<title>(.*?)</title>", chart.html)


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=12))
def test_the_pareto_front_is_what_no_other_point_beats(points: list[tuple[float, float]]) -> None:
    def beaten(p: tuple[float, float]) -> bool:
        return any(q[0] <= p[0] and q[1] <= p[1] and q != p for q in points)

    front = pareto_front(points)
    assert {points[i] for i in front} == {p for p in points if not beaten(p)}
    assert [points[i] for i in front] == sorted({points[i] for i in front})


def test_the_cumulative_curve_says_how_many_images_are_below(protocol: Protocol) -> None:
    shown = tooltips(ced_chart(protocol, "x"))
    nme = np.linspace(0.05, 0.15, 21) * 1.2
    expected = f"C-1: median NME 12.0 %, {100 * np.mean(nme <= 0.1):.0f} % of the images up to 10 %"
    assert expected in shown
    assert len(shown) == 4  # three models and the threshold


def test_without_image_tables_there_is_no_curve(protocol: Protocol, tmp_path: Path) -> None:
    for row in protocol.rows:
        (row.first.folder / "per_image.csv").unlink()
    (without,) = group(collect([tmp_path / "runs"]).runs)
    assert ced_chart(without, "x") is None


def test_error_over_size_shows_every_model_and_the_front(protocol: Protocol) -> None:
    chart = size_chart(protocol, "parameters", "test/nme", "x")
    assert {tip for tip in tooltips(chart) if not tip.startswith("Pareto")} == {
        "C-1: NME 12.00 %, 10,000 parameters",
        "A-1: NME 10.00 %, 50,000 parameters",
        "A-2: NME 11.00 %, 90,000 parameters",
    }
    assert chart is not None
    assert re.search(r">A-1</text>", chart.html)
    assert re.search(r">conv</text>.*>alt_conv_resnext</text>", chart.html, re.DOTALL)  # the legend
    assert len(tooltips(size_chart(protocol, "gflops", "test/wing", "x"))) == 4


def test_each_landmark_shows_each_model(protocol: Protocol) -> None:
    shown = tooltips(landmark_chart(protocol, "x"))
    assert "A-1, subnasale: 9.00 px" in shown
    assert len(shown) == 3 * 2


def plots(search: Search) -> dict[str, dict]:
    return {name: json.loads(chart.plot) for name, chart in study_charts(search, "").items()}


def test_a_study_shows_its_trials_values_courses_and_settings(search: Search) -> None:
    shown = plots(search)
    assert list(shown) == ["history", "course", "importances", "parallel"]
    values, best, *_ = shown["history"]["data"]
    assert dict(zip(values["x"], values["y"], strict=True))[6] == 1.0
    assert best["y"][-1] == 1.0
    assert len(shown["course"]["data"]) == 11  # pruned trials too; trial 11 failed before it reported a value
    assert shown["importances"]["data"][0]["y"][-1] == "optimizer.lr"  # the setting that makes the objective
    parallel = json.dumps(shown["parallel"])
    assert all(name in parallel for name in ("objective", "optimizer.lr", "stem.depth"))
    assert "stem.activation" not in parallel  # constant
    for chart in study_charts(search, "").values():
        ElementTree.fromstring(chart.svg)


def test_a_study_without_results_has_no_charts() -> None:
    study = optuna.create_study()
    study.add_trial(optuna.trial.create_trial(state=optuna.trial.TrialState.FAIL))
    assert study_charts(Search(study), "") == {}
    assert packed_plots([]) == ""


def test_a_maximised_objective_has_its_largest_value_as_the_best() -> None:
    study = optuna.create_study(direction="maximize")
    study.add_trials([optuna.trial.create_trial(value=value) for value in (1.0, 37.0, 5.0)])
    search = Search(study)
    assert search.trials.best is not None
    assert (search.trials.best.number, search.trials.best.value) == (1, 37.0)
    assert plots(search)["history"]["data"][1]["y"] == [1.0, 37.0, 37.0]


def test_words_in_charts_cannot_break_the_page() -> None:
    with style():
        figure = Figure()
        axes = figure.add_subplot(title="a <b> & c", xlabel="<script>")
        axes.scatter([1, 2], [1, 2], urls=['"<x>"', "</a><script>"])
        chart = finished("t", figure, "<name>")
    ElementTree.fromstring(chart.svg)
    assert "<script>" not in chart.html
    assert tooltips(chart) == ['"&lt;x&gt;"', "&lt;/a&gt;&lt;script&gt;"]


def test_names_in_studies_cannot_break_the_page() -> None:
    study = optuna.create_study()
    space: dict[str, Any] = {"</script>": optuna.distributions.FloatDistribution(0, 9)}
    trials = [optuna.trial.create_trial(value=v, params={"</script>": v}, distributions=space) for v in (1.0, 2.0, 3.0)]
    study.add_trials(trials)
    charts = study_charts(Search(study), "")
    assert "parallel" in charts
    assert "<" not in packed_plots(charts.values())
    assert not any("script" in chart.html for chart in charts.values())
