"""One sweeper process: works on all studies of a command until none has a trial left to ask for."""

import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import optuna
from hydra.core.config_loader import ConfigLoader
from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from omegaconf import DictConfig
from optuna.trial import FrozenTrial, TrialState
from rich.console import Console

from thermal_landmarks.building import build
from thermal_landmarks.data.task import settings_of_task
from thermal_landmarks.errors import ConfigError
from thermal_landmarks.search.patience import PatientStorage
from thermal_landmarks.search.plan import StudyPlan, plan_studies
from thermal_landmarks.search.progress import progress_line, study_table
from thermal_landmarks.search.storage import Heartbeat
from thermal_landmarks.search.study import SharedStudy
from thermal_landmarks.training.stopping import stop_requests

console = Console(soft_wrap=True, highlight=False)


@dataclass(eq=False)
class Worker:
    """Asks for trials, launches them and says how it goes."""

    config: DictConfig  # the composed config of the command
    loader: ConfigLoader  # Hydra's, for the configs of studies
    launcher: Launcher  # of the jobs
    storage: PatientStorage  # of the studies

    def __post_init__(self) -> None:
        self.studies: list[SharedStudy] = []
        self._stop: BaseException | None = None
        self._failures: Counter[str] = Counter()
        self._reporting = threading.Lock()
        self._started = 0.0
        self._ended = 0
        self._waiting = False

    def run(self, arguments: Sequence[str]) -> None:
        """Search what the command asks for.

        Raises:
            Interrupted: On Ctrl-C or SIGTERM, after the running trials were handed back.
            ConfigError: If a study can't be searched so, or too many of its trials fail.
        """
        going_on = (
            "The trials that were running are handed back, to be tried again; give the same command again to go on."
        )
        with stop_requests(lambda: going_on):
            self._run_studies(arguments)

    def _run_studies(self, arguments: Sequence[str]) -> None:
        plans = plan_studies(self.config, self.loader, arguments)
        self.studies = [SharedStudy(plan, self.storage) for plan in plans]
        _prepare_data(plans)
        self._started = time.perf_counter()
        try:
            self._search()
        finally:
            for study in self.studies:
                study.write_results()
            console.print(study_table(self.studies))
            folder = Path(self.config.hydra.sweep.dir)
            console.print(f"Results: {folder}/*/results.json")
            if list(folder.glob("*/*/wandb/offline-run-*")):
                console.print(f"W&B was offline; to upload the trials: wandb sync {folder}/*/*/wandb/offline-run-*")

    def _search(self) -> None:
        threads = [
            threading.Thread(target=self._work_or_stop, daemon=True) for _ in range(self.config.search.n_jobs - 1)
        ]
        for thread in threads:
            thread.start()
        try:
            self._work_or_stop()
            for thread in threads:
                thread.join()
        except BaseException as error:
            self._stop = error
            for study in self.studies:
                study.hand_back()
            raise
        if self._stop is not None:
            raise self._stop

    def _work_or_stop(self) -> None:
        try:
            while any(self._work_on(study) for study in self.studies) or self._wait_for_others():
                pass
        except Exception as error:
            self._stop = error

    def _work_on(self, study: SharedStudy) -> bool:
        worked = False
        while self._stop is None and (trial := study.ask()) is not None:
            worked = True
            self._run(study, trial)
        return worked

    def _wait_for_others(self) -> bool:
        """A while, if other processes still run trials that would be this one's if they died."""
        if self._stop is not None or not self.config.search.wait:
            return False
        running = sum(study.results()["unfinished"] for study in self.studies)
        if running and not self._waiting:
            self._waiting = True
            console.print(f"Waiting for {running} running trial(s), should their process die. Ctrl-C harms nothing.")
        if running:
            time.sleep(1)
        return running > 0

    def _run(self, study: SharedStudy, trial: optuna.Trial) -> None:
        lost, own_id = "interrupted", study.trial_id(trial.number)
        try:
            with Heartbeat(study.storage, own_id):
                (job,) = self.launcher.launch([self._overrides(study, trial)], initial_job_idx=trial.number)
            if study.storage.get_trial(own_id).state == TrialState.RUNNING:
                lost = f"the job ended without telling: {_error_of(job)!r}"[:500]
        except Exception as error:  # its process died: a launcher's own error
            lost = f"the job's process died: {type(error).__name__}"
        finally:
            study.give_back(trial.number, lost)
        self._report(study, study.storage.get_trial(own_id))

    def _overrides(self, study: SharedStudy, trial: optuna.Trial) -> list[str]:
        folder = Path(trial.user_attrs["folder"]).name
        return [
            *study.plan.overrides,
            *(f"{name}={value}" for name, value in trial.params.items()),
            f"study={study.plan.name}",
            f"trial={trial.number}",
            f"hydra.sweep.subdir={study.plan.folder_name}/{folder}",
        ]

    def _report(self, study: SharedStudy, trial: FrozenTrial) -> None:
        with self._reporting:
            self._ended += 1
            seconds = (time.perf_counter() - self._started) / self._ended
            study.write_results()
            console.print(progress_line(self.studies, study, trial, seconds))
            name = study.plan.name
            self._failures[name] = self._failures[name] + 1 if trial.state == TrialState.FAIL else 0
            if self._failures[name] >= study.settings.max_consecutive_failures:
                raise ConfigError(
                    f"{self._failures[name]} trials of {name} in a row have failed, the last with "
                    f"{trial.user_attrs.get('reason', 'an unknown error')}\nFix this or search a smaller space; "
                    "search.max_consecutive_failures sets the limit."
                )


def _error_of(job: JobReturn) -> Exception | None:
    """What ended a job: Hydra raises it when the job's value is asked for."""
    try:
        _ = job.return_value
    except Exception as error:
        return error
    return None


def _prepare_data(plans: Sequence[StudyPlan]) -> None:
    """Read or render each data set once, before several trials do so at the same time."""
    prepared: list[DictConfig] = []
    for plan in plans:
        data = plan.config.data
        if data not in prepared:
            prepared.append(data)
            build("data", settings_of_task(data)).setup()
