"""The folders that commands leave: where they are, which one to resume, and files that are whole or absent."""

import json
import math
import os
import re
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from omegaconf import DictConfig, OmegaConf

from thermal_landmarks.errors import ConfigError, OutputError, said_by
from thermal_landmarks.old_names import todays_settings

PROGRESS = "progress.json"
"""In a folder of `track`: how far it has come, and what it goes on from."""

_DEEPEST = 1000  # lists in each other in a YAML file


class RunFolder:
    """Paths inside one run's folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.config = path / "config.yaml"
        self.checkpoints = path / "checkpoints"
        self.last_checkpoint = self.checkpoints / "last.ckpt"
        self.best_checkpoint = self.checkpoints / "best.ckpt"
        self.metrics = path / "metrics.json"
        self.per_image = path / "per_image.csv"
        self.split = path / "split.json"
        self.figures = path / "figures"

    @property
    def finished(self) -> bool:
        """Whether its metrics are those of a whole training, neither missing nor marked `incomplete`."""
        try:
            return "incomplete" not in json.loads(self.metrics.read_text(encoding="utf-8"))
        except (OSError, ValueError, TypeError, RecursionError):
            return False


def output_folder(output: str | None, dated: str) -> str:
    """Where a command's results go: where `output=` says, else into a new folder by date and time.

    Raises:
        ConfigError: If it is a file.
    """
    if output is None:
        return dated
    folder = Path(str(output)).expanduser()
    if folder.is_file():
        raise ConfigError(f"output={output} is a file. Give a folder; it is made where there is none.")
    return str(folder)


def run_folder(resume: str | None, output: str | None, dated: str) -> str:
    """The folder of a training: a new one, or that of the run that `resume=` means.

    Raises:
        ConfigError: If there is no such run, or `output=` names the folder of another.
    """
    new = output_folder(output, dated)
    if resume is None:
        if RunFolder(Path(new)).last_checkpoint.exists():
            raise ConfigError(f"output={output} holds a run. Continue it (resume={output}), or give another folder.")
        return new
    resumed = find_run_to_resume(resume, Path(dated).parent)
    if output is not None and resumed.resolve() != Path(new).resolve():
        raise ConfigError(f"output={output}: a resumed run stays in its folder, {resumed}. Leave output= out.")
    return str(resumed)


def tracking_folder(resume: str | None, output: str | None, dated: str) -> str:
    """The folder of `track` or `signals`: a new one, or that which `resume=` means.

    Raises:
        ConfigError: If there is nothing to go on from, or `output=` names a folder that holds tracks.
    """
    new = Path(output_folder(output, dated))
    if resume is None:
        if (new / PROGRESS).exists():
            raise ConfigError(
                f"output={output} holds tracks or unfinished work. Go on (resume={output}), or give another folder."
            )
        return str(new)
    if output is not None:
        raise ConfigError(f"output={output}: what is resumed stays in its folder. Leave output= out.")
    if resume != "last":
        if not (Path(resume) / PROGRESS).exists():
            raise ConfigError(f"resume={resume}: {Path(resume) / PROGRESS} doesn't exist. Give a folder that holds it.")
        return resume
    stopped = _newest(path for path in Path(dated).parent.glob(f"*/{PROGRESS}") if not tracked(path.parent))
    if stopped is None:
        raise ConfigError(f"resume=last: nothing unfinished in {Path(dated).parent}. Give the folder: resume=PATH.")
    return str(stopped.parent)


def find_run_to_resume(resume: str, runs: Path) -> Path:
    """The folder of the run that `resume=` means: `last`, the newest unfinished one, a run folder, or its `last.ckpt`.

    Raises:
        ConfigError: If there is no such run.
    """
    if resume == "last":
        newest = _newest(p for p in runs.glob("*/checkpoints/last.ckpt") if not RunFolder(p.parents[1]).finished)
        if newest is None:
            raise ConfigError(
                f"resume=last: no unfinished run with a checkpoint in {runs}. Give the folder of a run: resume=PATH."
            )
        return newest.parents[1]
    path = Path(resume)
    if path.suffix == ".ckpt" and path != RunFolder(path.parent.parent).last_checkpoint:
        raise ConfigError(f"resume={resume}: a run resumes from its checkpoints/last.ckpt. Give the run's folder.")
    folder = path.parent.parent if path.suffix == ".ckpt" else path
    if not RunFolder(folder).last_checkpoint.exists():
        raise ConfigError(
            f"resume={resume}: {RunFolder(folder).last_checkpoint} doesn't exist. Give the folder of a run that has "
            "written a checkpoint, or resume=last."
        )
    return folder


def _newest(paths: Iterable[Path]) -> Path | None:
    return max(paths, key=lambda path: path.stat().st_mtime, default=None)


def tracked(folder: Path) -> bool:
    """Whether a folder of `track` holds a recording that was tracked to its end."""
    try:
        return bool(json.loads((folder / "tracking.json").read_text(encoding="utf-8"))["finished"])
    except (OSError, ValueError, KeyError, TypeError):
        return False


def require_shallow(path: Path) -> Path:
    """The path of a YAML file of others, once it is known that nothing in it nests so deeply that its parser crashes.

    The parser in C, which OmegaConf takes, calls itself for each list in a list: about 30,000 end the process.

    Raises:
        ConfigError: If it nests deeper than any config, or is no text.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: is no text ({error}). Give the folder of a run.") from error
    depth = deepest = 0
    for mark in re.findall(r"[\[\]{}]", text):
        depth += -1 if mark in "]}" else 1
        deepest = max(deepest, depth)
    for line in re.findall(r"^[-?:\s]+", text, flags=re.MULTILINE):
        deepest = max(deepest, len(line.split()))
    if deepest > _DEEPEST:
        raise ConfigError(f"{path}: {deepest} lists in each other; a config has a few. Give the folder of a run.")
    return path


def read_config(path: Path) -> DictConfig:
    """A config that a run has stored.

    Raises:
        ConfigError: If it is missing, damaged, or no config of a run.
    """
    try:
        config = OmegaConf.load(require_shallow(path))
    except ConfigError:
        raise
    except Exception as error:  # parsers raise almost anything on damaged files
        raise ConfigError(
            f"{path}: can't be read ({type(error).__name__}: {said_by(error)}). Give another run."
        ) from error
    if not isinstance(config, DictConfig):
        raise ConfigError(f"{path}: holds no settings. Give the folder of a run.")
    return with_todays_names(config)


def with_todays_names(config: DictConfig, *, tell: bool = False) -> DictConfig:
    """A config whose settings have today's names; the same one if they have already. `tell`: warns of old ones."""
    plain: Any = OmegaConf.to_container(config, resolve=False)
    today = todays_settings(plain, tell=tell)
    return config if today == plain else OmegaConf.create(today)


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write a JSON file in one step; a number that isn't finite becomes null, at any depth.

    Raises:
        OutputError: If it can't be written; the file that was there before is intact.
    """
    with replacing(path) as file:
        file.write(json.dumps(_without_nan(content), indent=1, allow_nan=False) + "\n")


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


@contextmanager
def replacing(path: Path, *, binary: bool = False) -> Iterator[IO[Any]]:
    """A file that takes the place of `path` once it is written whole, so that a crash leaves the old one.

    Raises:
        OutputError: If it can't be written; the file that was there before is intact.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with partial.open("wb") if binary else partial.open("w", newline="", encoding="utf-8") as file:
                yield file
            partial.replace(path)
        finally:
            with suppress(OSError):
                partial.unlink(missing_ok=True)
    except OSError as error:
        raise unwritable(path, error) from error


def unwritable(path: Path, error: OSError) -> OutputError:
    """The message where a file can't be written: the disk is full, or the folder takes no files."""
    return OutputError(
        f"{path} can't be written: {error.strerror or error}. What lay there before is intact. Free space or name "
        "another folder, then go on from the last checkpoint with resume=RUN_FOLDER."
    )


def remove_partial_files(folder: Path) -> None:
    """Remove what a process that was killed while writing has left in a run folder."""
    for pattern in (".*.part", "checkpoints/.*.part"):
        for partial in folder.glob(pattern):
            partial.unlink(missing_ok=True)


def git_commit() -> str | None:
    """The commit of the source tree, with `-dirty` where files differ from it; None outside a checkout."""
    folder = Path(__file__).parent
    try:
        command = ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
        return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
