"""Hydra's way into a search: `python src/train.py --multirun search=paper`.

The stock Optuna sweeper hands a job neither its trial nor a pruner, and keeps a pruned job as failed. This one asks the
study for a trial, launches it with Hydra's launcher, and leaves the telling to the job (`search/trial.py`).
Hydra imports this module at every command, so whatever is slow to import comes later.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.core.hydra_config import HydraConfig
from hydra.core.plugins import Plugins
from hydra.plugins.launcher import Launcher
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf, open_dict, read_write

from thermal_landmarks.errors import ConfigError


@dataclass
class AshaConf:
    """`hydra/sweeper=asha`; its settings are `conf/search`."""

    _target_: str = "thermal_landmarks.search.sweeper.AshaSweeper"


ConfigStore.instance().store(group="hydra/sweeper", name="asha", node=AshaConf, provider="thermal_landmarks")


class AshaSweeper(Sweeper):
    """Runs studies until each has its trials, together with all other processes that do."""

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        from thermal_landmarks.search.storage import hide_password, open_storage

        if "search" not in config:
            raise ConfigError("hydra/sweeper=asha needs a search: --multirun search=paper or search=quick.")
        config.search.storage = hide_password(str(config.search.storage))
        shown: Any
        for shown in (config.hydra, HydraConfig.get()):
            with read_write(shown), open_dict(shown):
                shown.overrides.task = _without_password(shown.overrides.task, config)
        storage = open_storage(config.search)  # before all that takes long: torch, planning, data
        from thermal_landmarks.search.worker import Worker

        launcher = build_launcher(hydra_context, task_function, config)
        self.worker = Worker(config, hydra_context.config_loader, launcher, storage)

    def sweep(self, arguments: Sequence[str]) -> None:
        self.worker.run(_without_password(arguments, self.worker.config))


def _without_password(overrides: Sequence[str], config: DictConfig) -> list[str]:
    kept = [override for override in overrides if override.partition("=")[0].lstrip("+") != "search.storage"]
    return [*kept, f"search.storage='{config.search.storage}'"]


def build_launcher(context: HydraContext, task_function: TaskFunction, config: DictConfig) -> Launcher:
    """The chosen launcher, ready for `search.n_jobs` threads, each of which launches one trial at a time.

    A launcher returns when all of its jobs have ended, so that a batch would wait for its slowest trial. `basic` runs
    trials in this process, so one at a time; `joblib` gives each a process of this machine; `ray` queues them where the
    cluster has no place yet; `submitit_local` and `submitit_slurm` submit each as a job of its own.

    Raises:
        ConfigError: If it can't run that many trials at a time.
    """
    launcher: Any = Plugins.instance().instantiate_launcher(context, task_function, config)
    jobs = config.search.n_jobs
    name = config.hydra.runtime.choices["hydra/launcher"]
    if jobs < 1 or (jobs > 1 and name == "basic"):
        raise ConfigError(
            f"search.n_jobs={jobs}: expected 1, or more with hydra/launcher=joblib, ray, submitit_local or "
            f"submitit_slurm; hydra/launcher={name} runs one trial at a time."
        )
    if name == "joblib":
        launcher.joblib["n_jobs"] = max(2, jobs)  # with 1, joblib runs the job in this process
    elif name == "ray":
        # Under `uv run` Ray would copy this folder for its workers, and they would write into the copy.
        os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
        import ray

        if not ray.is_initialized():  # once: the launcher would start one cluster a thread
            started_by: Any = OmegaConf.to_container(launcher.ray_cfg.init, resolve=True)
            ray.init(**started_by)
    assert isinstance(launcher, Launcher)
    return launcher
