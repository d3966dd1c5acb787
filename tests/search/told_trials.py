"""Jobs that tell their trial without training it, for processes of launchers: they import Optuna and nothing heavy."""

import os
import signal
import time
from collections.abc import Callable

import optuna
from omegaconf import DictConfig
from optuna.trial import TrialState


def tell_when_both_run(cfg: DictConfig) -> float:
    """Tells how many trials have started, once there are two."""
    study = _study(cfg)
    _wait_while(lambda: len(study.trials) < 2)
    study.tell(cfg.trial, len(study.trials))
    return 1.0


def slow_first(cfg: DictConfig) -> float:
    """The first trial waits for the others."""
    study = _study(cfg)
    _wait_while(lambda: cfg.trial == 0 and len(study.trials) < 4)
    study.tell(cfg.trial, 1.0)
    return 1.0


def first_is_killed(cfg: DictConfig) -> float:
    """The process of the first trial is killed while the second one runs."""
    study = _study(cfg)
    if cfg.trial == 0:
        _wait_while(lambda: len(study.trials) < 2 or "began" not in study.trials[1].user_attrs)
        os.kill(os.getpid(), signal.SIGKILL)
    if cfg.trial == 1:
        optuna.Trial(study, study.trials[1]._trial_id).set_user_attr("began", True)
        _wait_while(lambda: study.trials[0].state == TrialState.RUNNING)
    study.tell(cfg.trial, 1.0)
    return 1.0


def _study(cfg: DictConfig) -> optuna.Study:
    return optuna.load_study(study_name=cfg.study, storage=cfg.search.storage)


def _wait_while(condition: Callable[[], bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while condition() and time.monotonic() < deadline:
        time.sleep(0.1)
