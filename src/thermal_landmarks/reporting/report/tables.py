"""The paper's Tables 1 to 5 from studies and runs, with the published figures beside; and the list of all runs."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from optuna.trial import TrialState

from thermal_landmarks.reporting.published import TABLES, Figures
from thermal_landmarks.reporting.report.rows import Protocol, Row, singular_row
from thermal_landmarks.reporting.report.runs import Run
from thermal_landmarks.reporting.report.studies import Search
from thermal_landmarks.reporting.report.table import Column, Table, over_seeds

_MODEL = (Column("model", "model"), Column("parameters", "parameters", "ours", ",.0f"))
_METRICS = (
    Column("wing", "wing loss", "ours", ".3f", "min"),
    Column("mae", "MAE", "ours", ".4f", "min"),
    Column("mse", "MSE", "ours", ".5f", "min"),
    Column("accuracy", "accuracy", "ours", ".3f", "max"),
    Column("nme", "NME (%)", "ours", ".2f", "min", 100),
    Column("failure_rate", "failures (%)", "ours", ".1f", "min", 100),
    Column("auc", "AUC (%)", "ours", ".1f", "max", 100),
    Column("pixel_error", "error (px)", "ours", ".2f", "min"),
)
_AGAINST = Column("against_singular", "wing − singular", "ours", "+.3f")
_SOURCE = (Column("gflops", "GFLOPs", "ours", ".3f"), Column("runs", "runs", "ours"))
_PAPER = tuple(
    Column(f"paper_{key}", title, "paper", "g")
    for key, title in (("accuracy", "accuracy"), ("wing", "wing loss"), ("mae", "MAE"), ("mse", "MSE"))
)
_SEARCH = (
    *_MODEL,
    Column("objective", "search loss", "ours", ".4f", "min"),
    Column("best_trial", "best trial", "ours", ".0f"),
    Column("complete", "complete", "ours", ".0f"),
    Column("pruned", "pruned", "ours", ".0f"),
    Column("failed", "failed", "ours", ".0f"),
    Column("epochs", "epochs in all", "ours", ",.0f"),
    Column("paper_parameters", "parameters", "paper", ",.0f"),
    Column("paper_wing", "wing loss", "paper", "g"),
    Column("folder", "folder of the best trial"),
)
_EVALUATION = (
    Column("model", "model"),
    Column("data", "data"),
    Column("evaluated", "evaluated"),
    *(Column(c.key, c.title, form=c.form, scale=c.scale) for c in _METRICS if c.key != "mse"),
    Column("checkpoint", "checkpoint"),
    Column("folder", "folder"),
    Column("commit", "commit"),
)
_RUN = (
    Column("run", "run"),
    Column("model", "model"),
    Column("kind", "kind"),
    Column("seed", "seed", form=".0f"),
    Column("wing", "wing loss", form=".4f"),
    Column("nme", "NME (%)", form=".2f", scale=100),
    Column("folder", "folder"),
    Column("command", "command (opens)"),
    Column("commit", "commit"),
    Column("parameters", "parameters", form=",.0f"),
    Column("epochs", "epochs", form=".0f"),
    Column("seconds", "seconds", form=",.0f"),
    Column("machine", "machine"),
    Column("protocol", "data and protocol"),
)


def result_tables(kind: str, protocols: Sequence[Protocol]) -> list[Table]:
    """Table 2 (`singular`), 3 (`ensemble`), 4 (`no_rotation`) or 5 (`layers_removed`), one a protocol."""
    shown = [protocol for protocol in protocols if protocol.of(kind)]
    against = () if kind == "singular" else (_AGAINST,)
    columns = (*_MODEL, *_METRICS, *against, *_SOURCE, *_PAPER)
    name, paper = f"table{list(TABLES).index(kind) + 1}", TABLES[kind]
    tables = []
    for i, protocol in enumerate(shown):
        rows = [_result_row(row, paper, singular_row(row, protocols)) for row in protocol.of(kind)]
        note = f"Apart from other tables of this description: {protocol.note}" if protocol.note else ""
        tables.append(Table(name + (f"_{i + 1}" if len(shown) > 1 else ""), protocol.label, columns, rows, note))
    return tables


def _result_row(row: Row, paper: Mapping[str, Figures], singular: Row | None) -> dict[str, Any]:
    note = _parts(row.first.metrics) + (f"; {row.note}" if row.note else "")
    cells: dict[str, Any] = {
        "model": f"{row.name}\n{note}",
        "parameters": row.first.value("parameters"),
        "gflops": row.first.value("gflops"),
        "runs": ", ".join(str(run.number) for run in row.runs),
    }
    for column in _METRICS:
        cells |= over_seeds(column.key, [run.value(f"test/{column.key}") for run in row.runs])
    here, there = row.mean("test/wing"), singular.mean("test/wing") if singular else None
    if here is not None and there is not None:
        cells["against_singular"] = here - there
    figures = paper.get(row.first.model_id)
    if figures is not None and (row.kind != "ensemble" or row.first.ensemble == 3):
        cells |= {column.key: getattr(figures, column.key.removeprefix("paper_")) for column in _PAPER}
    return cells


def search_tables(searches: Sequence[Search]) -> list[Table]:
    """Table 1: the best trial of each study, one table a search."""
    groups: dict[str, list[Search]] = {}
    for search in searches:
        facts = search.attributes
        label = f"{search.prefix}: {facts.get('data', 'unnamed data')}, {facts.get('scheme', 'unknown landmarks')}"
        label += f", {facts.get('trials', '?')} trials of {facts.get('epochs', '?')} epochs"
        groups.setdefault(label, []).append(search)
    names = ["table1" + (f"_{i + 1}" if len(groups) > 1 else "") for i in range(len(groups))]
    return [
        Table(name, label, _SEARCH, [_search_row(search) for search in members])
        for name, (label, members) in zip(names, groups.items(), strict=True)
    ]


def _search_row(search: Search) -> dict[str, Any]:
    cells: dict[str, Any] = {
        "model": f"{search.model_id}\n{_parts(search.attributes) or search.name}",
        "complete": search.trials.count(TrialState.COMPLETE),
        "pruned": search.trials.count(TrialState.PRUNED),
        "failed": search.trials.count(TrialState.FAIL),
        "epochs": search.trials.epochs(),
    }
    best = search.trials.best
    if best is not None:
        folder = best.user_attrs.get("folder")
        cells |= {"parameters": best.user_attrs.get("parameters"), "objective": best.value, "best_trial": best.number}
        cells["folder"] = None if folder is None else shown_path(folder)
    figures = TABLES["search"].get(search.model_id)
    if figures is not None:
        cells |= {"paper_parameters": figures.parameters, "paper_wing": figures.wing}
    return cells


def evaluation_table(evaluations: Sequence[tuple[Path, dict[str, Any]]]) -> Table:
    """What `evaluate.py` measured of checkpoints."""
    rows = [
        {
            "model": content.get("model_id"),
            "data": f"{content.get('data', '–')}, {content.get('scheme', '–')}",
            "evaluated": str(content["evaluated"]),
            "checkpoint": shown_path(content.get("checkpoint", "–")),
            "folder": shown_path(folder),
            "commit": content.get("commit"),
            **{column.key: content.get(f"test/{column.key}") for column in _METRICS},
        }
        for folder, content in evaluations
    ]
    return Table("evaluations", "Checkpoints measured with evaluate.py", _EVALUATION, rows)


def run_table(name: str, runs: Sequence[Run], older: Sequence[Run] = ()) -> Table:
    """Each run with its folder, command and commit; `older` are those that a newer run of the same seed replaces."""
    replaced = {run.number for run in older}
    return Table(name, "", _RUN, [_run_row(run, replaced=run.number in replaced) for run in runs])


def _run_row(run: Run, *, replaced: bool) -> dict[str, Any]:
    kind = f"trial of {run.metrics['study']}" if run.kind == "trial" else str(run.kind).replace("_", " ")
    notes = ["replaced by a newer run"] * replaced + ["pruned"] * bool(run.metrics.get("pruned"))
    return {
        "run": run.number,
        "model": run.model_id + (f" ×{run.ensemble}" if run.ensemble > 1 else ""),
        "kind": "\n".join([kind, *([", ".join(notes)] if notes else [])]),
        "seed": run.value("seed"),
        "parameters": run.value("parameters"),
        "wing": run.value("test/wing"),
        "nme": run.value("test/nme"),
        "epochs": run.value("epochs"),
        "seconds": run.value("seconds"),
        "commit": run.metrics.get("commit"),
        "machine": run.metrics.get("machine"),
        "protocol": run.protocol_label,
        "folder": shown_path(run.folder),
        "command": run.command,
    }


def _parts(facts: Mapping[str, Any]) -> str:
    return " + ".join(str(facts[part]) for part in ("stem", "branch") if facts.get(part))


def best_settings(search: Search) -> str:
    """The best trial's hyperparameters as one would type them."""
    best = search.trials.best
    return "" if best is None else " ".join(shlex.quote(f"{name}={value}") for name, value in best.params.items())


def shown_path(path: Path | str) -> str:
    """A path relative to the working folder where it is below it."""
    absolute = Path(path).absolute()
    return str(absolute.relative_to(Path.cwd())) if absolute.is_relative_to(Path.cwd()) else str(path)
