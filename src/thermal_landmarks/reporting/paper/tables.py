"""Rows of the paper page's tables: searches, tested models, the front of error and size, settings that mattered."""

import warnings
from collections import defaultdict
from collections.abc import Mapping, Sequence

import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.trial import FrozenTrial, TrialState

from thermal_landmarks.reporting.paper.results import Results, collapsed
from thermal_landmarks.reporting.published import TABLES, order
from thermal_landmarks.reporting.report.charts import pareto_front
from thermal_landmarks.search.chain.steps import Kind
from thermal_landmarks.search.chain.work import Chain
from thermal_landmarks.search.study import Trials

_MEASURED = (TrialState.COMPLETE, TrialState.PRUNED)
_FEWEST_TRIALS = 20
"""Of a search whose importances are told."""

Row = Mapping[str, str]
"""Cells by heading."""


def searches(chain: Chain, form: str) -> Sequence[Row]:
    """A row a search that has begun: its best trial beside the paper's, and how its trials ended."""
    rows = []
    for model_id, trials in _begun(chain, form).items():
        best, paper = trials.best, TABLES["search"][model_id]
        rows.append(
            {
                "model": model_id + " (unfinished)" * (trials.ended < chain.cfg.trials),
                "parameters": f"{best.user_attrs['parameters']:,}" if best else "",
                "wing (validation)": f"{best.value:.3f}" if best else "none",
                "complete": str(trials.count(TrialState.COMPLETE)),
                "pruned": str(trials.count(TrialState.PRUNED)),
                "failed": str(trials.count(TrialState.FAIL)),
                "epochs saved": f"{epochs_saved(chain, [trials]):.0%}" if trials.count(*_MEASURED) else "",
                "paper: parameters": f"{paper.parameters:,}",
                "paper: wing": f"{paper.wing:g}",
            }
        )
    return rows


def settings(chain: Chain) -> Sequence[Row]:
    """A row a hyperparameter of the finished searches: how much it has to do with a trial's error."""
    shares: dict[str, list[float]] = defaultdict(list)
    for trials in finished(chain):
        for name, share in importances(trials.each).items():
            shares[name].append(share)
    mean = {name: sum(found) / len(found) for name, found in shares.items()}
    return [
        {
            "setting": f"`{name}`",
            "mean share": f"{mean[name]:.0%}",
            "range": f"{min(shares[name]):.0%} to {max(shares[name]):.0%}",
            "searches": str(len(shares[name])),
        }
        for name in sorted(shares, key=lambda name: -mean[name])
    ]


def importances(trials: Sequence[FrozenTrial]) -> dict[str, float]:
    """Share of each hyperparameter in whether a trial is of the better quarter after the first rung (PED-ANOVA).

    Only there can the trials that went on be compared with those that were pruned. Empty of fewer than 20 such trials.
    """
    pruned_after = [
        len(t.intermediate_values) for t in trials if t.state == TrialState.PRUNED and t.intermediate_values
    ]
    if not pruned_after:
        return {}
    rung = min(pruned_after)
    study = optuna.create_study()
    for trial in trials:
        if len(trial.intermediate_values) >= rung:
            value = trial.intermediate_values[sorted(trial.intermediate_values)[rung - 1]]
            study.add_trial(optuna.create_trial(params=trial.params, distributions=trial.distributions, value=value))
    if len(study.trials) < _FEWEST_TRIALS:
        return {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        evaluator = PedAnovaImportanceEvaluator(target_quantile=0.25)
        return get_param_importances(study, evaluator=evaluator)


def finished(chain: Chain) -> Sequence[Trials]:
    """The searches of the paper's own form that are done."""
    return [trials for trials in _begun(chain, "plain").values() if trials.ended >= chain.cfg.trials]


def epochs_saved(chain: Chain, searches: Sequence[Trials]) -> float:
    """Share of the epochs that the trials which did not fail would have had without pruning."""
    trained = sum(trials.epochs(*_MEASURED) for trials in searches)
    return 1 - trained / (sum(trials.count(*_MEASURED) for trials in searches) * chain.cfg.search_epochs)


def front(results: Results) -> Sequence[Row]:
    """A row a model that no other beats in both error and a measure of size; a star at that measure."""
    models = results.models("singular")
    nme = {name: results.nme("singular", name).mean for name in models}
    size = {
        measure: {name: float(results.of("singular", name)[0][measure]) for name in models}
        for measure in ("parameters", "gflops")
    }
    fronts = {
        measure: {models[i] for i in pareto_front([(sizes[name], nme[name]) for name in models])}
        for measure, sizes in size.items()
    }
    return [
        {
            "model": name,
            "parameters": f"{size['parameters'][name]:,.0f}" + " \\*" * (name in fronts["parameters"]),
            "GFLOPs": f"{size['gflops'][name]:.4f}" + " \\*" * (name in fronts["gflops"]),
            "NME (%)": f"{nme[name]:.1f}",
        }
        for name in sorted(fronts["parameters"] | fronts["gflops"], key=lambda name: nme[name])
    ]


def tested(results: Results, kind: Kind) -> Sequence[Row]:
    """A row a model: the test of its trainings beside the paper's."""
    return [_row(results, kind, name) for name in sorted(results.models(kind), key=order)]


def _row(results: Results, kind: Kind, model_id: str) -> Row:
    published = TABLES.get(kind)  # None: beyond the paper
    paper = published.get(model_id) if published else None
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
            for heading in (("wing", "MAE", "MSE", "accuracy") if published else ())
        },
    }


def _begun(chain: Chain, form: str) -> dict[str, Trials]:
    """Searches by their models, in the paper's order."""
    steps = sorted(chain.steps, key=lambda step: order(step.model_id))
    found = {step.model_id: chain.searched[step.study] for step in steps if (step.kind, step.form) == ("search", form)}
    return {model_id: trials for model_id, trials in found.items() if trials.ended}
