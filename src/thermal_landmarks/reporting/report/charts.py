"""Charts of trained models: cumulative error curves, error over size, error by landmark."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from thermal_landmarks.reporting.report.rows import Protocol, Row
from thermal_landmarks.reporting.report.svg import COLOURS, Chart, axis_range, colour

_STEPS = 160  # points of a cumulative curve
_FAMILIES = {"C": 0, "R": 1, "L": 2, "B": 3, "A": 4}
_STEMS = {"C": "conv", "R": "resnext", "L": "alt_conv_luong", "B": "alt_conv_bahdanau", "A": "alt_conv_resnext"}


def ced_chart(protocol: Protocol) -> Chart | None:
    """Share of test images with an NME up to x; the best models in colour. None where no run has `per_image.csv`."""
    curves = []
    for row in _best_first(protocol):
        images = [nme for run in row.runs if (nme := run.image_nme()) is not None and nme.size]
        if images:
            curves.append((row, np.sort(np.concatenate(images))))
    if not curves:
        return None
    threshold = float(protocol.rows[0].first.config["metrics"]["auc_threshold"])
    end = float(np.clip(min(np.quantile(errors, 0.95) for _, errors in curves), threshold, 1.0))
    chart = Chart("Cumulative error of the test images")
    x, y = chart.axes(("NME (%)", 0, 100 * end, "linear"), ("images with at most this NME (%)", 0, 100, "linear"))
    chart.line([(x(100 * threshold), y(0)), (x(100 * threshold), y(100))], "other dashed", f"AUC up to {threshold:g}")
    at = np.linspace(0, end, _STEPS)
    for i, (row, errors) in reversed(list(enumerate(curves))):
        share = np.searchsorted(errors, at, side="right") / errors.size
        tip = (
            f"{row.label}: median NME {100 * np.median(errors):.1f} %, "
            f"{100 * np.mean(errors <= threshold):.0f} % of the images up to {100 * threshold:g} %"
        )
        points = [(x(100 * a), y(100 * s)) for a, s in zip(at, share, strict=True)]
        chart.line(points, colour(i), tip)
    _legend(chart, [row.label for row, _ in curves])
    return chart


def size_chart(protocol: Protocol, size: str, metric: str) -> Chart | None:
    """Error over parameters or GFLOPs, with the Pareto front: models that no other beats in both.

    Args:
        protocol: Its singular models, ensembles and ablations.
        size: `parameters` or `gflops`.
        metric: `test/nme` or `test/wing`.
    """
    points = [(row, row.mean(size), row.mean(metric)) for row in protocol.rows]
    known = [(row, s, e) for row, s, e in points if s is not None and s > 0 and e is not None]
    if len(known) < 2:
        return None
    scale = 100 if metric == "test/nme" else 1
    what = {"parameters": "parameters", "gflops": "GFLOPs of one image"}[size]
    error = {"test/nme": "NME (%)", "test/wing": "wing loss"}[metric]
    chart = Chart(f"Test error over {what}")
    x, y = chart.axes(
        (what, *axis_range([s for _, s, _ in known], scale="log"), "log"),
        (error, *axis_range([scale * e for _, _, e in known]), "linear"),
    )
    front = pareto_front([(s, e) for _, s, e in known])
    corners = [(x(known[i][1]), y(scale * known[i][2])) for i in front]
    steps = [corners[0]] + [p for a, b in pairwise(corners) for p in ((b[0], a[1]), b)]
    if len(steps) > 1:
        chart.line(steps, "other dashed", "Pareto front: no other model is both smaller and better")
    taken: list[tuple[float, float]] = [(x(s), y(scale * e)) for _, s, e in known]
    for row, s, e in sorted(known, key=lambda point: point[2]):
        family = _FAMILIES.get(row.name[:1], COLOURS)
        amount = f"{s:,.0f} parameters" if size == "parameters" else f"{s:.3f} GFLOPs"
        tip = f"{row.label}: {error.split(' (')[0]} {scale * e:.2f}{' %' * (scale == 100)}, {amount}"
        chart.point(x(s), y(scale * e), colour(family), tip, radius=5)
        _name(chart, row, x(s), y(scale * e), taken)
    present = sorted({row.name[:1] for row, _, _ in known if row.name[:1] in _FAMILIES}, key=_FAMILIES.__getitem__)
    chart.legend = [(colour(_FAMILIES[letter]), _STEMS[letter]) for letter in present]
    return chart


def pareto_front(points: Sequence[tuple[float, float]]) -> list[int]:
    """Indices of the points that no other point beats or equals in both coordinates, by the first coordinate."""
    front: list[int] = []
    for i in sorted(range(len(points)), key=lambda i: points[i]):
        if not front or points[i][1] < points[front[-1]][1]:
            front.append(i)
    return front


def landmark_chart(protocol: Protocol) -> Chart | None:
    """Mean test error of each landmark in pixels of the original image, a dot a model."""
    prefix = "test/pixel_error/"
    names = [key.removeprefix(prefix) for key in protocol.rows[0].first.metrics if key.startswith(prefix)]
    rows = _best_first(protocol)
    values = {(row.label, name): row.mean(prefix + name) for row in rows for name in names}
    known = [value for value in values.values() if value is not None]
    if not known:
        return None
    step = 20 if len(names) <= 30 else 13
    left = 24 + 7 * max(map(len, names))
    chart = Chart("Mean error by landmark", height=58 + step * len(names))
    low, high = axis_range(known)
    x, y = chart.axes(
        ("pixels of the original image", low, high, "linear"), ("", len(names), 0, "linear"), left=left, y_ticks=False
    )
    for n, name in enumerate(names):
        middle = y(len(names) - n - 0.5) if y.low < y.high else y(n + 0.5)
        chart.add(f'<path class="grid" d="M{x.start} {middle}H{x.end}"/>')
        chart.text(x.start - 7, middle + 4, name, "tick", anchor="end")
        for i, row in reversed(list(enumerate(rows))):
            value = values[row.label, name]
            if value is not None:
                chart.point(x(value), middle, colour(i), f"{row.label}, {name}: {value:.2f} px", radius=4.5)
    _legend(chart, [row.label for row in rows])
    return chart


def _best_first(protocol: Protocol) -> list[Row]:
    """Rows by wing loss, so that a model has one colour in all charts of a protocol; those without it come last."""
    wing = {id(row): row.mean("test/wing") for row in protocol.rows}
    return sorted(protocol.rows, key=lambda row: np.inf if (value := wing[id(row)]) is None else value)


def _legend(chart: Chart, names: Sequence[str]) -> None:
    chart.legend = [(colour(i), name) for i, name in enumerate(names[:COLOURS])]
    if len(names) > COLOURS:
        chart.legend.append(("other", f"{len(names) - COLOURS} others (point at one)"))


def _name(chart: Chart, row: Row, x: float, y: float, taken: list[tuple[float, float]]) -> None:
    """Write a model's name beside its point, where no other point or name is; a crowd is left to the tooltips."""
    words = row.label.replace(" no rotation", " no rot.").replace(" layers removed", " fewer")
    half = 3.3 * len(words)
    for dx, dy in ((9 + half, 4), (-9 - half, 4), (0, -10), (0, 18)):
        centre = (x + dx, y + dy - 4)
        free = all(abs(centre[0] - a) > half + 7 or abs(centre[1] - b) > 11 for a, b in taken)
        if free and centre[0] + half < chart.width and centre[0] - half > 58 and centre[1] > 8:
            taken += [(centre[0] + shift, centre[1]) for shift in (-half / 2, half / 2)]
            chart.text(centre[0], y + dy, words, "mark", anchor="middle")
            return
