"""What every command shares: Hydra's entry point and errors for people."""

import difflib
import errno
import functools
import inspect
import os
import re
import shlex
import signal
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import hydra
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import ConfigCompositionException, HydraException, InstantiationException, OverrideParseException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from thermal_landmarks.building import ALL_BUILDABLE
from thermal_landmarks.commands.help import print_help
from thermal_landmarks.errors import ConfigError, Interrupted, UserError
from thermal_landmarks.old_names import todays_arguments
from thermal_landmarks.runs import PROGRESS, RunFolder, find_run_to_resume, tracking_finished, with_todays_names

_PACKAGE = Path(__file__).parents[1]
CONFIG_DIR = _PACKAGE / "conf" if (_PACKAGE / "conf").is_dir() else _PACKAGE.parents[1] / "conf"
"""Inside an installed package, or at the top of the source tree."""


def _output_folder(output: str | None, dated: str) -> str:
    if output is None:
        return dated
    folder = Path(str(output)).expanduser()
    if folder.is_file():
        raise ConfigError(f"output={output} is a file. Give a folder; it is made where there is none.")
    return str(folder)


def _run_folder(resume: str | None, output: str | None, dated: str) -> str:
    new = _output_folder(output, dated)
    if resume is None:
        if RunFolder(Path(new)).last_checkpoint.exists():
            raise ConfigError(f"output={output} holds a run. Continue it (resume={output}), or give another folder.")
        return new
    resumed = find_run_to_resume(resume, Path(dated).parent)
    if output is not None and resumed.resolve() != Path(new).resolve():
        raise ConfigError(f"output={output}: a resumed run stays in its folder, {resumed}. Leave output= out.")
    return str(resumed)


def _tracking_folder(resume: str | None, output: str | None, dated: str) -> str:
    new = Path(_output_folder(output, dated))
    if resume is None:
        if (new / PROGRESS).exists():
            raise ConfigError(f"output={output} holds tracks. Go on (resume={output}), or give another folder.")
        return str(new)
    if output is not None:
        raise ConfigError(f"output={output}: what is resumed stays in its folder. Leave output= out.")
    if resume != "last":
        if not (Path(resume) / PROGRESS).exists():
            raise ConfigError(f"resume={resume}: {Path(resume) / PROGRESS} doesn't exist. Give a folder of track.")
        return resume
    stopped = [path for path in Path(dated).parent.glob(f"*/{PROGRESS}") if not tracking_finished(path.parent)]
    if not stopped:
        raise ConfigError(f"resume=last: nothing unfinished in {Path(dated).parent}. Give the folder: resume=PATH.")
    return str(max(stopped, key=lambda path: path.stat().st_mtime).parent)


def _scaled(pixels: int, scale: float) -> int:
    """A side of an image that is made smaller."""
    size = round(pixels * scale)
    if size < 1:
        raise ConfigError(f"scale={scale}: leaves {size} of {pixels} pixels. Give a larger one.")
    return size


def _store_ranges() -> None:
    from thermal_landmarks.rendered import store_ranges

    store_ranges()


OmegaConf.register_resolver("scaled", _scaled, replace=True)
OmegaConf.register_resolver("output_folder", _output_folder, replace=True)
OmegaConf.register_resolver("run_folder", _run_folder, replace=True)
OmegaConf.register_resolver("tracking_folder", _tracking_folder, replace=True)


def command(
    config_name: str, *, expand: Callable[[list[str]], list[str]] | None = None, renders: bool = True
) -> Callable[[Callable[[DictConfig], Any]], Callable[[], None]]:
    """Turn a function of a config into a command whose errors name what to put right.

    Args:
        config_name: The command's file in `conf/`, without `.yaml`.
        expand: Replaces what was typed by what Hydra gets.
        renders: Whether the config may hold settings of the renderer, which take 0.1 s to make.
    """

    def decorate(function: Callable[[DictConfig], Any]) -> Callable[[], None]:
        @functools.wraps(function)
        def task(cfg: DictConfig) -> Any:
            try:
                return function(with_todays_names(cfg, tell=True))
            except UserError as error:
                if HydraConfig.get().mode == RunMode.RUN:
                    sys.exit(f"error: {error}")  # one line; Hydra would print the whole command line before it
                raise

        start = hydra.main(config_path=str(CONFIG_DIR), config_name=config_name, execution_whitelist=ALL_BUILDABLE)
        run = start(task)

        @functools.wraps(function)
        def main() -> None:
            os.environ["HYDRA_FULL_ERROR"] = "1"  # errors reach the clause below instead of Hydra's own printing
            if {"-h", "--help"} & set(sys.argv[1:]):
                print_help(
                    config_name,
                    (inspect.getdoc(function) or "").partition("\n\n")[0],
                    CONFIG_DIR,
                    config_groups(config_name),
                )
                return
            try:
                if renders:
                    _store_ranges()
                if expand is not None:
                    sys.argv[1:] = expand(sys.argv[1:])
                sys.argv[1:] = todays_arguments(sys.argv[1:])
                run()
            except Exception as error:
                message = explain(error, config_name, sys.argv[1:])
                if message is None:
                    raise
                sys.exit(f"error: {message}")
            except Interrupted as stop:
                print(stop, file=sys.stderr)
                sys.exit(128 + stop.signal_number)
            except KeyboardInterrupt:
                sys.exit(128 + signal.SIGINT)

        return main

    return decorate


_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM)
"""The disk is full, or the folder isn't this user's to write in."""


def explain(error: BaseException, config_name: str, arguments: list[str]) -> str | None:
    """A message for the person who typed the command, or None for an error of the program itself."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, UserError):
            return str(cause)
        cause = cause.__cause__
    if isinstance(error, OverrideParseException):
        return _unreadable(error, arguments)
    if isinstance(error, ConfigCompositionException):
        unknown = re.search(r"Could not override '([^']+)'", str(error))
        if unknown:
            return _unknown_setting(unknown[1], config_name, arguments)
        several = re.search(r"Ambiguous value for argument '(.+)'\n", str(error))
        if several:
            key, _, value = several[1].partition("=")
            return (
                f"{several[1]} has a comma.\nA list of values: {quoted(key, f'[{value}]')}\n"
                f"One value:        {quoted(key, value)}\nOne run for each: --multirun"
            )
        return str(error).split("Config search path:")[0].strip()
    if isinstance(error, OSError) and error.errno in _DISK:
        return f"{error.filename or 'A file'}: {error.strerror}. Free space, or name another folder."
    if isinstance(error, ModuleNotFoundError):
        return _left_out(error.name or "")
    if isinstance(error, InstantiationException) and isinstance(error.__cause__, ValueError | TypeError):
        return f"{error.__cause__} (in the setting {str(error).rpartition('full_key: ')[2]})"
    if isinstance(error, OmegaConfBaseException | HydraException) and error.__cause__ is None:
        return str(error)
    return None


def _left_out(module: str) -> str | None:
    """What to install, if an extra brings the module."""
    package = module.partition(".")[0].replace("_", "-")
    for requirement in metadata.requires("thermal-landmarks") or []:
        if found := re.fullmatch(rf"{re.escape(package)}\W.*extra == ['\"](\w+)['\"]", requirement):
            return f"The package {package} isn't installed. Install it: pip install 'thermal-landmarks[{found[1]}]'"
    return None


def _unknown_setting(key: str, config_name: str, arguments: list[str]) -> str:
    groups = config_groups(config_name)
    if key.partition("@")[0] not in groups and (CONFIG_DIR / key.partition("@")[0]).is_dir():
        listed = ", ".join(groups) or "none"
        return f"The command {config_name} has no config group '{key}'.\nIts groups: {listed}"
    group, _, name = key.rpartition(".")
    chosen = [a for a in arguments if "," not in a and "=" in a and a.partition("=")[0] in groups]
    config = compose_config(config_name, chosen)
    settings = OmegaConf.select(config, group) if group else None
    if settings is None:
        settings, group = config, ""
    choices = [str(choice) for choice in settings]
    where = f"in '{group}'" if group else "of this command"
    close = difflib.get_close_matches(name, choices, n=1)
    hint = f" Did you mean '{close[0]}'?" if close else ""
    return f"There is no setting '{key}'.{hint}\nSettings {where}: {', '.join(choices)}"


@functools.cache
def config_groups(config_name: str) -> list[str]:
    """The config groups of a command, such as `data` and `stem` of train."""
    listed: Any = OmegaConf.load(CONFIG_DIR / f"{config_name}.yaml")
    entries = [entry for entry in listed.defaults if isinstance(entry, DictConfig)]
    return [str(group) for entry in entries for group in entry if not str(group).startswith("override ")]


def _unreadable(error: OverrideParseException, arguments: list[str]) -> str:
    key, equals, value = error.override.partition("=")
    if not equals:
        before = arguments[: arguments.index(key)] if key in arguments else []
        hint = ""
        if before and "=" in before[-1]:
            setting, _, start = before[-1].partition("=")
            hint = f" A value with spaces stands in quotes:\n  {quoted(setting, f'{start} {key}')}"
        return f"{key}: expected SETTING=VALUE.{hint}"
    noise = ("Error parsing", "See ", "LexerNoViableAltException", "^")
    said = re.sub(r"HydraException while evaluating '.*': ", "", str(error))
    reason = [line for line in said.splitlines()[1:] if line and not line.lstrip().startswith(noise)]
    return (
        f"{error.override} can't be read{': ' if reason else ''}{'. '.join(reason)}.\n"
        f"A path or a text with = # ( ) ' or such characters stands in two pairs of quotes, one for the shell:\n"
        f"  {quoted(key, value)}"
    )


def quoted(key: str, value: str) -> str:
    """A setting as a POSIX shell wants it typed, with a value that Hydra takes letter by letter (lists: each entry)."""

    def text(plain: str) -> str:
        escaped = re.sub(r'(\\*)("|\Z)', lambda found: 2 * found[1] + ('\\"' if found[2] else ""), plain)
        return f'"{escaped}"'

    listed = re.fullmatch(r"\[(.+)\]", value)
    typed = f"[{','.join(text(entry.strip()) for entry in listed[1].split(','))}]" if listed else text(value)
    return shlex.quote(f"{key}={typed}")


def compose_config(config_name: str, overrides: list[str]) -> DictConfig:
    """The config of a command as `conf/` and the overrides make it."""
    _store_ranges()
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(CONFIG_DIR)):
        return compose(config_name, todays_arguments(overrides))
