import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thermal_landmarks.reporting.report.charts import ced_chart, landmark_chart, pareto_front, size_chart
from thermal_landmarks.reporting.report.rows import Protocol, group
from thermal_landmarks.reporting.report.runs import collect
from thermal_landmarks.reporting.report.studies import Search, load_searches
from thermal_landmarks.reporting.report.study_charts import history_chart, importance_chart, parallel_chart
from thermal_landmarks.reporting.report.svg import Axis, Chart, axis_range, readable


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
    ElementTree.fromstring(chart.file())  # well-formed on its own
    return re.findall("<title>(.*?)</title>", chart.svg())


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=12))
def test_the_pareto_front_is_what_no_other_point_beats(points: list[tuple[float, float]]) -> None:
    def beaten(p: tuple[float, float]) -> bool:
        return any(q[0] <= p[0] and q[1] <= p[1] and q != p for q in points)

    front = pareto_front(points)
    assert {points[i] for i in front} == {p for p in points if not beaten(p)}
    assert [points[i] for i in front] == sorted({points[i] for i in front})


def test_the_cumulative_curve_says_how_many_images_are_below(protocol: Protocol) -> None:
    shown = tooltips(ced_chart(protocol))
    nme = np.linspace(0.05, 0.15, 21) * 1.2
    expected = f"C-1: median NME 12.0 %, {100 * np.mean(nme <= 0.1):.0f} % of the images up to 10 %"
    assert expected in shown
    assert len(shown) == 4  # three models and the threshold


def test_without_image_tables_there_is_no_curve(protocol: Protocol) -> None:
    for row in protocol.rows:
        (row.first.folder / "per_image.csv").unlink()
    assert ced_chart(protocol) is None


def test_error_over_size_shows_every_model_and_the_front(protocol: Protocol) -> None:
    chart = size_chart(protocol, "parameters", "test/nme")
    assert {tip for tip in tooltips(chart) if not tip.startswith("Pareto")} == {
        "C-1: NME 12.00 %, 10,000 parameters",
        "A-1: NME 10.00 %, 50,000 parameters",
        "A-2: NME 11.00 %, 90,000 parameters",
    }
    assert chart is not None
    dashed = re.search('dashed.*?<path d="M(.*?)"/>', chart.svg())
    assert dashed
    assert dashed[1].count("L") == 2  # from C-1 down to A-1; A-2 is beaten
    assert [words for _, words in chart.legend] == ["conv", "alt_conv_resnext"]
    assert len(tooltips(size_chart(protocol, "gflops", "test/wing"))) == 4


def test_each_landmark_shows_each_model(protocol: Protocol) -> None:
    shown = tooltips(landmark_chart(protocol))
    assert "A-1, subnasale: 9.00 px" in shown
    assert len(shown) == 3 * 2


def test_history_shows_complete_and_pruned_trials(search: Search) -> None:
    shown = tooltips(history_chart(search))
    assert "best so far: 1" in shown
    assert "trial 6, complete: 1" in shown
    assert "trial 3, pruned: 15" in shown  # the last value that it reported
    assert not any("trial 11" in tip for tip in shown)  # failed before it reported one


def test_a_maximised_objective_has_its_largest_value_as_the_best(search: Search) -> None:
    maximised = replace(search, maximised=True)
    assert maximised.best is not None
    assert (maximised.best.number, maximised.best.value) == (0, 37.0)
    assert "best so far: 37" in tooltips(history_chart(maximised))


def test_parallel_coordinates_leave_constant_settings_out(search: Search) -> None:
    chart = parallel_chart(search)
    assert len(tooltips(chart)) == 6 + 5
    assert chart is not None
    assert ">lr<" in chart.svg()
    assert ">activation<" not in chart.svg()


def test_the_setting_that_makes_the_objective_is_the_important_one(search: Search) -> None:
    assert max(search.importances, key=lambda name: search.importances[name]) == "optimizer.lr"
    assert tooltips(importance_chart(search))[0].startswith("optimizer.lr: ")


def test_axes_place_values_and_choose_round_ticks() -> None:
    axis = Axis("", 1, 1000, 100, 400, "log")
    assert [axis(v) for v in (1, 10, 1000)] == [100, 200, 400]
    assert axis.ticks() == [1, 10, 100, 1000]
    assert Axis("", 0, 10, 0, 1).ticks() == [0, 2, 4, 6, 8, 10]
    assert axis_range([5.0, 5.0])[0] < 5 < axis_range([5.0, 5.0])[1]
    assert [readable(v) for v in (0.05, 1500, 2e6)] == ["0.05", "1.5k", "2M"]


def test_words_in_charts_cannot_break_the_page() -> None:
    chart = Chart("a <b> & c")
    chart.text(0, 0, "<script>", "tick")
    chart.point(1, 1, "c0", '"<x>"')
    ElementTree.fromstring(chart.file())
    assert "<script>" not in chart.svg()
