"""Which settings a resumed run has: its own, except for its length, its hardware and where its data lie."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, cast

import torch
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig, OmegaConf

from thermal_landmarks.data.paths import PATHS, absolute, path_settings
from thermal_landmarks.errors import ConfigError, said_by
from thermal_landmarks.old_names import todays_arguments, todays_choice, todays_flat_settings
from thermal_landmarks.runs import RunFolder, read_config
from thermal_landmarks.settings import LENGTH, flat, is_below, meaning_of

_NAMED = ("data", "experiment", "ablation")
"""Groups whose choice is part of a run's name."""


def resumed_config(run: RunFolder, overrides: Sequence[str], typed: DictConfig) -> DictConfig:
    """The config of the run that is resumed, with what may change as it was `typed` now.

    What is as in the run may be repeated among the `overrides`, so the run's own command line fits.

    Raises:
        ConfigError: If something was typed that would make another run of it, or if the run is longer already than it
            is to be.
    """
    kept = _stored(run)
    cfg, typed = kept.copy(), typed.copy()
    OmegaConf.resolve(typed)
    parsed = OverridesParser.create().parse_overrides(todays_arguments(overrides))
    settings = {override.key_or_group for override in parsed if "." in override.key_or_group}
    for override in parsed:
        line, key = str(override.input_line), override.key_or_group
        value = OmegaConf.select(typed, key) if key in typed or "." in key else None
        if meaning_of(key).resumed == "command":
            continue
        if key in _NAMED:
            chosen = "none" if override.is_delete() else todays_choice(key, _joined(override.value()))
            if chosen != (named := _chosen(kept.names, key)):
                raise _another_run(line, key, named)
        elif "." not in key and key not in typed:  # a group without a section of its own, such as debug
            _require_same_settings(line, _flat(kept, but=settings), _flat(typed))
        elif "." not in key and isinstance(value, DictConfig) and key != "logger":
            _require_same_settings(line, _flat(kept, below=key, but=settings), _flat(typed, below=key))
        elif meaning_of(key).resumed == "free":
            OmegaConf.update(cfg, key, value, force_add=True)
        elif _is_path(key):
            _move(cfg.data, OmegaConf.select(kept, key), value)
            OmegaConf.update(cfg, key, absolute(value), force_add=True)
        elif OmegaConf.select(kept, key) != value:
            raise _another_run(line, key, OmegaConf.select(kept, key))
    _require_enough_epochs(cfg, run)
    return cfg


def _stored(run: RunFolder) -> DictConfig:
    cfg = read_config(run.config)
    try:
        OmegaConf.to_container(cfg, resolve=True)
        parts = {name: cfg.get(name) for name in ("data", "trainer")}
        int(cfg.trainer.max_epochs * cfg.trainer.get("epochs_factor", 1))
        if "names" not in cfg:  # a run of an earlier version
            choices = cfg.group_choices
            experiment = choices.get("experiment")
            cfg.names = {
                "data": choices.data,
                "experiment": experiment and todays_choice("experiment", experiment),
                "ablation": cfg.get("ablation"),
            }
    except Exception as error:
        reason = f"{type(error).__name__}: {said_by(error)}"
        raise ConfigError(f"{run.config}: is not the config of a run ({reason}). Give another run.") from error
    missing = [name for name, part in parts.items() if not isinstance(part, DictConfig)]
    if missing:
        raise ConfigError(f"{run.config}: has no settings of {', '.join(missing)}. Give another run.")
    return cfg


def _joined(chosen: Any) -> str:
    """A group's choice as a name has it: several files joined by commas."""
    return ",".join(map(str, chosen)) if isinstance(chosen, list) else str(chosen)


def _chosen(names: DictConfig, group: str) -> str:
    """What was typed for a group that is part of a name; `ablation` names those chosen by `experiment` too."""
    parts = (names[group] or "none").split(",")
    if group == "ablation":
        experiments = (names.experiment or "").split(",")
        parts = [part for part in parts if f"ablation/{part}" not in experiments] or ["none"]
    return ",".join(parts)


def _flat(cfg: DictConfig, *, below: str = "", but: Collection[str] = ()) -> dict[str, Any]:
    """What makes a run what it is: settings that are kept, but no paths, and the Trainer's but for its length."""
    settings = todays_flat_settings(flat(cast(dict[str, Any], OmegaConf.to_container(cfg))))
    return {
        key: value
        for key, value in settings.items()
        if (not below or is_below(key, below))
        and (meaning_of(key).resumed == "kept" or (is_below(key, "trainer") and not (below and key in LENGTH)))
        and not is_below(key, *but)
        and not _is_path(key)
    }


def _require_same_settings(line: str, kept: dict[str, Any], typed: dict[str, Any]) -> None:
    """A config group that was typed must give what the run has, as far as its version knew it."""
    for key, value in kept.items():
        if key in typed and typed[key] != value:
            raise _another_run(line, key.removesuffix(".name"), value)


def _another_run(line: str, key: str, kept: Any) -> ConfigError:
    return ConfigError(
        f"{line}: a resumed run keeps its {key} ({kept}). Leave this out, or start a new run without resume."
    )


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
    factor = cfg.trainer.get("epochs_factor", 1)
    if cfg.trainer.max_epochs * factor < trained:
        raise ConfigError(
            f"trainer.max_epochs={cfg.trainer.max_epochs}: the run has trained {trained} epochs already. Give at least "
            f"{-(-trained // factor)}; with that it is only tested."
        )
