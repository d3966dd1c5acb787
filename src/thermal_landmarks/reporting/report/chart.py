"""A chart of a report: what stands in the page and in a file of its own.

Charts by matplotlib are SVG that follows the reader's colour scheme and tells the numbers of the mark pointed at: an
artist's `url` becomes the tooltip. Charts by Plotly are drawn by its script in the page.
"""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#b8578f", "#b07d00", "#2f8fcb", "#5b5b66")
"""The series that stand out; report.css has brighter ones for dark pages."""

OTHER = "#b4bbc5"
"""All other series."""

_INK, _SOFT, _GRID, _GROUND = "#1d2430", "#5d6775", "#e3e7ec", "#ffffff"
_VARIABLES = {colour: f"c{i}" for i, colour in enumerate(COLOURS)} | {
    OTHER: "chart-other",
    _INK: "chart-ink",
    _SOFT: "chart-soft",
    _GRID: "chart-grid",
    _GROUND: "chart-ground",
}
_STYLE: Any = {
    "font.size": 10,
    "svg.fonttype": "none",
    "text.color": _INK,
    "axes.labelcolor": _INK,
    "axes.edgecolor": _GRID,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "grid.color": _GRID,
    "xtick.color": _GRID,
    "xtick.labelcolor": _SOFT,
    "ytick.color": _GRID,
    "ytick.labelcolor": _SOFT,
    "legend.frameon": False,
    "legend.labelcolor": _SOFT,
    "legend.handletextpad": 0.3,
    "savefig.facecolor": _GROUND,
}


@dataclass(frozen=True)
class Chart:
    """A chart."""

    title: str  # heading
    html: str  # as it stands in the page
    svg: str  # as a file of its own
    wide: bool = False  # whether it wants a whole row
    plot: str = ""  # plotly's figure as JSON, which the page's script draws into `html`


@contextmanager
def style() -> Iterator[None]:
    """The look of charts by matplotlib, for what is drawn and written within."""
    with rc_context(_STYLE):
        yield


def canvas(*, height: float = 3.8) -> tuple[Figure, Axes]:
    """A figure of a height in inches with one pair of axes."""
    figure = Figure(figsize=(4.9, height), layout="constrained")
    return figure, figure.add_subplot()


def finished(title: str, figure: Figure, name: str) -> Chart:
    """The chart that a figure of matplotlib makes; the name keeps marks of several charts of a page apart."""
    file = svg_text(figure, name)
    html = re.sub(r"^.*?<svg [^>]*?viewBox", '<svg class="chart" role="img" viewBox', file, count=1, flags=re.DOTALL)
    for colour, variable in _VARIABLES.items():
        html = html.replace(colour, f"var(--{variable})")
    return Chart(title, html, file)


def svg_text(figure: Figure, name: str, **layout: Any) -> str:
    """A figure as SVG, with the tooltips that its artists have as `url`; `layout` as of `savefig`."""
    content = io.StringIO()
    with rc_context({"svg.hashsalt": name, "svg.fonttype": "none"}):
        figure.savefig(content, format="svg", metadata={"Date": None, "Creator": None}, **layout)
    linked = re.sub(r"""<a xlink:href=(["'])(.*?)\1[^>]*>""", r'<g class="mark"><title>\2</title>', content.getvalue())
    return linked.replace("</a>", "</g>")
