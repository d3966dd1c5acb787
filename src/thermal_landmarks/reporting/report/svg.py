"""Small charts as SVG text: axes, lines, points, bars; chart.css colours them for light and dark pages.

Written here rather than by matplotlib because a page with twenty studies stays small, follows the reader's colour
scheme, and every mark carries a tooltip.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Literal

import numpy as np
from matplotlib.ticker import LogLocator, MaxNLocator

STYLE = (Path(__file__).parent / "chart.css").read_text(encoding="utf-8")
COLOURS = 7
"""Classes c0 ... c6 of the style; `other` is gray."""

Scale = Literal["linear", "log"]


@dataclass(frozen=True)
class Axis:
    """One axis: values low to high are drawn from pixel start to end."""

    label: str
    low: float
    high: float
    start: float
    end: float
    scale: Scale = "linear"

    def __call__(self, value: float) -> float:
        """Pixel of a value."""
        low, high, value = (np.log10(v) if self.scale == "log" else v for v in (self.low, self.high, value))
        return round(float(self.start + (value - low) / (high - low) * (self.end - self.start)), 1)

    def ticks(self) -> list[float]:
        """Round values within the axis."""
        if self.scale == "log":
            decades = np.log10(self.high / self.low)
            subs = (
                (1.0,) if decades > 2.5 else (1.0, 2.0, 5.0) if decades > 0.7 else (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0)
            )
            ticks = LogLocator(subs=subs, numticks=12).tick_values(self.low, self.high)
        else:
            ticks = MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]).tick_values(self.low, self.high)
        slack = 1e-9 * (self.high - self.low)
        return [float(tick) for tick in ticks if self.low - slack <= tick <= self.high + slack]


def axis_range(values: Sequence[float], *, scale: Scale = "linear") -> tuple[float, float]:
    """Limits with some room around the values; a logarithmic axis wants positive ones."""
    low, high = float(np.min(values)), float(np.max(values))
    if scale == "log":
        room = max((high / low) ** 0.06, 1.05)
        return low / room, high * room
    room = 0.06 * (high - low) or 0.1 * abs(high) or 1.0
    return low - room, high + room


@dataclass
class Chart:
    """A chart under construction; `svg()` gives its text.

    Args:
        title: Heading, also read by screen readers.
        width: Of the drawing; the page scales it.
        height: Of the drawing.
    """

    title: str
    width: int = 450
    height: int = 310
    parts: list[str] = field(default_factory=list)
    legend: list[tuple[str, str]] = field(default_factory=list)

    def axes(
        self,
        x: tuple[str, float, float, Scale],
        y: tuple[str, float, float, Scale],
        *,
        left: int = 58,
        y_ticks: bool = True,
    ) -> tuple[Axis, Axis]:
        """Draw both axes with their grid; give them to place marks with. `x` and `y`: label, low, high, scale."""
        across = Axis(x[0], x[1], x[2], left, self.width - 14, x[3])
        up = Axis(y[0], y[1], y[2], self.height - 46, 12, y[3])
        for tick in across.ticks():
            self.add(f'<path class="grid" d="M{across(tick)} {up.end}V{up.start}"/>')
            self.text(across(tick), up.start + 17, readable(tick), "tick", anchor="middle")
        for tick in up.ticks() if y_ticks else []:
            self.add(f'<path class="grid" d="M{across.start} {up(tick)}H{across.end}"/>')
            self.text(across.start - 7, up(tick) + 4, readable(tick), "tick", anchor="end")
        self.text((across.start + across.end) / 2, self.height - 8, x[0], "label", anchor="middle")
        if y[0]:
            middle = (up.start + up.end) / 2
            self.add(
                f'<text class="label" text-anchor="middle" transform="translate(14 {middle}) rotate(-90)">'
                f"{escape(y[0])}</text>"
            )
        return across, up

    def add(self, part: str) -> None:
        """Add SVG."""
        self.parts.append(part)

    def text(self, x: float, y: float, words: str, style: str, *, anchor: str = "start") -> None:
        """Write words."""
        self.add(f'<text class="{style}" x="{x:g}" y="{y:g}" text-anchor="{anchor}">{escape(words)}</text>')

    def line(self, points: Sequence[tuple[float, float]], style: str, tooltip: str = "") -> None:
        """A polyline through pixels, with a wider invisible one to point at."""
        path = "M" + "L".join(f"{x:g} {y:g}" for x, y in points)
        title = f"<title>{escape(tooltip)}</title>" if tooltip else ""
        hit = f'<path class="hit" d="{path}"/>' if tooltip else ""
        self.add(f'<g class="line {style}">{title}<path d="{path}"/>{hit}</g>')

    def point(self, x: float, y: float, style: str, tooltip: str, *, radius: float = 4.5) -> None:
        """A dot."""
        title = f"<title>{escape(tooltip)}</title>"
        self.add(f'<circle class="dot {style}" cx="{x:g}" cy="{y:g}" r="{radius:g}">{title}</circle>')

    def bar(self, x: float, y: float, width: float, height: float, style: str, tooltip: str) -> None:
        """A rectangle."""
        self.add(
            f'<rect class="bar {style}" x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="2">'
            f"<title>{escape(tooltip)}</title></rect>"
        )

    def svg(self) -> str:
        """The chart, to stand in a page that has the style."""
        return (
            f'<svg class="chart" viewBox="0 0 {self.width} {self.height}" role="img" aria-label="{escape(self.title)}">'
            f"{''.join(self.parts)}</svg>"
        )

    def file(self) -> str:
        """The chart as a file of its own, with title, legend and style."""
        rows = [self.legend[i : i + 3] for i in range(0, len(self.legend), 3)]
        below = Chart(self.title, self.width, self.height)
        for r, row in enumerate(rows):
            for c, (style, words) in enumerate(row):
                x, y = 20 + c * (self.width - 30) / 3, self.height + 14 + 18 * r
                below.add(f'<circle class="dot {style}" cx="{x:g}" cy="{y - 4}" r="4.5"/>')
                below.text(x + 10, y, words, "tick")
        height = self.height + 30 + 18 * len(rows) + 6
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="chart file" viewBox="0 -30 {self.width} {height}" '
            f'width="{self.width}" height="{height}" role="img"><style>{STYLE}</style>'
            f'<rect class="ground" x="0" y="-30" width="{self.width}" height="{height}"/>'
            f'<text class="heading" x="12" y="-10">{escape(self.title)}</text>'
            f"{''.join(self.parts)}{''.join(below.parts)}</svg>\n"
        )


def readable(value: float) -> str:
    """A tick's number: 0.05, 2.5, 50k, 2M."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.4g}{unit}"
    return f"{value:.4g}"


def colour(i: int) -> str:
    """Style class of the i-th series; gray after the last colour."""
    return f"c{i}" if i < COLOURS else "other"
