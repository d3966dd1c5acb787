"""Tracking, training and search killed again and again: `python docs/studies/kill.py minutes=120 folder=outputs/kill`.

Each job is run once undisturbed. Then it is run in a folder of its own, gets SIGKILL after a random 20 to 60 seconds,
and is resumed as a person would, until it ends; the three take turns until the time is over. At each kill every file
that the job has written is read; at each end all totals are compared with the undisturbed run. What differs is a
finding, printed and kept in `kills.json`, and the exit code is 1.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from kill_checks import LostError, searched, tracked, trained
from omegaconf import OmegaConf

from thermal_landmarks.runs import PROGRESS, RunFolder, git_commit, write_json

_ROOT = Path(__file__).parents[2]
_DEFAULTS = {
    "minutes": 120.0,
    "folder": "outputs/kill",
    "seed": 0,
    "jobs": "track,train,search",
    "shortest_s": 20.0,
    "longest_s": 60.0,
}
_COMPUTED_S = 20.0
_ORPHANS_END_WITHIN_S = 30.0
_PEOPLE = ["data=synthetic", "data.source.subjects=12", "data.source.images_per_subject=4", "data.source.size=[96,128]"]
_SMALL = [*_PEOPLE, "data.image_size=[48,64]", "data.batch_size=8", "data.workers=1", "logger=csv"]
_NETWORK = ["stem=conv", "branch=none", "head.dropout=0.3", "data.augmentation.rotation=random", "callbacks=ema"]


class Job(NamedTuple):
    """One kind of work.

    Attributes:
        begin: Its command line.
        resume: The command line that goes on.
        begun: Whether there is something to go on from, in the folder it runs in.
        check: Reads all that it has written, and raises `LostError`; gets its folder, the undisturbed one, whether it
            has ended, and what the check before has returned.
    """

    begin: list[str]
    resume: list[str]
    begun: Callable[[Path], bool]
    check: Callable[[Path, Path, bool, Any], Any]


def jobs(video: Path) -> dict[str, Job]:
    """The three jobs, each of one to two minutes on an idle machine, so that most runs are killed before they end."""
    track = ["track", f"source={video}"]
    train = ["train", *_SMALL, *_NETWORK, "trainer.max_epochs=200"]
    search = ["train", "--multirun", "search=quick", *_SMALL, "stem=conv", "branch=none", "search.trials=20"]
    search += ["search.epochs=4", "search.heartbeat_seconds=3", "search.dead_after_seconds=12", "search.retries=20"]
    return {
        "track": Job(
            [*track, "output=run"], [*track, "resume=run"], lambda cwd: (cwd / "run" / PROGRESS).exists(), tracked
        ),
        "train": Job(
            [*train, "output=run"],
            ["train", "resume=run"],
            lambda cwd: RunFolder(cwd / "run").last_checkpoint.exists(),
            trained,
        ),
        "search": Job(search, search, lambda _: False, searched),
    }


class Record:
    """What happened, on the disk after each event.

    Args:
        folder: Gets `kills.json`.
        settings: Of the command.
    """

    def __init__(self, folder: Path, settings: dict[str, Any]) -> None:
        self.path = folder / "kills.json"
        self.began = time.monotonic()
        self.counts: dict[str, Counter[str]] = {}
        self.findings: list[str] = []
        self.settings = settings

    def count(self, job: str, what: str, number: int = 1) -> None:
        """Add to a total."""
        self.counts.setdefault(job, Counter())[what] += number
        self.write()

    def find(self, where: str, what: str) -> None:
        """Keep a finding."""
        self.findings.append(f"{where}: {what}")
        print(f"FOUND {where}: {what}", flush=True)
        self.write()

    def write(self) -> None:
        """Replace the file."""
        content = {
            "settings": self.settings,
            "commit": git_commit(),
            "minutes": round((time.monotonic() - self.began) / 60, 1),
            "totals": self.counts,
            "findings": self.findings,
        }
        write_json(self.path, content)


class Wait(NamedTuple):
    """When a job is killed.

    Attributes:
        seconds: After its start.
        computed_s: That a processor has worked for it, at least: a machine that is busy with other work takes long to
            start it, and it would never come to the places where a kill could harm.
    """

    seconds: float
    computed_s: float


def _computed_s(process: int) -> float:
    """Processor time of a process in seconds, where the system tells it (Linux)."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except OSError:
        return float("inf")
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def run(arguments: list[str], cwd: Path, wait: Wait | None = None) -> int | None:
    """The exit code of a command; None if it was killed when `wait` says. What it prints goes to `log.txt`."""
    command, *settings = arguments
    with (cwd / "log.txt").open("a", encoding="utf-8") as log:
        process = subprocess.Popen(
            [sys.executable, str(_ROOT / "src" / f"{command}.py"), *settings],
            cwd=cwd,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
        )
        began = time.monotonic()
        while (code := process.poll()) is None:
            time.sleep(0.2)
            over = wait is not None and time.monotonic() - began >= wait.seconds
            if over and wait is not None and _computed_s(process.pid) >= wait.computed_s:
                process.kill()
                process.wait()
                _wait_for_orphans(process.pid)
                return None
        return code


def _wait_for_orphans(group: int) -> None:
    """Until no process that the killed one had started is alive."""
    end = time.monotonic() + _ORPHANS_END_WITHIN_S
    while time.monotonic() < end:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        time.sleep(0.5)
    os.killpg(group, signal.SIGKILL)
    raise LostError(f"processes of the killed one are alive {_ORPHANS_END_WITHIN_S:.0f} s later")


def disturbed(name: str, job: Job, cwd: Path, whole: Path, record: Record, wait: Callable[[], Wait | None]) -> None:
    """Run a job to its end, however often it is killed.

    Raises:
        LostError: If something is.
    """
    seen = None
    while True:
        again = job.begun(cwd)
        record.count(name, "resumed" if again else "begun")
        code = run(job.resume if again else job.begin, cwd, wait())
        if code is not None:
            break
        record.count(name, "kills")
        seen = job.check(cwd, whole, False, seen)
    if code:
        last = (cwd / "log.txt").read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
        raise LostError(f"ended with exit code {code}: {last}")
    seen = job.check(cwd, whole, True, seen)
    record.count(name, "ends")
    record.count(name, f"{seen.what} compared", seen.number)


def run_undisturbed(name: str, job: Job, folder: Path) -> None:
    """What a job should give, in `NAME_whole`; kept for the next time."""
    whole, unfinished = folder / f"{name}_whole", folder / f"{name}_unfinished"
    if whole.exists():
        return
    unfinished.mkdir()
    began = time.monotonic()
    if run(job.begin, unfinished):
        raise SystemExit(f"{name} doesn't run at all: {unfinished / 'log.txt'}")
    job.check(unfinished, unfinished, True, None)
    unfinished.rename(whole)
    print(f"{name}: {time.monotonic() - began:.0f} s undisturbed", flush=True)


def main() -> int:
    """Number of findings."""
    settings: Any = OmegaConf.to_container(OmegaConf.merge(_DEFAULTS, OmegaConf.from_cli()))
    folder = Path(settings["folder"]).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    clip = ["render_sequence", "seconds=90", "rate_hz=15", "size=[120,160]", "preview_s=0", "workers=1"]
    if run([*clip, "output=video"], folder):
        raise SystemExit(f"The video could not be rendered: {folder / 'log.txt'}")
    listed = jobs(folder / "video" / "subject_00000" / "frames.tif")
    listed = {name: listed[name] for name in str(settings["jobs"]).split(",")}
    for name, job in listed.items():
        run_undisturbed(name, job, folder)
    record = Record(folder, settings)
    chance = random.Random(settings["seed"])
    end = time.monotonic() + 60 * settings["minutes"]

    def wait() -> Wait | None:
        if time.monotonic() >= end:
            return None
        return Wait(chance.uniform(settings["shortest_s"], settings["longest_s"]), chance.uniform(0, _COMPUTED_S))

    turn = 0
    while time.monotonic() < end:
        name = list(listed)[turn % len(listed)]
        cwd = folder / f"{name}_{turn // len(listed)}"
        cwd.mkdir()
        turn += 1
        try:
            disturbed(name, listed[name], cwd, folder / f"{name}_whole", record, wait)
        except LostError as lost:
            record.find(cwd.name, str(lost))
        print(f"{cwd.name}: {dict(record.counts[name])}", flush=True)
    record.write()
    return len(record.findings)


if __name__ == "__main__":
    sys.exit(main() > 0)
