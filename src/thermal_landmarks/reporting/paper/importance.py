"""Which hyperparameters a pruned search tells to matter."""

import warnings
from collections import defaultdict
from collections.abc import Iterable, Sequence

import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.trial import FrozenTrial, TrialState

_FEWEST_TRIALS = 20
"""Of a search whose importances are told."""


def shares_of_searches(searches: Iterable[Sequence[FrozenTrial]]) -> dict[str, list[float]]:
    """The importances of each hyperparameter in the searches that vary it."""
    shares: dict[str, list[float]] = defaultdict(list)
    for trials in searches:
        for name, share in importances(trials).items():
            shares[name].append(share)
    return shares


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
