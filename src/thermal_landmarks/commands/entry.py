"""What every command shares: Hydra's entry point, and errors as one line for people (`explaining`)."""

import functools
import inspect
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hydra
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from thermal_landmarks.building import ALL_BUILDABLE
from thermal_landmarks.commands.help import print_help
from thermal_landmarks.errors import ConfigError, Interrupted, UserError
from thermal_landmarks.old_names import todays_arguments
from thermal_landmarks.runs import output_folder, run_folder, tracking_folder, with_todays_names

_PACKAGE = Path(__file__).parents[1]
CONFIG_DIR = _PACKAGE / "conf" if (_PACKAGE / "conf").is_dir() else _PACKAGE.parents[1] / "conf"
"""Inside an installed package, or at the top of the source tree."""


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
OmegaConf.register_resolver("output_folder", output_folder, replace=True)
OmegaConf.register_resolver("run_folder", run_folder, replace=True)
OmegaConf.register_resolver("tracking_folder", tracking_folder, replace=True)


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
                from thermal_landmarks.commands.explaining import explain

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


@functools.cache
def config_groups(config_name: str) -> list[str]:
    """The config groups of a command, such as `data` and `stem` of train."""
    listed: Any = OmegaConf.load(CONFIG_DIR / f"{config_name}.yaml")
    entries = [entry for entry in listed.defaults if isinstance(entry, DictConfig)]
    return [str(group) for entry in entries for group in entry if not str(group).startswith("override ")]


def compose_config(config_name: str, overrides: list[str]) -> DictConfig:
    """The config of a command as `conf/` and the overrides make it."""
    _store_ranges()
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(CONFIG_DIR)):
        return compose(config_name, todays_arguments(overrides))
