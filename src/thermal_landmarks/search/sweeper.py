"""Hydra's way into a search: `python src/train.py --multirun search=paper`.

The stock Optuna sweeper hands a job neither its trial nor a pruner, and keeps a pruned job as failed. This one asks the
study for a trial, launches it with Hydra's launcher, and leaves the telling to the job (`search/trial.py`).
Hydra imports this module at every command, so whatever is slow to import comes later.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.core.hydra_config import HydraConfig
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, open_dict, read_write

from thermal_landmarks.errors import ConfigError


@dataclass
class AshaConf:
    """`hydra/sweeper=asha`; its settings are `conf/search`."""

    _target_: str = "thermal_landmarks.search.sweeper.AshaSweeper"


ConfigStore.instance().store(group="hydra/sweeper", name="asha", node=AshaConf, provider="thermal_landmarks")


class AshaSweeper(Sweeper):
    """Runs studies until each has its trials, together with all other processes that do."""

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        from thermal_landmarks.search.launching import build_launcher
        from thermal_landmarks.search.password import hide_password
        from thermal_landmarks.search.storage import open_storage

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
