"""One sweeper process: works on all studies of a command until none has a trial left, and says how it goes."""

import math
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
from rich import box
from rich.console import Console
from rich.table import Table

from thermal_landmarks.building import build
from thermal_landmarks.data.task import settings_of_task
from thermal_landmarks.errors import ConfigError
from thermal_landmarks.search.plan import StudyPlan, plan_studies
from thermal_landmarks.search.storage import Heartbeat, PatientStorage
from thermal_landmarks.search.study import SharedStudy
from thermal_landmarks.training.stopping import stop_requests

_GOING_ON = "The trials that were running are handed back, to be tried again; give the same command again to go on."

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
        with stop_requests(lambda: _GOING_ON):
            plans = plan_studies(self.config, self.loader, arguments)
            self.studies = [SharedStudy(plan, self.storage) for plan in plans]
            _prepare_data(plans)
            self._started = time.perf_counter()
            try:
                self._search()
            finally:
                self._say_results()

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
                (job,) = self.launcher.launch([_overrides(study.plan, trial)], initial_job_idx=trial.number)
            if study.storage.get_trial(own_id).state == TrialState.RUNNING:
                lost = f"the job ended without telling: {_error_of(job)!r}"[:500]
        except Exception as error:  # its process died: a launcher's own error
            lost = f"the job's process died: {type(error).__name__}"
        finally:
            study.give_back(trial.number, lost)
        self._report(study, study.storage.get_trial(own_id))

    def _report(self, study: SharedStudy, trial: FrozenTrial) -> None:
        with self._reporting:
            self._ended += 1
            study.write_results()
            seconds = (time.perf_counter() - self._started) / self._ended
            console.print(progress_line(self.studies, study, trial, seconds))
            name = study.plan.name
            self._failures[name] = self._failures[name] + 1 if trial.state == TrialState.FAIL else 0
            if self._failures[name] >= study.settings.max_consecutive_failures:
                raise ConfigError(
                    f"{self._failures[name]} trials of {name} in a row have failed, the last with "
                    f"{trial.user_attrs.get('reason', 'an unknown error')}\nFix this or search a smaller space; "
                    "search.max_consecutive_failures sets the limit."
                )

    def _say_results(self) -> None:
        for study in self.studies:
            study.write_results()
        console.print(study_table(self.studies))
        folder = Path(self.config.hydra.sweep.dir)
        console.print(f"Results: {folder}/*/results.json")
        if list(folder.glob("*/*/wandb/offline-run-*")):
            console.print(f"W&B was offline; to upload the trials: wandb sync {folder}/*/*/wandb/offline-run-*")


def _overrides(plan: StudyPlan, trial: optuna.Trial) -> list[str]:
    """What Hydra's launcher gets for a trial."""
    sampled = [f"{name}={value}" for name, value in trial.params.items()]
    folder = f"{plan.folder_name}/{Path(trial.user_attrs['folder']).name}"
    return [*plan.overrides, *sampled, f"study={plan.name}", f"trial={trial.number}", f"hydra.sweep.subdir={folder}"]


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


def progress_line(
    studies: Sequence[SharedStudy], study: SharedStudy, trial: FrozenTrial, seconds_per_trial: float
) -> str:
    """`paper/conv-vit (4 of 20)  trial 27 (28 of 40): 0.41  best 0.32 (trial 3)  12 pruned  ETA 1 h 05 min`."""
    trials = study.trials()
    parts = [f"[bold]{study.plan.name}[/bold]"]
    if len(studies) > 1:
        parts[0] += f" ({studies.index(study) + 1} of {len(studies)})"
    parts.append(f"trial {trial.number} ({trials.ended} of {study.settings.trials}): {_outcome(trial)}")
    best = trials.best
    parts.append("no best yet" if best is None else f"best [green]{best.value:.4g}[/green] (trial {best.number})")
    parts += [
        f"{count} {word}"
        for state, word in ((TrialState.PRUNED, "pruned"), (TrialState.FAIL, "failed"))
        if (count := trials.count(state))
    ]
    left = sum(max(0, s.settings.trials - s.trials().ended) for s in studies)
    parts.append(f"ETA {duration(left * seconds_per_trial)}" if left else "done")
    return "  ".join(parts)


def _outcome(trial: FrozenTrial) -> str:
    if trial.state == TrialState.COMPLETE:
        return f"{trial.value:.4g}"
    if trial.state == TrialState.PRUNED:
        return f"{trial.value:.4g} pruned after epoch {trial.last_step}"
    return f"[yellow]{str(trial.user_attrs.get('reason', trial.state.name)).splitlines()[0]}[/yellow]"


def study_table(studies: Sequence[SharedStudy]) -> Table:
    """Best trial and counts of each study, and the share of its epochs that pruning has saved; 80 columns wide."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for name in ("study", "best (trial)", "done", "pruned", "failed", "saved"):
        table.add_column(name, justify="left" if name == "study" else "right", no_wrap=True)
    for study in studies:
        found = study.results()
        whole = found["epochs_without_pruning"]
        table.add_row(
            study.plan.name,
            "none" if found["best_trial"] is None else f"{found['best_value']:.4g} ({found['best_trial']})",
            *(str(found[name]) for name in ("complete", "pruned", "failed")),
            f"{1 - found['epochs_trained'] / whole:.0%}" if whole else "",
        )
    return table


def duration(seconds: float | None) -> str:
    """`1 h 05 min`, `12 min`, `done`; a question mark if nobody knows."""
    if seconds is None:
        return "?"
    hours, minutes = divmod(math.ceil(seconds / 60), 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min" if minutes else "done"
