"""A table of a report: one frame of numbers for CSV, their text for HTML and Markdown."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from markupsafe import Markup, escape

from thermal_landmarks.csv_table import write_table

MISSING = "–"
_GROUPS = {"": "", "ours": "measured here", "paper": "paper: different data, not comparable"}
_ELEMENTS = {
    "command": "<details><summary><code>{}</code></summary></details>",
    "folder": "<code>{}</code>",
    "checkpoint": "<code>{}</code>",
    "run": '<span id="run-{0}">{0}</span>',
}


@dataclass(frozen=True)
class Column:
    """A column."""

    key: str  # name in CSV
    title: str  # heading
    group: Literal["", "ours", "paper"] = ""  # what the numbers come from; the paper's are marked as different data
    form: str = ""  # format of numbers
    better: Literal["min", "max"] | None = None  # whether the smallest or the largest number is marked as the best
    scale: float = 1  # factor of the numbers as shown


@dataclass(frozen=True)
class Table:
    """A table under its heading."""

    name: str  # of its CSV file
    title: str  # what is in it; for a table of one protocol: the protocol
    columns: Sequence[Column]  # in order
    # Text (after a line break: a note) and numbers by column; `KEY_std` is a number's standard deviation. What is
    # absent or None shows as missing.
    rows: Sequence[Mapping[str, Any]] = field(default_factory=list)
    note: str = ""  # shown below the title

    @property
    def frame(self) -> pd.DataFrame:
        """The values, standard deviations in columns of their own."""
        given = {key for row in self.rows for key in row}
        keys = [key for c in self.columns for key in (c.key, f"{c.key}_std") if key == c.key or key in given]
        frame = pd.DataFrame(list(self.rows), dtype=object).reindex(columns=keys).astype(object)
        return frame.where(frame.notna(), None)

    def shown(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """The cells as text, and their classes: group, `number`, `best`, `two` lines and the column's key."""
        frame, texts, classes = self.frame, {}, {}
        for i, column in enumerate(self.columns):
            values = frame[column.key]
            spreads = frame.get(f"{column.key}_std", pd.Series([None] * len(frame)))
            numbers = [value for value in values if isinstance(value, int | float)]
            texts[column.key] = [_text(value, spread, column) for value, spread in zip(values, spreads, strict=True)]
            best = {"min": min, "max": max}[column.better](numbers) if column.better and len(set(numbers)) > 1 else None
            first = column.group == "paper" and self.columns[i - 1].group != "paper"
            every = [column.key, column.group, "number" * bool(numbers), "first" * first]
            every += ["two"] * any("\n" in text for text in texts[column.key])
            classes[column.key] = [" ".join([*every, "best" * (best is not None and v == best)]) for v in values]
        return pd.DataFrame(texts), pd.DataFrame(classes)

    def html(self) -> str:
        """The table as HTML; all text in it is escaped."""
        text, classes = self.shown()
        titles: Any = [escape(column.title) for column in self.columns]
        if any(column.group == "paper" for column in self.columns):
            titles = pd.MultiIndex.from_tuples([(_GROUPS[c.group], escape(c.title)) for c in self.columns])
        places = dict(zip([column.key for column in self.columns], titles, strict=True))
        text.columns = classes.columns = titles
        style = text.style.hide(axis="index").format(escape="html").set_td_classes(classes)
        for key, element in _ELEMENTS.items():
            if key in places:
                style.format(Markup(element).format, subset=[places[key]])
        if "runs" in places:
            style.format(_links, subset=[places["runs"]])
        style.cell_ids = False
        return str(style.to_html(table_uuid=self.name, sparse_columns=True))

    def markdown(self) -> str:
        """The table in GitHub's Markdown; the paper's columns say so."""
        text, classes = self.shown()
        titles = [f"{c.title} (paper: different data)" if c.group == "paper" else c.title for c in self.columns]
        numeric = ["number" in " ".join(classes[c.key]) for c in self.columns]
        rows = [[_markdown_cell(*cell) for cell in zip(text.loc[i], classes.loc[i], strict=True)] for i in text.index]
        lines = [list(map(markdown_text, titles)), ["---:" if number else "---" for number in numeric], *rows]
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)

    def write_csv(self, folder: Path) -> None:
        """`NAME.csv` with full precision."""
        frame = self.frame
        rows = ([" ".join(v.split("\n")) if isinstance(v, str) else v for v in row] for row in frame.to_numpy())
        write_table(folder / f"{self.name}.csv", frame.columns, rows)


def _text(value: Any, spread: float | None, column: Column) -> str:
    if value is None or isinstance(value, str):
        return value or MISSING
    margin = "" if spread is None else f"\n± {spread * column.scale:{column.form}}"
    return f"{value * column.scale:{column.form}}{margin}".replace("-", "−")


def _links(numbers: str) -> Markup:
    return Markup(", ").join(Markup('<a href="#run-{0}">{0}</a>').format(number) for number in numbers.split(", "))


def _markdown_cell(text: str, classes: str) -> str:
    value, _, note = map(markdown_text, text.partition("\n"))
    shown = f"**{value}**" if "best" in classes.split() else value
    return " ".join(part for part in (shown, note) if part).replace("|", "\\|")


def markdown_text(text: str) -> str:
    """Text that stays text in Markdown: no tag, no entity, no link, no code, on one line."""
    marked = re.sub(r"&(?=#?\w+;)", "&amp;", " ".join(text.split())).replace("<", "&lt;")
    return re.sub(r"([\[\]`])", r"\\\1", marked)


def over_seeds(key: str, values: Sequence[float | None]) -> dict[str, float]:
    """A column's mean and, of several runs, sample standard deviation; empty where a run has no value."""
    known = [value for value in values if value is not None]
    if not known or len(known) < len(values):
        return {}
    return {key: float(np.mean(known))} | ({f"{key}_std": float(np.std(known, ddof=1))} if len(known) > 1 else {})
