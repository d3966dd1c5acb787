"""The configs in `conf/`: where they are, the resolvers that they use, and composing one without a command line."""

import functools
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from omegaconf import DictConfig, OmegaConf

from thermal_landmarks.errors import ConfigError
from thermal_landmarks.old_names import todays_arguments
from thermal_landmarks.runs import output_folder, run_folder, tracking_folder

_PACKAGE = Path(__file__).parents[1]
CONFIG_DIR = _PACKAGE / "conf" if (_PACKAGE / "conf").is_dir() else _PACKAGE.parents[1] / "conf"
"""Inside an installed package, or at the top of the source tree."""


def _scaled(pixels: int, scale: float) -> int:
    """A side of an image that is made smaller."""
    size = round(pixels * scale)
    if size < 1:
        raise ConfigError(f"scale={scale}: leaves {size} of {pixels} pixels. Give a larger one.")
    return size


OmegaConf.register_resolver("scaled", _scaled, replace=True)
OmegaConf.register_resolver("output_folder", output_folder, replace=True)
OmegaConf.register_resolver("run_folder", run_folder, replace=True)
OmegaConf.register_resolver("tracking_folder", tracking_folder, replace=True)


@functools.cache
def config_groups(config_name: str) -> list[str]:
    """The config groups of a command, such as `data` and `stem` of train."""
    listed: Any = OmegaConf.load(CONFIG_DIR / f"{config_name}.yaml")
    entries = [entry for entry in listed.defaults if isinstance(entry, DictConfig)]
    return [str(group) for entry in entries for group in entry if not str(group).startswith("override ")]


def compose_config(config_name: str, overrides: list[str]) -> DictConfig:
    """The config of a command as `conf/` and the overrides make it."""
    from thermal_landmarks.rendered import store_ranges

    store_ranges()
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(CONFIG_DIR)):
        return compose(config_name, todays_arguments(overrides))
