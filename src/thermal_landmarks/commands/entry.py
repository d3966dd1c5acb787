"""What every command shares: Hydra's entry point and errors for people."""

import difflib
import functools
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hydra
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import ConfigCompositionException, HydraException, InstantiationException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from thermal_landmarks.building import ALL_BUILDABLE
from thermal_landmarks.errors import ConfigError, UserError
from thermal_landmarks.rendered import store_ranges
from thermal_landmarks.runs import find_run_to_resume

_PACKAGE = Path(__file__).parents[1]
CONFIG_DIR = _PACKAGE / "conf" if (_PACKAGE / "conf").is_dir() else _PACKAGE.parents[1] / "conf"
"""Inside an installed package, or at the top of the source tree."""


def _run_folder(resume: str | None, new: str) -> str:
    return new if resume is None else str(find_run_to_resume(resume, Path(new).parent))


def _choice(group: str) -> str | None:
    """The file chosen from a config group, several joined by commas; `unnamed` if composed outside a command."""
    if not HydraConfig.initialized():
        return "unnamed"
    hydra_config = HydraConfig.get()
    if group in hydra_config.runtime.choices:
        choice: str | None = hydra_config.runtime.choices[group]
        return choice
    # Hydra keeps no record of a list of files, such as experiment=[paper/A-2,comparison].
    overrides = OverridesParser.create().parse_overrides(list(hydra_config.overrides.task))
    lists: list[Any] = [override.value() for override in overrides if override.key_or_group == group]
    return ",".join(lists[-1])


def _variant() -> str | None:
    """The ablations chosen by `ablation=` or `experiment=ablation/...`, joined by commas."""
    if not HydraConfig.initialized():
        return None
    experiments = (_choice("experiment") or "").split(",")
    if experiments != sorted(experiments, key=lambda name: name.startswith("ablation/")):
        raise ConfigError(
            f"experiment=[{','.join(experiments)}]: what stands later changes what stands before. Put the ablations "
            "last, or choose them by ablation=."
        )
    ablations = [name.removeprefix("ablation/") for name in experiments if name.startswith("ablation/")]
    ablations += [name for name in (_choice("ablation") or "none").split(",") if name != "none"]
    return ",".join(ablations) or None


store_ranges()
OmegaConf.register_resolver("choice", _choice, replace=True)
OmegaConf.register_resolver("variant", _variant, replace=True)
OmegaConf.register_resolver("run_folder", _run_folder, replace=True)


def command(
    config_name: str, *, expand: Callable[[list[str]], list[str]] | None = None
) -> Callable[[Callable[[DictConfig], Any]], Callable[[], None]]:
    """Turn a function of a config into a command whose errors name what to put right.

    Args:
        config_name: The command's file in `conf/`, without `.yaml`.
        expand: Replaces what was typed by what Hydra gets.
    """

    def decorate(function: Callable[[DictConfig], Any]) -> Callable[[], None]:
        run = hydra.main(config_path=str(CONFIG_DIR), config_name=config_name, execution_whitelist=ALL_BUILDABLE)(
            function
        )

        @functools.wraps(function)
        def main() -> None:
            os.environ["HYDRA_FULL_ERROR"] = "1"  # errors reach the clause below instead of Hydra's own printing
            try:
                if expand is not None:
                    sys.argv[1:] = expand(sys.argv[1:])
                run()
            except Exception as error:
                message = explain(error, config_name, sys.argv[1:])
                if message is None:
                    raise
                sys.exit(f"error: {message}")

        return main

    return decorate


def explain(error: BaseException, config_name: str, arguments: list[str]) -> str | None:
    """A message for the person who typed the command, or None for an error of the program itself."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, UserError):
            return str(cause)
        cause = cause.__cause__
    if isinstance(error, ConfigCompositionException):
        unknown = re.search(r"Could not override '([^']+)'", str(error))
        if unknown:
            return _unknown_setting(unknown[1], config_name, arguments)
        return str(error).split("Config search path:")[0].strip()
    if isinstance(error, InstantiationException) and isinstance(error.__cause__, ValueError | TypeError):
        return f"{error.__cause__} (in the setting {str(error).rpartition('full_key: ')[2]})"
    if isinstance(error, OmegaConfBaseException | HydraException) and error.__cause__ is None:
        return str(error)
    return None


def _unknown_setting(key: str, config_name: str, arguments: list[str]) -> str:
    group, _, name = key.rpartition(".")
    chosen = [a for a in arguments if "," not in a and "=" in a and (CONFIG_DIR / a.partition("=")[0]).is_dir()]
    config = compose_config(config_name, chosen)
    settings = OmegaConf.select(config, group) if group else None
    if settings is None:
        settings, group = config, ""
    choices = [str(choice) for choice in settings]
    where = f"in '{group}'" if group else "of this command"
    close = difflib.get_close_matches(name, choices, n=1)
    hint = f" Did you mean '{close[0]}'?" if close else ""
    return f"There is no setting '{key}'.{hint}\nSettings {where}: {', '.join(choices)}"


def compose_config(config_name: str, overrides: list[str]) -> DictConfig:
    """The config of a command as `conf/` and the overrides make it."""
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(CONFIG_DIR)):
        return compose(config_name, overrides)
