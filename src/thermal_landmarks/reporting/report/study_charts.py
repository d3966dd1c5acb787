"""Charts of a search by Optuna: history, course of each trial, importances and parallel coordinates.

The page draws them with Plotly, whose script it holds once, compressed; the files are Optuna's by matplotlib.
"""

import base64
import gzip
import warnings
from collections.abc import Iterable, Mapping
from typing import Any

import optuna.visualization as interactive
import optuna.visualization.matplotlib as static
from matplotlib import pyplot, rc_context
from optuna.exceptions import ExperimentalWarning
from plotly.offline import get_plotlyjs

from thermal_landmarks.reporting.report.chart import COLOURS, Chart, svg_text
from thermal_landmarks.reporting.report.studies import Search

_LAYOUT = {
    "template": "none",
    "title": None,
    "height": 310,
    "margin": {"l": 56, "r": 14, "t": 10, "b": 46},
    "colorway": COLOURS,
    "legend": {"orientation": "h", "y": 1, "yanchor": "bottom"},
    "paper_bgcolor": "rgba(0,0,0,0)",
    "plot_bgcolor": "rgba(0,0,0,0)",
}


def study_charts(search: Search, suffix: str) -> dict[str, Chart]:
    """Those charts of a study that have something to show, by the names of their files, which end in `suffix`."""
    objective = {"target_name": str(search.attributes.get("objective", "objective"))}
    charts = {}
    complete = search.trials.complete
    if complete:
        charts["history"] = _chart("Optimisation history", "plot_optimization_history", search, objective)
    if any(trial.intermediate_values for trial in search.trials.each):
        charts["course"] = _chart("Objective by epoch, a line a trial", "plot_intermediate_values", search, {})
    if len({trial.value for trial in complete}) > 2:
        charts["importances"] = _chart("Importance of hyperparameters", "plot_param_importances", search, objective)
    if len(complete) > 1 and (varied := search.varied):
        what = {**objective, "params": varied}
        charts["parallel"] = _chart("Hyperparameters", "plot_parallel_coordinate", search, what, wide=True)
    return {name + suffix: chart for name, chart in charts.items()}


def _chart(title: str, plot: str, search: Search, settings: Mapping[str, Any], *, wide: bool = False) -> Chart:
    with warnings.catch_warnings(), rc_context():
        warnings.simplefilter("ignore", ExperimentalWarning)
        warnings.filterwarnings("ignore", message="No artists with labels found")
        figure = getattr(interactive, plot)(search.study, **settings)
        figure.update_layout(_LAYOUT, showlegend=plot == "plot_optimization_history")
        if wide:  # room for the names below the axes
            figure.update_layout(margin={"l": 70, "r": 60, "t": 26, "b": 50})
            figure.update_traces(labelangle=0, selector={"type": "parcoords"})
        if plot == "plot_param_importances":
            figure.update_layout(yaxis={"title": None, "automargin": True}, margin_r=40).update_traces(cliponaxis=False)
        axes = getattr(static, plot)(search.study, **settings)
        if legend := axes.get_legend():
            legend.set_visible(not title.endswith("a trial"))
        drawn = axes.get_figure()
        drawn.set_size_inches(11 if wide else 6.4, 4.4)
        svg = svg_text(drawn, search.name + plot, bbox_inches="tight")
        pyplot.close(drawn)
    width = 110 * len(settings["params"]) if wide else 0
    return Chart(title, f'<div class="plot" style="min-width:{width}px"></div>', svg, wide, figure.to_json())


def packed_plots(charts: Iterable[Chart]) -> str:
    """Plotly's script and the figures `PLOTS` in the order of the page, compressed, as base64; empty without any."""
    plots = [chart.plot for chart in charts if chart.plot]
    script = f"{get_plotlyjs()}\nwindow.PLOTS = [{','.join(plots)}];"
    return base64.b64encode(gzip.compress(script.encode(), mtime=0)).decode() if plots else ""
