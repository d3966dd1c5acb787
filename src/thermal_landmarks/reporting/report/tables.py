"""The paper's Tables 1 to 5 from studies and runs, with the published figures beside; and the list of all runs."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from thermal_landmarks.reporting.report import published
from thermal_landmarks.reporting.report.rows import Protocol, Row, singular_row
from thermal_landmarks.reporting.report.runs import Run
from thermal_landmarks.reporting.report.studies import Search
from thermal_landmarks.reporting.report.table import Cell, Column, Table, mean_and_spread, number

_MODEL = (Column("model", "model"), Column("parameters", "parameters", "ours"))
_METRICS = (
    (Column("wing", "wing loss", "ours", "min"), "test/wing", ".3f", 1),
    (Column("mae", "MAE", "ours", "min"), "test/mae", ".4f", 1),
    (Column("mse", "MSE", "ours", "min"), "test/mse", ".5f", 1),
    (Column("accuracy", "accuracy", "ours", "max"), "test/accuracy", ".3f", 1),
    (Column("nme", "NME (%)", "ours", "min"), "test/nme", ".2f", 100),
    (Column("failure_rate", "failures (%)", "ours", "min"), "test/failure_rate", ".1f", 100),
    (Column("auc", "AUC (%)", "ours", "max"), "test/auc", ".1f", 100),
    (Column("pixel_error", "error (px)", "ours", "min"), "test/pixel_error", ".2f", 1),
)
_AGAINST = Column("against_singular", "wing − singular", "ours")
_SOURCE = (Column("gflops", "GFLOPs", "ours"), Column("runs", "runs", "ours"))
_PAPER = tuple(
    Column(f"paper_{key}", title, "paper")
    for key, title in (("accuracy", "accuracy"), ("wing", "wing loss"), ("mae", "MAE"), ("mse", "MSE"))
)
_PUBLISHED = {
    "singular": published.TABLE_2,
    "ensemble": published.TABLE_3,
    "no_rotation": published.TABLE_4,
    "layers_removed": published.TABLE_5,
}
_NAMES = {"singular": "table2", "ensemble": "table3", "no_rotation": "table4", "layers_removed": "table5"}


def result_tables(kind: str, protocols: Sequence[Protocol]) -> list[Table]:
    """Table 2 (`singular`), 3 (`ensemble`), 4 (`no_rotation`) or 5 (`layers_removed`), one a protocol."""
    shown = [protocol for protocol in protocols if protocol.of(kind)]
    against = () if kind == "singular" else (_AGAINST,)
    columns = (*_MODEL, *(column for column, *_ in _METRICS), *against, *_SOURCE, *_PAPER)
    tables = []
    for i, protocol in enumerate(shown):
        rows = [_result_row(row, _PUBLISHED[kind], singular_row(row, protocols)) for row in protocol.of(kind)]
        name = _NAMES[kind] + (f"_{i + 1}" if len(shown) > 1 else "")
        note = f"Apart from other tables of this description: {protocol.note}" if protocol.note else ""
        tables.append(Table(name, protocol.label, columns, rows, note))
    return tables


def _result_row(row: Row, paper: Mapping[str, published.Tested], singular: Row | None) -> dict[str, Cell]:
    runs = row.runs
    ensemble = row.first.ensemble
    cells = {
        "model": Cell(row.name, note=_parts(row.first.metrics) + (f"; {row.note}" if row.note else "")),
        "parameters": number(row.first.value("parameters"), ",.0f"),
        "gflops": number(row.first.value("gflops"), ".3f"),
        "runs": Cell(", ".join(str(run.number) for run in runs), links=[run.number for run in runs]),
    }
    for column, metric, form, scale in _METRICS:
        cells[column.key] = mean_and_spread([run.value(metric) for run in runs], form, scale=scale)
    here, there = row.mean("test/wing"), singular.mean("test/wing") if singular else None
    if here is not None and there is not None:
        cells["against_singular"] = Cell(f"{here - there:+.3f}".replace("-", "−"), here - there)
    figures = paper.get(row.first.model_id)
    if figures is not None and (row.kind != "ensemble" or ensemble == 3):
        cells |= {f"paper_{key}": number(value, "g") for key, value in figures._asdict().items()}
    return cells


def search_tables(searches: Sequence[Search]) -> list[Table]:
    """Table 1: the best trial of each study, one table a search."""
    columns = (
        *_MODEL,
        Column("objective", "search loss", "ours", "min"),
        Column("best_trial", "best trial", "ours"),
        Column("complete", "complete", "ours"),
        Column("pruned", "pruned", "ours"),
        Column("failed", "failed", "ours"),
        Column("epochs", "epochs in all", "ours"),
        Column("paper_parameters", "parameters", "paper"),
        Column("paper_wing", "wing loss", "paper"),
        Column("folder", "folder of the best trial"),
    )
    groups: dict[tuple[str, str], list[Search]] = {}
    for search in searches:
        facts = search.attributes
        label = f"{facts.get('data', 'unnamed data')}, {facts.get('scheme', 'unknown landmarks')}"
        label += f", {facts.get('trials', '?')} trials of {facts.get('epochs', '?')} epochs"
        groups.setdefault((search.prefix, label), []).append(search)
    tables = []
    for i, ((prefix, label), members) in enumerate(groups.items()):
        name = "table1" + (f"_{i + 1}" if len(groups) > 1 else "")
        tables.append(Table(name, f"{prefix}: {label}", columns, [_search_row(search) for search in members]))
    return tables


def _search_row(search: Search) -> dict[str, Cell]:
    cells = {
        "model": Cell(search.model_id, note=_parts(search.attributes) or search.name),
        "complete": number(search.count("COMPLETE"), ".0f"),
        "pruned": number(search.count("PRUNED"), ".0f"),
        "failed": number(search.count("FAIL"), ".0f"),
        "epochs": number(search.epochs_spent, ",.0f"),
    }
    best = search.best
    if best is not None:
        cells |= {
            "parameters": number(best.user_attrs.get("parameters"), ",.0f"),
            "objective": number(best.value, ".4f"),
            "best_trial": number(best.number, ".0f"),
            "folder": Cell(shown_path(best.user_attrs["folder"]) if "folder" in best.user_attrs else "–"),
        }
    figures = published.TABLE_1.get(search.model_id)
    if figures is not None:
        cells["paper_parameters"] = number(figures.parameters, ",.0f")
        cells["paper_wing"] = number(figures.wing, "g")
    return cells


def evaluation_table(evaluations: Sequence[tuple[Path, dict[str, Any]]]) -> Table:
    """What `evaluate.py` measured of checkpoints."""
    metrics = [(column, metric, form, scale) for column, metric, form, scale in _METRICS if column.key != "mse"]
    columns = (
        Column("model", "model"),
        Column("data", "data"),
        Column("evaluated", "evaluated"),
        *(Column(column.key, column.title) for column, *_ in metrics),
        Column("checkpoint", "checkpoint"),
        Column("folder", "folder"),
        Column("commit", "commit"),
    )
    rows = []
    for folder, content in evaluations:
        cells = {
            "model": Cell(str(content.get("model_id", "–"))),
            "data": Cell(f"{content.get('data', '–')}, {content.get('scheme', '–')}"),
            "evaluated": Cell(str(content["evaluated"])),
            "checkpoint": Cell(shown_path(content.get("checkpoint", "–"))),
            "folder": Cell(shown_path(folder)),
            "commit": Cell(content.get("commit") or "–"),
        }
        cells |= {column.key: number(content.get(metric), form, scale=scale) for column, metric, form, scale in metrics}
        rows.append(cells)
    return Table("evaluations", "Checkpoints measured with evaluate.py", columns, rows)


def run_table(name: str, runs: Sequence[Run], older: Sequence[Run] = ()) -> Table:
    """Each run with its folder, command and commit; `older` are those that a newer run of the same seed replaces."""
    columns = [
        Column("run", "run"),
        Column("model", "model"),
        Column("kind", "kind"),
        Column("seed", "seed"),
        Column("wing", "wing loss"),
        Column("nme", "NME (%)"),
        Column("folder", "folder"),
        Column("command", "command (opens)"),
        Column("commit", "commit"),
        Column("parameters", "parameters"),
        Column("epochs", "epochs"),
        Column("seconds", "seconds"),
        Column("machine", "machine"),
        Column("protocol", "data and protocol"),
    ]
    replaced = {run.number for run in older}
    rows = []
    for run in runs:
        kind = str(run.kind).replace("_", " ")
        notes = ["replaced by a newer run"] * (run.number in replaced) + ["pruned"] * bool(run.metrics.get("pruned"))
        rows.append(
            {
                "run": number(run.number, ".0f"),
                "model": Cell(run.model_id + (f" ×{run.ensemble}" if run.ensemble > 1 else "")),
                "kind": Cell(f"trial of {run.metrics['study']}" if kind == "trial" else kind, note=", ".join(notes)),
                "seed": number(run.value("seed"), ".0f"),
                "parameters": number(run.value("parameters"), ",.0f"),
                "wing": number(run.value("test/wing"), ".4f"),
                "nme": number(run.value("test/nme"), ".2f", scale=100),
                "epochs": number(run.value("epochs"), ".0f"),
                "seconds": number(run.value("seconds"), ",.0f"),
                "commit": Cell(run.metrics.get("commit") or "–"),
                "machine": Cell(run.metrics.get("machine") or "–"),
                "protocol": Cell(run.protocol_label),
                "folder": Cell(shown_path(run.folder)),
                "command": Cell(run.command),
            }
        )
    return Table(name, "", columns, rows)


def _parts(facts: Mapping[str, Any]) -> str:
    return " + ".join(str(facts[part]) for part in ("stem", "branch") if facts.get(part))


def best_settings(search: Search) -> str:
    """The best trial's hyperparameters as one would type them."""
    best = search.best
    return "" if best is None else " ".join(shlex.quote(f"{name}={value}") for name, value in best.params.items())


def shown_path(path: Path | str) -> str:
    """A path relative to the working folder where it is below it."""
    absolute = Path(path).absolute()
    return str(absolute.relative_to(Path.cwd())) if absolute.is_relative_to(Path.cwd()) else str(path)
