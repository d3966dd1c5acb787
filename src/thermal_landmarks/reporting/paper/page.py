"""`docs/results/paper.md`: the paper's tables from the finished part of the chain, and what becomes of its claims."""

from collections.abc import Callable, Sequence
from pathlib import Path

from optuna.trial import TrialState

from thermal_landmarks.reporting.paper.claims import verdicts
from thermal_landmarks.reporting.paper.results import Record, Results, collapsed
from thermal_landmarks.reporting.report import published
from thermal_landmarks.runs import replacing
from thermal_landmarks.search.chain.progress import total
from thermal_landmarks.search.chain.steps import Kind
from thermal_landmarks.search.chain.work import Chain
from thermal_landmarks.search.progress import duration

_TABLES: tuple[tuple[Kind, str, dict[str, published.Tested]], ...] = (
    ("singular", "Table 2: single models", published.TABLE_2),
    ("ensemble", "Table 3: ensembles of three", published.TABLE_3),
    ("no_rotation", "Table 4: without rotated copies, three times the epochs", published.TABLE_4),
    ("layers_removed", "Table 5: last layers removed", published.TABLE_5),
)


def write_page(chain: Chain, path: Path) -> Path:
    """Write the page; returns its path."""
    plain, ours = (Results(chain.steps, chain.entries, form) for form in ("plain", "ours"))
    parts = [_opening(chain), _claims(plain), _searches(chain, "plain", "Table 1: searches")]
    parts += [_tested(plain, kind, title, paper) for kind, title, paper in _TABLES]
    parts += [
        _searches(chain, "ours", "Our form of the network: searches"),
        _tested(ours, "singular", "Our form of the network: single models", published.TABLE_2),
    ]
    with replacing(path) as file:
        file.write("\n".join(filter(None, parts)))
    return path


def _opening(chain: Chain) -> str:
    cfg = chain.cfg
    trainings = [step for step in chain.steps if step.kind != "search"]
    done = sum(step.name in chain.entries and chain.entries[step.name].state == "done" for step in trainings)
    ended = sum(state.ended for state in chain.states.values())
    wanted = sum(state.wanted for state in chain.states.values())
    failed = [
        (step.name, e.reason) for step in trainings if (e := chain.entries.get(step.name)) and e.state == "failed"
    ]
    failures = "".join(f"* Failed: {name}: {reason.splitlines()[0]}\n" for name, reason in failed)
    left = duration(total(chain.seconds_left("processor_seconds").values()))
    command = f"thermal-landmarks reproduce study={cfg.study} scale={cfg.scale}"
    if cfg.settings:
        further = ",".join(f"{name}:{str(value).replace(' ', '')}" for name, value in cfg.settings.items())
        command += f' "settings={{{further}}}"'
    return f"""# The paper, run on rendered faces

What `thermal-landmarks reproduce` has done so far of the chain of arXiv 2311.08308 ([how it works](../search.md)): the
paper's protocol and the plain form of its networks, on **different data**: rendered people at a desk, not the paper's
private pictures. The paper's columns show what was published; they don't tell which of two numbers is better.

* Done: **{ended} of {wanted} trials** of the searches, **{done} of {len(trainings)} trainings**. What is missing below
  has not been run.
* Left, by the processor time of the trials so far: {left} of one core.
* {round(480 * cfg.scale)} x {round(640 * cfg.scale)} pixels, {cfg.trials} trials of {cfg.search_epochs} epochs a
  search, {cfg.epochs} epochs a training.
* This page: `{command} action=page`; without `action=page` the command goes on.
{failures}"""


def _claims(results: Results) -> str:
    rows = [f"| {claim.claim} | **{claim.verdict}** | {claim.because} |" for claim in verdicts(results)]
    return "\n".join(
        [
            "## The paper's claims",
            "",
            "In brackets: 95 % of bootstrap draws of the test's people and of the seeds.",
            "A claim holds, or does not, where that interval leaves out zero. Ensembles and ablations have one",
            "seed, so their intervals don't know how much another seed would change.",
            "",
            "| claim | here | because |",
            "| --- | --- | --- |",
            *rows,
            "",
        ]
    )


def _searches(chain: Chain, form: str, title: str) -> str:
    rows = []
    for step in sorted(chain.steps, key=lambda step: published.order(step.model_id)):
        state = chain.states[step.study]
        if step.kind != "search" or step.form != form or not state.ended:
            continue
        best, paper = state.best, published.TABLE_1[step.model_id]
        counts = [
            sum(t.state == s for t in state.trials) for s in (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)
        ]
        spent = sum(t.user_attrs.get("epochs", 0) for t in state.trials)
        whole = chain.cfg.search_epochs * sum(counts[:2])
        cells = [
            step.model_id + " (unfinished)" * (not state.done),
            f"{best.user_attrs['parameters']:,}" if best else "",
            f"{best.value:.3f}" if best else "none",
            *map(str, counts),
            f"{1 - spent / whole:.0%}" if whole else "",
            f"{paper.parameters:,}",
            f"{paper.wing:g}",
        ]
        rows.append(f"| {' | '.join(cells)} |")
    if not rows:
        return ""
    head = ("model", "parameters", "wing (validation)", "complete", "pruned", "failed", "epochs saved")
    return _table(title, (*head, "paper: parameters", "paper: wing"), rows)


def _tested(results: Results, kind: Kind, title: str, paper: dict[str, published.Tested]) -> str:
    rows = [_row(results, kind, name, paper.get(name)) for name in sorted(results.models(kind), key=published.order)]
    if not rows:
        return ""
    head = ("model", "parameters", "seeds", "wing", "MAE", "MSE", "accuracy", "NME (%)", "collapsed")
    return _table(title, (*head, "paper: wing", "paper: MAE", "paper: MSE", "paper: accuracy"), rows)


def _row(results: Results, kind: Kind, model_id: str, paper: published.Tested | None) -> str:
    records, nme = results.of(kind, model_id), results.nme(kind, model_id)
    printed = (paper.wing, paper.mae, paper.mse, paper.accuracy) if paper else ("", "", "", "")
    cells = [
        model_id,
        f"{records[0]['parameters']:,}",
        str(len(records)),
        *(
            _mean(records, name, form)
            for name, form in (("wing", ".3f"), ("mae", ".4f"), ("mse", ".5f"), ("accuracy", ".3f"))
        ),
        f"{nme.mean:.1f} [{nme.low:.1f}, {nme.high:.1f}]",
        f"{sum(map(collapsed, records))} of {len(records)}",
        *(f"{value:g}" if value != "" else "" for value in printed),
    ]
    return f"| {' | '.join(cells)} |"


def _mean(records: Sequence[Record], metric: str, form: str) -> str:
    values = [float(record[f"test/{metric}"]) for record in records]
    return f"{sum(values) / len(values):{form}}"


def _table(title: str, head: Sequence[str], rows: Sequence[str]) -> str:
    rule: Callable[[str], str] = lambda name: "---" if name == "model" else "---:"  # noqa: E731
    return "\n".join([f"## {title}", "", f"| {' | '.join(head)} |", f"| {' | '.join(map(rule, head))} |", *rows, ""])
