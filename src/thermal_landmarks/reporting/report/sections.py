"""What stands in a report: its sections with tables, charts and pictures, or the command that would fill them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from optuna.trial import TrialState

from thermal_landmarks.reporting.report import charts
from thermal_landmarks.reporting.report.chart import Chart
from thermal_landmarks.reporting.report.findings import findings
from thermal_landmarks.reporting.report.pictures import Picture
from thermal_landmarks.reporting.report.rows import KINDS, Protocol
from thermal_landmarks.reporting.report.runs import Found, Run
from thermal_landmarks.reporting.report.studies import Search
from thermal_landmarks.reporting.report.study_charts import study_charts
from thermal_landmarks.reporting.report.table import Table
from thermal_landmarks.reporting.report.tables import (
    best_settings,
    evaluation_table,
    result_tables,
    run_table,
    search_tables,
    shown_path,
)

TEXTS: Any = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
"""The report's notes and the words of its sections."""


@dataclass(frozen=True)
class Block:
    """Charts under a heading; `folded` ones open on a click."""

    title: str  # what they are of
    charts: dict[str, Chart]  # by the name of their file
    text: str = ""  # below the title
    folded: bool = False  # whether the charts hide at first


@dataclass(frozen=True)
class Section:
    """A part of the report."""

    key: str  # anchor
    title: str  # heading
    text: str  # what is to be seen
    command: str  # what would fill the section, where it is empty
    problem: str = ""  # why it is empty, where that is known
    tables: Sequence[Table] = ()
    blocks: Sequence[Block] = ()  # charts
    pictures: Sequence[Picture] = ()  # images
    points: Sequence[str] = ()  # sentences in a list, before the rest
    lines: Sequence[str] = ()  # plain lines at the end
    files: Sequence[Table] = ()  # tables too long for a page; CSV only

    @property
    def empty(self) -> bool:
        """Whether there is nothing to show."""
        return not (self.points or self.tables or self.blocks or self.pictures or self.lines)


def sections(
    found: Found,
    protocols: Sequence[Protocol],
    older: Sequence[Run],
    searches: Sequence[Search],
    pictures: Mapping[str, Sequence[Picture]],
    problem: str = "",
) -> list[Section]:
    """All sections, the empty ones too; `older` are runs that newer ones stand for."""
    trained = [run for run in found.runs if run.kind != "trial"]
    trials = [run for run in found.runs if run.kind == "trial"]
    of_trials = [f"{len(trials)} runs of searches are listed in tables/trials.csv."] if trials else []
    content: dict[str, dict[str, Any]] = {
        "findings": {"points": findings(protocols)},
        "search": {"tables": search_tables(searches), "blocks": [_study_block(search) for search in searches]},
        **{kind: {"tables": result_tables(kind, protocols)} for kind in KINDS},
        "errors": {"blocks": [b for i, protocol in enumerate(protocols) if (b := _error_block(protocol, i)).charts]},
        **{key: {"pictures": shown} for key, shown in pictures.items()},
        "evaluations": {"tables": [evaluation_table(found.evaluations)] if found.evaluations else []},
        "runs": {
            "tables": [run_table("runs", trained, older)] if trained else [],
            "files": [run_table("trials", trials)] if trials else [],
            "lines": [*of_trials, *(f"Not shown: {shown_path(path)}: {why}" for path, why in found.left_out)],
        },
    }
    content["augmentation"]["problem"] = problem
    return [Section(key, **texts, **content[key]) for key, texts in TEXTS["sections"].items()]


def _error_block(protocol: Protocol, number: int) -> Block:
    suffix = f"_{number + 1}" if number else ""
    metric = "test/nme" if any(row.mean("test/nme") is not None for row in protocol.rows) else "test/wing"
    size = {f"error_over_{what}{suffix}": what for what in ("parameters", "gflops")}
    made = {
        (name := f"cumulative_error{suffix}"): charts.ced_chart(protocol, name),
        **{name: charts.size_chart(protocol, what, metric, name) for name, what in size.items()},
        (name := f"error_by_landmark{suffix}"): charts.landmark_chart(protocol, name),
    }
    shown = {name: chart for name, chart in made.items() if chart is not None}
    return Block(protocol.label, shown, protocol.note, folded=number > 0)


def _study_block(search: Search) -> Block:
    trials, best = search.trials, search.trials.best
    result = "no complete trial" if best is None else f"best {best.value:.4g} in trial {best.number}"
    counts = f"{len(trials.each)} trials, {trials.count(TrialState.PRUNED)} pruned, "
    counts += f"{trials.count(TrialState.FAIL)} failed"
    settings = f"Best: {best_settings(search)}" if best is not None else ""
    shown = study_charts(search, "_" + search.name.replace("/", "_"))
    return Block(f"{search.model_id} {search.name}: {result}; {counts}", shown, settings, folded=True)
