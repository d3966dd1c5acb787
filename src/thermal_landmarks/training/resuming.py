"""Which settings a resumed run has: its own, except for its length, its hardware and where its data lie."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig, ListConfig, OmegaConf

from thermal_landmarks.data.paths import PATHS, absolute, path_settings
from thermal_landmarks.errors import ConfigError
from thermal_landmarks.old_names import todays_arguments, todays_choice
from thermal_landmarks.runs import RunFolder, read_config

_FREE = ("resume", "output", "trainer", "logger", "hydra", "search", "tags", "data.workers", "data.cache_dir")
"""What changes nothing in a run's result, or (`trainer`) its length and hardware."""


def resumed_config(run: RunFolder, overrides: Sequence[str], typed: DictConfig | None = None) -> DictConfig:
    """The config of the run that is resumed, with what may change as it was typed now.

    Args:
        run: The run to resume.
        overrides: What was typed. What is as in the run may be repeated, so the run's own command line fits.
        typed: The config that was composed from `overrides`; None: values are taken as they were typed.

    Raises:
        ConfigError: If something was typed that would make another run of it, or if the run is longer already than it
            is to be.
    """
    cfg = read_config(run.config)
    try:
        OmegaConf.to_container(cfg, resolve=True)
        parts = {name: cfg.get(name) for name in ("data", "trainer", "group_choices")}
        int(cfg.trainer.max_epochs * cfg.trainer.get("epochs_factor", 1))
    except Exception as error:
        reason = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
        raise ConfigError(f"{run.config}: is not the config of a run ({reason}). Give another run.") from error
    missing = [name for name, part in parts.items() if not isinstance(part, DictConfig)]
    if missing:
        raise ConfigError(f"{run.config}: has no settings of {', '.join(missing)}. Give another run.")
    kept = cfg.copy()
    parser = OverridesParser.create()
    for line in overrides:
        override = parser.parse_override(*todays_arguments([line]))
        key = override.key_or_group
        if key in kept.group_choices or _is_group(key):
            chosen = None if override.is_delete() else override.value()
            recorded = kept.group_choices.get(key, _UNKNOWN)
            if isinstance(recorded, str):
                recorded = todays_choice(key, recorded)
            _require_same(line, key, _choice(chosen), recorded)
            continue
        value = None if override.is_delete() else override.value()
        if typed is not None and OmegaConf.select(typed, key) is not None:
            value = OmegaConf.select(typed, key)  # interpolations are resolved there
        if _below(key, _FREE) or key == "debug":
            if not _below(key, ("resume", "output", "hydra", "search")):
                OmegaConf.update(cfg, key, value, force_add=True)
        elif _is_path(key):
            _move(cfg.data, OmegaConf.select(kept, key), value)
            OmegaConf.update(cfg, key, absolute(value), force_add=True)
        else:
            _require_same(line, key, value, OmegaConf.select(kept, key))
    _require_enough_epochs(cfg, run)
    return cfg


_UNKNOWN = object()


def _is_group(key: str) -> bool:
    return key in ("renderer_ablation/off", "renderer_ablation/on", "debug")  # unknown to the records of older runs


def _choice(chosen: Any) -> str | None:
    """A group's choice as a run records it: several files joined by commas."""
    return ",".join(map(str, chosen)) if isinstance(chosen, list | ListConfig) else chosen


def _require_same(line: str, key: str, value: Any, kept: Any) -> None:
    if kept is _UNKNOWN:
        raise ConfigError(f"{line}: this run, of an earlier version, doesn't record its {key}. Leave this out.")
    if kept != value:
        raise ConfigError(
            f"{line}: a resumed run keeps its {key} ({kept}). Leave this out, or start a new run without resume."
        )


def _below(key: str, sections: Sequence[str]) -> bool:
    return any(key == section or key.startswith(f"{section}.") for section in sections)


def _is_path(key: str) -> bool:
    return key.startswith("data.") and key.rpartition(".")[2] in PATHS


def _move(data: DictConfig, old: Any, new: Any) -> None:
    """Change the other paths that lay in the same place: the test's folder, pictures beside the annotations."""
    if not isinstance(old, str) or not isinstance(new, str):
        return
    for key, value in list(path_settings(data)):
        if Path(value).is_relative_to(old):
            OmegaConf.update(data, key, str(Path(absolute(new)) / Path(value).relative_to(old)))


def _require_enough_epochs(cfg: DictConfig, run: RunFolder) -> None:
    trained = torch.load(run.last_checkpoint, map_location="cpu", weights_only=True, mmap=True).get("epoch", -1) + 1
    epochs = cfg.trainer.max_epochs * cfg.trainer.get("epochs_factor", 1)
    if epochs < trained:
        factor = cfg.trainer.get("epochs_factor", 1)
        raise ConfigError(
            f"trainer.max_epochs={cfg.trainer.max_epochs}: the run has trained {trained} epochs already. Give at least "
            f"{-(-trained // factor)}; with that it is only tested."
        )
