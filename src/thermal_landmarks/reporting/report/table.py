"""A table of a report, once for HTML, Markdown and CSV."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Literal

import numpy as np

from thermal_landmarks.csv_table import write_table

MISSING = "–"
Group = Literal["", "ours", "paper"]


@dataclass(frozen=True)
class Column:
    """A column.

    Attributes:
        key: Name in CSV.
        title: Heading.
        group: What the numbers come from; the paper's are marked as different data.
        better: Whether the smallest or the largest number is marked as the best.
    """

    key: str
    title: str
    group: Group = ""
    better: Literal["min", "max"] | None = None


@dataclass(frozen=True)
class Cell:
    """A cell.

    Attributes:
        text: As shown.
        value: To sort by and for CSV; None: the text.
        spread: Standard deviation of the value.
        margin: The standard deviation as shown.
        note: A second line.
        links: Text and number of runs that the cell stands for.
    """

    text: str = MISSING
    value: float | None = None
    spread: float | None = None
    margin: str = ""
    note: str = ""
    links: Sequence[int] = ()


@dataclass(frozen=True)
class Table:
    """A table under its heading.

    Attributes:
        name: Of its CSV file.
        title: What is in it; for a table of one protocol: the protocol.
        columns: In order.
        rows: For each row a cell by key; a key that is absent shows as missing.
        note: Shown below the title.
    """

    name: str
    title: str
    columns: Sequence[Column]
    rows: Sequence[dict[str, Cell]] = field(default_factory=list)
    note: str = ""

    def groups(self) -> list[tuple[Group, int]]:
        """Neighbouring columns of one group: its name and how many they are."""
        return [(name, len(list(columns))) for name, columns in groupby(column.group for column in self.columns)]

    def cell(self, row: dict[str, Cell], column: Column) -> Cell:
        """A cell of a row."""
        return row.get(column.key, Cell())

    def is_numeric(self, column: Column) -> bool:
        """Whether the column holds a number."""
        return any(self.cell(row, column).value is not None for row in self.rows)

    def is_best(self, row: dict[str, Cell], column: Column) -> bool:
        """Whether the cell holds the best of several numbers of its column."""
        values = [value for other in self.rows if (value := self.cell(other, column).value) is not None]
        best = {"min": min, "max": max}.get(column.better or "")
        return best is not None and len(set(values)) > 1 and self.cell(row, column).value == best(values)

    def markdown(self) -> str:
        """The table in GitHub's Markdown; the paper's columns say so."""
        titles = [f"{c.title} (paper: different data)" if c.group == "paper" else c.title for c in self.columns]
        lines = [
            _line(list(map(markdown_text, titles))),
            _line(["---:" if self.is_numeric(column) else "---" for column in self.columns]),
        ]
        for row in self.rows:
            lines.append(_line([self._markdown_cell(row, column) for column in self.columns]))
        return "\n".join(lines)

    def _markdown_cell(self, row: dict[str, Cell], column: Column) -> str:
        cell = self.cell(row, column)
        text, margin, note = map(markdown_text, (cell.text, cell.margin, cell.note))
        text = f"**{text}**" if self.is_best(row, column) else text
        return " ".join(part for part in (text, margin, note) if part).replace("|", "\\|")

    def write_csv(self, folder: Path) -> None:
        """`NAME.csv` with full precision; standard deviations in columns of their own."""
        spread = {c.key for c in self.columns if any(self.cell(row, c).spread is not None for row in self.rows)}
        titles = [title for c in self.columns for title in _csv_titles(c, spread)]
        cells = ([(self.cell(row, c), c.key in spread) for c in self.columns] for row in self.rows)
        values = ([value for cell, split in row for value in _csv_values(cell, split)] for row in cells)
        write_table(folder / f"{self.name}.csv", titles, values)


def markdown_text(text: str) -> str:
    """Text that stays text in Markdown: no tag, no entity, no link, no code, on one line."""
    marked = re.sub(r"&(?=#?\w+;)", "&amp;", " ".join(text.split())).replace("<", "&lt;")
    return re.sub(r"([\[\]`])", r"\\\1", marked)


def number(value: float | None, form: str = ".3f", *, scale: float = 1.0) -> Cell:
    """A number as a cell; missing where there is none."""
    return Cell() if value is None else Cell(format(value * scale, form), value)


def mean_and_spread(values: Sequence[float | None], form: str = ".3f", *, scale: float = 1.0) -> Cell:
    """Mean ± sample standard deviation of several runs; missing where a run has no value."""
    known = [value for value in values if value is not None]
    if not known or len(known) < len(values):
        return Cell()
    mean = float(np.mean(known))
    if len(known) == 1:
        return number(mean, form, scale=scale)
    spread = float(np.std(known, ddof=1))
    return Cell(format(mean * scale, form), mean, spread, f"± {spread * scale:{form}}")


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _csv_titles(column: Column, spread: set[str]) -> list[str]:
    key = f"paper_{column.key.removeprefix('paper_')}" if column.group == "paper" else column.key
    return [key, f"{key}_std"] if column.key in spread else [key]


def _csv_values(cell: Cell, split: bool) -> list[str | float]:
    text = "" if cell.text == MISSING else " ".join(part for part in (cell.text, cell.note) if part)
    value: str | float = text if cell.value is None else cell.value
    return [value, "" if cell.spread is None else cell.spread] if split else [value]
