"""`docs/results/paper.md`: the paper's tables from the finished part of the chain, and what becomes of its claims."""

from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from thermal_landmarks.reporting.pages import render
from thermal_landmarks.reporting.paper.claims import beyond, verdicts
from thermal_landmarks.reporting.paper.results import Results
from thermal_landmarks.reporting.paper.tables import epochs_saved, finished, front, searches, settings, tested
from thermal_landmarks.runs import replacing
from thermal_landmarks.search.chain.steps import Kind
from thermal_landmarks.search.chain.work import Chain, total
from thermal_landmarks.search.worker import duration

_TITLES: dict[Kind, str] = {
    "singular": "Table 2: single models",
    "ensemble": "Table 3: ensembles of three",
    "no_rotation": "Table 4: without rotated copies, three times the epochs",
    "layers_removed": "Table 5: last layers removed",
    "soft_argmax": "Other heads: heat maps",
    "per_query": "Other heads: a small network for each landmark's query",
}


def write_page(chain: Chain, path: Path) -> Path:
    """Write the page; returns its path."""
    plain, ours = (Results(chain.steps, chain.entries, form) for form in ("plain", "ours"))
    trainings = [chain.entries.get(step.name) for step in chain.steps if step.kind != "search"]
    named = {step.name: chain.entries[step.name] for step in chain.steps if step.name in chain.entries}
    facts: dict[str, Any] = {
        "cfg": chain.cfg,
        "size": [round(side * chain.cfg.scale) for side in (480, 640)],
        "ended": sum(trials.ended for trials in chain.searched.values()),
        "wanted": chain.cfg.trials * len(chain.searched),
        "done": sum(entry is not None and entry.state == "done" for entry in trainings),
        "trainings": len(trainings),
        "failed": [(name, e.reason.splitlines()[0]) for name, e in named.items() if e.state == "failed"],
        "left": duration(total(chain.seconds_left("processor_seconds").values())),
        "command": _command(chain.cfg),
        "claims": {"The paper's claims": verdicts(plain), "Beyond the paper": beyond(plain)},
        "searches_done": len(finished(chain)),
        "saved": f"{epochs_saved(chain, finished(chain)):.0%}" if finished(chain) else "",
        "tables": {
            "Table 1: searches": searches(chain, "plain"),
            **{title: tested(plain, kind) for kind, title in _TITLES.items()},
            "The front of error and size": front(plain),
            "What mattered in the searches": settings(chain),
            "Our form of the network: searches": searches(chain, "ours"),
            "Our form of the network: single models": tested(ours, "singular"),
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
