"""`docs/results/paper.md`: the paper's tables from the finished part of the chain, and what becomes of its claims."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig
from optuna.trial import TrialState

from thermal_landmarks.reporting.pages import render
from thermal_landmarks.reporting.paper.claims import verdicts
from thermal_landmarks.reporting.paper.results import Results, collapsed
from thermal_landmarks.reporting.published import TABLES, Figures, order
from thermal_landmarks.runs import replacing
from thermal_landmarks.search.chain.progress import total
from thermal_landmarks.search.chain.steps import Kind
from thermal_landmarks.search.chain.work import Chain
from thermal_landmarks.search.progress import duration

_TITLES: dict[Kind, str] = {
    "singular": "Table 2: single models",
    "ensemble": "Table 3: ensembles of three",
    "no_rotation": "Table 4: without rotated copies, three times the epochs",
    "layers_removed": "Table 5: last layers removed",
}

Row = Mapping[str, str]
"""Cells by heading."""


def write_page(chain: Chain, path: Path) -> Path:
    """Write the page; returns its path."""
    plain, ours = (Results(chain.steps, chain.entries, form) for form in ("plain", "ours"))
    trainings = [chain.entries.get(step.name) for step in chain.steps if step.kind != "search"]
    named = {step.name: chain.entries[step.name] for step in chain.steps if step.name in chain.entries}
    facts: dict[str, Any] = {
        "cfg": chain.cfg,
        "size": [round(side * chain.cfg.scale) for side in (480, 640)],
        "ended": sum(state.ended for state in chain.states.values()),
        "wanted": sum(state.wanted for state in chain.states.values()),
        "done": sum(entry is not None and entry.state == "done" for entry in trainings),
        "trainings": len(trainings),
        "failed": [(name, e.reason.splitlines()[0]) for name, e in named.items() if e.state == "failed"],
        "left": duration(total(chain.seconds_left("processor_seconds").values())),
        "command": _command(chain.cfg),
        "claims": verdicts(plain),
        "tables": {
            "Table 1: searches": _searches(chain, "plain"),
            **{title: _tested(plain, kind) for kind, title in _TITLES.items()},
            "Our form of the network: searches": _searches(chain, "ours"),
            "Our form of the network: single models": _tested(ours, "singular"),
        },
    }
    with replacing(path) as file:
        file.write(render("paper.md.j2", **facts))
    return path


def _command(cfg: DictConfig) -> str:
    command = f"thermal-landmarks reproduce study={cfg.study} scale={cfg.scale}"
    if cfg.settings:
        further = ",".join(f"{name}:{str(value).replace(' ', '')}" for name, value in cfg.settings.items())
        command += f' "settings={{{further}}}"'
    return command


def _searches(chain: Chain, form: str) -> Sequence[Row]:
    rows = []
    for step in sorted(chain.steps, key=lambda step: order(step.model_id)):
        state = chain.states[step.study]
        if step.kind != "search" or step.form != form or not state.ended:
            continue
        best, paper = state.best, TABLES["search"][step.model_id]
        complete, pruned, failed = (
            sum(t.state == s for t in state.trials) for s in (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)
        )
        spent = sum(t.user_attrs.get("epochs", 0) for t in state.trials)
        whole = chain.cfg.search_epochs * (complete + pruned)
        rows.append(
            {
                "model": step.model_id + " (unfinished)" * (not state.done),
                "parameters": f"{best.user_attrs['parameters']:,}" if best else "",
                "wing (validation)": f"{best.value:.3f}" if best else "none",
                "complete": str(complete),
                "pruned": str(pruned),
                "failed": str(failed),
                "epochs saved": f"{1 - spent / whole:.0%}" if whole else "",
                "paper: parameters": f"{paper.parameters:,}",
                "paper: wing": f"{paper.wing:g}",
            }
        )
    return rows


def _tested(results: Results, kind: Kind) -> Sequence[Row]:
    return [_row(results, kind, name, TABLES[kind].get(name)) for name in sorted(results.models(kind), key=order)]


def _row(results: Results, kind: Kind, model_id: str, paper: Figures | None) -> Row:
    records, nme = results.of(kind, model_id), results.nme(kind, model_id)

    def mean(metric: str, form: str) -> str:
        return f"{sum(float(record[f'test/{metric}']) for record in records) / len(records):{form}}"

    return {
        "model": model_id,
        "parameters": f"{records[0]['parameters']:,}",
        "seeds": str(len(records)),
        "wing": mean("wing", ".3f"),
        "MAE": mean("mae", ".4f"),
        "MSE": mean("mse", ".5f"),
        "accuracy": mean("accuracy", ".3f"),
        "NME (%)": f"{nme.mean:.1f} [{nme.low:.1f}, {nme.high:.1f}]",
        "collapsed": f"{sum(map(collapsed, records))} of {len(records)}",
        **{
            f"paper: {heading}": f"{getattr(paper, heading.lower()):g}" if paper else ""
            for heading in ("wing", "MAE", "MSE", "accuracy")
        },
    }
