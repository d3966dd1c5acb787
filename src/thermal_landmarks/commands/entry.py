"""What every command shares: Hydra's entry point, its folder, and errors as one line for people (`explaining`)."""

import functools
import inspect
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from thermal_landmarks.building import ALL_BUILDABLE
from thermal_landmarks.commands.configs import CONFIG_DIR, config_groups
from thermal_landmarks.commands.configs import compose_config as compose_config  # by its earlier place
from thermal_landmarks.commands.help import print_help
from thermal_landmarks.errors import Interrupted, UserError
from thermal_landmarks.old_names import todays_arguments
from thermal_landmarks.runs import with_todays_names


def command(
    config_name: str, *, expand: Callable[[list[str]], list[str]] | None = None, renders: bool = True
) -> Callable[[Callable[..., Any]], Callable[[], None]]:
    """Turn a function of a config, and maybe of the `folder` of its results, into a command.

    Errors name what to put right.

    Args:
        config_name: The command's file in `conf/`, without `.yaml`.
        expand: Replaces what was typed by what Hydra gets.
        renders: Whether the config may hold settings of the renderer, which take 0.1 s to make.
    """

    def decorate(function: Callable[..., Any]) -> Callable[[], None]:
        into_folder = "folder" in inspect.signature(function).parameters

        @functools.wraps(function)
        def task(cfg: DictConfig) -> Any:
            try:
                folder = {"folder": Path(HydraConfig.get().runtime.output_dir)} if into_folder else {}
                return function(with_todays_names(cfg, tell=True), **folder)
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
                    from thermal_landmarks.rendered import store_ranges

                    store_ranges()
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
