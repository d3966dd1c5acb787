"""Charts of trained models: cumulative error curves, error over size, error by landmark."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import EngFormatter, LogLocator, NullFormatter, StrMethodFormatter
from matplotlib.transforms import Bbox

from thermal_landmarks.reporting.report.chart import COLOURS, OTHER, Chart, canvas, finished, style
from thermal_landmarks.reporting.report.rows import Protocol, Row

_USUAL_THRESHOLD = 0.1
_STEPS = 160  # points of a cumulative curve
_FAMILIES = dict(
    zip("CRLBA", ("conv", "resnext", "alt_conv_luong", "alt_conv_bahdanau", "alt_conv_resnext"), strict=True)
)


@style()
def ced_chart(protocol: Protocol, name: str) -> Chart | None:
    """Share of test images with an NME up to x; the best models in colour. None where no run has `per_image.csv`."""
    curves = []
    for row in _best_first(protocol):
        images = [run.image_nme for run in row.runs if run.image_nme is not None and run.image_nme.size]
        if images:
            curves.append((row, np.sort(np.concatenate(images))))
    if not curves:
        return None
    threshold = float(protocol.rows[0].first.config.get("metrics", {}).get("auc_threshold", _USUAL_THRESHOLD))
    end = float(np.clip(min(np.quantile(errors, 0.95) for _, errors in curves), threshold, 1.0))
    figure, axes = canvas()
    axes.set(xlim=(0, 100 * end), ylim=(0, 100), xlabel="NME (%)", ylabel="images with at most this NME (%)")
    axes.axvline(100 * threshold, color=OTHER, linestyle="--", linewidth=1, url=f"AUC up to {threshold:g}")
    at = np.linspace(0, end, _STEPS)
    for i, (row, errors) in reversed(list(enumerate(curves))):
        share = np.searchsorted(errors, at, side="right") / errors.size
        tip = (
            f"{row.label}: median NME {100 * np.median(errors):.1f} %, "
            f"{100 * np.mean(errors <= threshold):.0f} % of the images up to {100 * threshold:g} %"
        )
        _line(axes, 100 * at, 100 * share, _colour(i), tip)
    _legend(figure, [row.label for row, _ in curves])
    return finished("Cumulative error of the test images", figure, name)


@style()
def size_chart(protocol: Protocol, size: str, metric: str, name: str) -> Chart | None:
    """Error (`test/nme` or `test/wing`) over `parameters` or `gflops`, with the Pareto front.

    On it are models that no other beats in both.
    """
    points = [(row, row.mean(size), row.mean(metric)) for row in protocol.rows]
    scale = 100 if metric == "test/nme" else 1
    known = [(row, s, scale * e) for row, s, e in points if s is not None and s > 0 and e is not None]
    if len(known) < 2:
        return None
    what = {"parameters": "parameters", "gflops": "GFLOPs of one image"}[size]
    error = {"test/nme": "NME (%)", "test/wing": "wing loss"}[metric]
    figure, axes = canvas()
    axes.set(xscale="log", xlabel=what, ylabel=error)
    axes.margins(0.09)
    decades = np.ptp(np.log10([s for _, s, _ in known]))
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0,) if decades > 2.5 else (1.0, 2.0, 5.0)))
    axes.xaxis.set_major_formatter(EngFormatter(sep="") if size == "parameters" else StrMethodFormatter("{x:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    front = [known[i] for i in pareto_front([(s, e) for _, s, e in known])]
    axes.step(
        [s for _, s, _ in front],
        [e for _, _, e in front],
        where="post",
        color=OTHER,
        linestyle="--",
        linewidth=1.2,
        url="Pareto front: no other model is both smaller and better",
    )
    for row, s, e in known:
        amount = f"{s:,.0f} parameters" if size == "parameters" else f"{s:.3f} GFLOPs"
        tip = f"{row.label}: {error.split(' (')[0]} {e:.2f}{' %' * (scale == 100)}, {amount}"
        axes.scatter(s, e, color=_family(row), urls=[tip], zorder=3)
    _name_points(figure, axes, [(row.label, s, e) for row, s, e in sorted(known, key=lambda point: point[2])])
    present = {row.name[:1]: _family(row) for row, _, _ in known if row.name[:1] in _FAMILIES}
    _legend(figure, [_FAMILIES[letter] for letter in present], list(present.values()))
    return finished(f"Test error over {what}", figure, name)


def pareto_front(points: Sequence[tuple[float, float]]) -> list[int]:
    """Indices of the points that no other point beats or equals in both coordinates, by the first coordinate."""
    front: list[int] = []
    for i in sorted(range(len(points)), key=lambda i: points[i]):
        if not front or points[i][1] < points[front[-1]][1]:
            front.append(i)
    return front


@style()
def landmark_chart(protocol: Protocol, name: str) -> Chart | None:
    """Mean test error of each landmark in pixels of the original image, a dot a model."""
    prefix = "test/pixel_error/"
    names = [key.removeprefix(prefix) for key in protocol.rows[0].first.metrics if key.startswith(prefix)]
    rows = _best_first(protocol)
    if all(row.mean(prefix + landmark) is None for row in rows for landmark in names):
        return None
    figure, axes = canvas(height=1.2 + (0.25 if len(names) <= 30 else 0.18) * len(names))
    for i, row in reversed(list(enumerate(rows))):
        values = {landmark: v for landmark in names if (v := row.mean(prefix + landmark)) is not None}
        tips = [f"{row.label}, {landmark}: {value:.2f} px" for landmark, value in values.items()]
        places = [names.index(landmark) for landmark in values]
        axes.scatter(list(values.values()), places, color=_colour(i), urls=tips, s=26, zorder=3)
    axes.set(xlabel="pixels of the original image", yticks=range(len(names)), ylim=(len(names) - 0.5, -0.5))
    axes.set_yticklabels(names)
    _legend(figure, [row.label for row in rows])
    return finished("Mean error by landmark", figure, name)


def _best_first(protocol: Protocol) -> list[Row]:
    """Rows by wing loss, so that a model has one colour in all charts of a protocol; those without it come last."""
    wing = {id(row): row.mean("test/wing") for row in protocol.rows}
    return sorted(protocol.rows, key=lambda row: np.inf if (value := wing[id(row)]) is None else value)


def _colour(i: int) -> str:
    return COLOURS[i] if i < len(COLOURS) else OTHER


def _family(row: Row) -> str:
    letters = list(_FAMILIES)
    return _colour(letters.index(row.name[:1]) if row.name[:1] in letters else len(COLOURS))


def _line(axes: Axes, x: np.ndarray, y: np.ndarray, colour: str, tip: str) -> None:
    """A line, with a wider one that shows only where it is pointed at."""
    axes.plot(x, y, color=colour, linewidth=1.6)
    axes.plot(x, y, color=colour, linewidth=9, alpha=0, url=tip)


def _legend(figure: Figure, names: Sequence[str], colours: Sequence[str] = COLOURS) -> None:
    shown = list(zip(names, colours, strict=False))
    if len(names) > len(shown):
        shown.append((f"{len(names) - len(shown)} others (point at one)", OTHER))
    dots = [Line2D([], [], color=colour, marker="o", linestyle="none", label=name) for name, colour in shown]
    figure.legend(handles=dots, loc="outside lower center", ncols=3, fontsize=9)


def _name_points(figure: Figure, axes: Axes, points: Sequence[tuple[str, float, float]]) -> None:
    """Write each name beside its point, where no other point or name is; a crowd is left to the tooltips."""
    figure.draw_without_rendering()
    inside = axes.get_window_extent()
    taken = [Bbox.from_bounds(x - 4, y - 4, 8, 8) for x, y in axes.transData.transform([(x, y) for _, x, y in points])]
    for words, x, y in points:
        short = words.replace(" no rotation", " no rot.").replace(" layers removed", " fewer")
        for offset, across, up in (
            ((6, 0), "left", "center"),
            ((-6, 0), "right", "center"),
            ((0, 6), "center", "bottom"),
            ((0, -6), "center", "top"),
        ):
            name = axes.annotate(short, (x, y), offset, textcoords="offset points", ha=across, va=up, fontsize=9)
            box = name.get_window_extent()
            if inside.containsx(box.x0) and inside.containsx(box.x1) and not box.count_overlaps(taken):
                taken.append(box)
                break
            name.remove()
