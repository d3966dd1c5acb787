"""One trial's job: train, report each epoch to the study, and tell how it ended.

The job tells the study itself, so a trial that ends after its sweeper has died still counts.
"""

import gc
import math
import time
from collections.abc import Container, Mapping
from contextlib import suppress
from pathlib import Path

import optuna
import torch
from omegaconf import DictConfig
from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import TrialState

from thermal_landmarks.building import build
from thermal_landmarks.errors import ConfigError
from thermal_landmarks.search.plan import epochs_of
from thermal_landmarks.search.storage import Heartbeat, give_back, open_storage, trial_id
from thermal_landmarks.search.study import without_lost
from thermal_landmarks.training.loggers import finish_run, log_outcome
from thermal_landmarks.training.run import train

_KEPT = ("model_id", "parameters", "gflops", "epochs", "seconds", "processor_seconds")


def run_trial(cfg: DictConfig, folder: Path, names: Mapping[str, str | None] | None = None) -> float:
    """Train the model of one trial; the config has `search`, `study` and `trial`.

    Returns:
        The objective at the best epoch.

    Raises:
        optuna.TrialPruned: If the pruner has stopped it; the trial is told PRUNED.
        Exception: Whatever ended the training; the trial is told FAIL, with the reason as user attribute.
    """
    storage = open_storage(cfg.search, made=True)
    try:
        study = _StudyWithoutLostTrials(
            study_name=cfg.study,
            storage=storage,
            sampler=optuna.samplers.RandomSampler(),  # the parameters are drawn already
            pruner=build("pruner", cfg.search.pruner),
        )
        own_id = trial_id(storage, cfg.study, cfg.trial)
        if storage.get_trial(own_id).state != TrialState.RUNNING:
            raise _taken_over(cfg)
        with Heartbeat(storage, own_id):
            try:
                return _train_and_tell(cfg, folder, names, study, optuna.Trial(study, own_id))
            finally:  # Ctrl-C, or a cluster that takes the machine away; whatever else ends a trial is told
                give_back(study, storage, own_id, "interrupted")
    finally:
        storage.engine.dispose()
        gc.collect()  # the next trial of this process starts with the same memory
        if torch.cuda.is_available():
            torch.cuda.empty_cache()


class _StudyWithoutLostTrials(optuna.Study):
    """A study as a pruner may see it: a lost trial that is tried again would compete with its own repetition."""

    def get_trials(
        self, deepcopy: bool = True, states: Container[TrialState] | None = None
    ) -> list[optuna.trial.FrozenTrial]:
        return [t for t in without_lost(super().get_trials(deepcopy)) if states is None or t.state in states]


def _train_and_tell(
    cfg: DictConfig, folder: Path, names: Mapping[str, str | None] | None, study: optuna.Study, trial: optuna.Trial
) -> float:
    def report(value: float, epoch: int) -> bool:
        try:
            trial.report(value, epoch)
        except UpdateFinishedTrialError:
            raise _taken_over(cfg) from None
        return epoch < epochs_of(cfg) and trial.should_prune()

    failed = True
    try:
        processor = time.process_time()
        metrics = train(cfg, folder, names=names, report=report)
        metrics["processor_seconds"] = round(time.process_time() - processor, 2)
        for name in _KEPT:
            trial.set_user_attr(name, metrics[name])
        value = metrics.get(cfg.objective)
        if not metrics["pruned"] and (value is None or not math.isfinite(value)):
            raise ConfigError(f"objective={cfg.objective} is {value} after training. Measured: {', '.join(metrics)}.")
        failed = False
        if metrics["pruned"]:
            study.tell(trial, state=TrialState.PRUNED)
            raise optuna.TrialPruned(f"{cfg.study} trial {cfg.trial} stopped after {metrics['epochs']} epochs")
        study.tell(trial, value)
        return float(metrics[cfg.objective])
    except optuna.TrialPruned:
        raise
    except Exception as error:
        with suppress(UpdateFinishedTrialError):
            trial.set_user_attr("reason", f"{type(error).__name__}: {error}"[:500])
            study.tell(trial, state=TrialState.FAIL)
        log_outcome("failed", cfg.objective, {})
        raise
    finally:
        finish_run(failed=failed)


def _taken_over(cfg: DictConfig) -> ConfigError:
    return ConfigError(
        f"{cfg.study} trial {cfg.trial} is no longer this process's: it gave no heartbeat for "
        f"{cfg.search.dead_after_seconds} s and is being tried again. If the machine was merely slow, set a larger "
        "search.dead_after_seconds."
    )
