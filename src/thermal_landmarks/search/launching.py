"""Hydra's launchers, one trial at a time for each worker thread.

A launcher returns when all of its jobs have ended, so that a batch would wait for its slowest trial. Each of the
`search.n_jobs` threads therefore launches single trials:

* `basic` runs trials in this process, so one at a time; start the command several times for more.
* `joblib` gives every trial a process of this machine.
* `ray` queues trials where the cluster has no place yet; its cluster is started or joined once.
* `submitit_local` and `submitit_slurm` submit each trial as a job of its own.
"""

import os
from typing import Any

from hydra.core.plugins import Plugins
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from thermal_landmarks.errors import ConfigError


def build_launcher(context: HydraContext, task_function: TaskFunction, config: DictConfig) -> Launcher:
    """The chosen launcher, ready for `search.n_jobs` threads.

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
        from hydra_plugins.hydra_ray_launcher._launcher_util import start_ray

        start_ray(launcher.ray_cfg.init)  # the launcher would start one cluster a thread
    assert isinstance(launcher, Launcher)
    return launcher
