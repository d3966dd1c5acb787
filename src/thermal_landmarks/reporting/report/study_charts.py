"""Charts of a search: optimisation history, parallel coordinates, importances of the hyperparameters."""

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from thermal_landmarks.reporting.report.studies import Search
from thermal_landmarks.reporting.report.svg import Axis, Chart, Scale, axis_range, readable

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial


def history_chart(search: Search) -> Chart | None:
    """The objective of each trial and the best so far; pruned trials with the last value that they reported."""
    shown = [(trial, value) for trial in search.trials if (value := _last_value(trial)) is not None]
    if not shown:
        return None
    values = [value for _, value in shown]
    scale: Scale = "log" if min(values) > 0 and max(values) / min(values) > 8 else "linear"
    chart = Chart("Optimisation history")
    last = max(trial.number for trial, _ in shown)
    x, y = chart.axes(
        ("trial", -0.5, last + 0.5, "linear"),
        (str(search.attributes.get("objective", "objective")), *axis_range(values, scale=scale), scale),
    )
    better = max if search.maximised else min
    best: float | None = None
    steps: list[tuple[float, float]] = []
    for trial, value in shown:
        if trial.state.name == "COMPLETE" and value != best and (best is None or better(value, best) == value):
            steps += [(x(trial.number), steps[-1][1])] if steps else []
            steps.append((x(trial.number), y(value)))
            best = value
    if steps:
        chart.line([*steps, (x(last), steps[-1][1])], "c0", f"best so far: {best:.4g}")
    for trial, value in shown:
        state, style = ("complete", "c0") if trial.state.name == "COMPLETE" else (trial.state.name.lower(), "other")
        chart.point(x(trial.number), y(value), style, f"trial {trial.number}, {state}: {value:.4g}")
    chart.legend = [("c0", "complete; line: best so far"), ("other", "pruned or failed: last value")]
    return chart


def parallel_chart(search: Search) -> Chart | None:
    """One line a trial across its hyperparameters to its objective; the best quarter stands out."""
    complete = search.complete[::-1]  # the best are drawn last
    trials = [trial for trial in search.trials if trial.state.name == "PRUNED"] + complete
    names = sorted(
        {name for trial in trials for name in trial.params if len({repr(t.params.get(name)) for t in trials}) > 1},
        key=lambda name: (-search.importances.get(name, 0.0), name),
    )
    if len(trials) < 2 or not complete or not names:
        return None
    columns: list[tuple[str, list[Any]]] = [(name, [trial.params.get(name) for trial in trials]) for name in names]
    columns.append(("objective", [trial.value if trial in complete else None for trial in trials]))
    chart = Chart("Hyperparameters of all trials", width=max(450, 104 * len(columns)), height=330)
    across = np.linspace(56, chart.width - 56, len(columns))
    heights, ticks = [], []
    for x, (name, values) in zip(across, columns, strict=True):
        axis, marks = _dimension(values)
        chart.add(f'<path class="grid" d="M{x:.1f} {axis.end}V{axis.start}"/>')
        ticks += [(float(x) + 5, axis(place) + 4, words) for place, words in marks]
        group, _, setting = name.rpartition(".")
        chart.text(float(x), 318, setting, "label", anchor="middle")
        chart.text(float(x), 302, group, "tick", anchor="middle")
        heights.append([None if value is None else axis(_place(value, values)) for value in values])
    best = complete[-max(1, len(complete) // 4) :]
    for i, trial in enumerate(trials):
        points = [(round(float(x), 1), y) for x, h in zip(across, heights, strict=True) if (y := h[i]) is not None]
        settings = ", ".join(f"{name}={_words(value)}" for name, value in trial.params.items())
        style = "c1" if trial in best else "c0 thin" if trial in complete else "other thin"
        result = f"{trial.value:.4g}" if trial in complete else "pruned"
        chart.line(points, style, f"trial {trial.number}: {result}; {settings}")
    for mark_x, mark_y, words in ticks:
        chart.text(mark_x, mark_y, words, "tick")
    chart.legend = [("c1", "best quarter"), ("c0", "complete"), ("other", "pruned")]
    return chart


def importance_chart(search: Search) -> Chart | None:
    """Share of each hyperparameter in the variation of the objective (PED-ANOVA)."""
    shares = sorted(search.importances.items(), key=lambda item: -item[1])
    if not shares:
        return None
    left = 20 + 7 * max(len(name) for name, _ in shares)
    chart = Chart("Importance of hyperparameters", height=58 + 22 * len(shares))
    x, _ = chart.axes(
        ("share (%)", 0, max(100 * shares[0][1] * 1.08, 1), "linear"),
        ("", 0, 1, "linear"),
        left=left,
        y_ticks=False,
    )
    for i, (name, share) in enumerate(shares):
        top = 12 + 22 * i
        chart.text(left - 7, top + 15, name, "tick", anchor="end")
        chart.bar(left, top + 4, max(x(100 * share) - left, 1), 15, "c2", f"{name}: {100 * share:.1f} %")
    return chart


def _last_value(trial: "FrozenTrial") -> float | None:
    value = trial.value
    if value is None and trial.intermediate_values:
        value = trial.intermediate_values[max(trial.intermediate_values)]
    return None if value is None or not math.isfinite(value) else value


def _dimension(values: list[Any]) -> tuple[Axis, list[tuple[float, str]]]:
    """A vertical axis over the values and its marks."""
    known = [value for value in values if value is not None]
    if _numeric(known):
        low, high = min(known), max(known)
        scale: Scale = (
            "log" if low > 0 and high / low > 30 and not all(isinstance(value, int) for value in known) else "linear"
        )
        axis = Axis("", *((low, high) if low < high else (low - 1, high + 1)), 276, 16, scale)
        distinct = sorted(set(known))
        few = len(distinct) <= 6 and len(distinct) < len(known) / 2
        ticks = distinct if few or len(distinct) < 3 else axis.ticks()
        return axis, [(tick, readable(tick)) for tick in ticks]
    choices = sorted(set(map(_words, known)))
    axis = Axis("", -0.5, len(choices) - 0.5, 276, 16)
    return axis, [(float(i), choice) for i, choice in enumerate(choices)]


def _place(value: Any, values: list[Any]) -> float:
    known = [other for other in values if other is not None]
    return float(value) if _numeric(known) else float(sorted(set(map(_words, known))).index(_words(value)))


def _numeric(values: list[Any]) -> bool:
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)


def _words(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
