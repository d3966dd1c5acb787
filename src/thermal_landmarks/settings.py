"""What each setting of `conf/train.yaml` means for a result, in one list.

A study refuses trials of other settings, a resumed run keeps its own, and a report averages only runs that are alike:
all three ask here. A setting that isn't listed counts for all of them but the report.
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Flat = dict[str, Any]
"""Settings by their dotted names: `{"stem.depth": 3}`."""

LENGTH = ("trainer.max_epochs", "trainer.epochs_factor")
"""How long a training is."""


@dataclass(frozen=True, kw_only=True)
class Meaning:
    """What a setting, with all below it, means."""

    in_trials: bool = True  # whether it changes what a trial of a search measures
    # What a resumed run does with it: `kept` is as the run has it, `free` may be typed anew, a `record` is what the run
    # is called, `command` concerns the command alone
    resumed: Literal["kept", "free", "record", "command"] = "kept"
    # Runs that differ in a `protocol` setting stand in different tables of a report, in a `model` setting in other rows
    reported: Literal["protocol", "model"] | None = None


_OTHER = Meaning()
_PROTOCOL, _MODEL = Meaning(reported="protocol"), Meaning(reported="model")
_RECORD, _COMMAND = (Meaning(in_trials=False, resumed=kind) for kind in ("record", "command"))
_SHOWN = _MACHINE = Meaning(in_trials=False, resumed="free")
_NOT_IN_TRIALS = Meaning(in_trials=False)  # they leave no weights and no pictures

_MEANINGS = {
    **dict.fromkeys(("search", "resume", "output", "hydra"), _COMMAND),
    **dict.fromkeys(("names", "study", "trial", "ablation", "group_choices"), _RECORD),
    **dict.fromkeys(("logger", "tags"), _SHOWN),
    **dict.fromkeys(("root", "stem", "branch", "head", "ensemble", "optimizer", "scheduler"), _MODEL),
    **dict.fromkeys(("weights", "flip_tta", "callbacks.ema"), _MODEL),
    **dict.fromkeys(("data", "loss", "metrics"), _PROTOCOL),
    **dict.fromkeys(("data.seed", "data.on_bad_item"), _OTHER),
    **dict.fromkeys(("data.cache_dir", "data.workers"), _MACHINE),
    "trainer": Meaning(resumed="free"),
    **dict.fromkeys(
        (*LENGTH, "trainer.limit_train_batches", "trainer.limit_val_batches", "trainer.overfit_batches"),
        Meaning(resumed="free", reported="protocol"),
    ),
    "trainer.limit_test_batches": Meaning(in_trials=False, resumed="free", reported="protocol"),
    "trainer.gradient_clip_val": Meaning(resumed="free", reported="model"),
    **{
        f"trainer.{name}": _MACHINE
        for name in (
            *("accelerator", "devices", "num_nodes", "strategy", "benchmark", "deterministic", "profiler", "logger"),
            *("enable_checkpointing", "enable_model_summary", "enable_progress_bar", "use_distributed_sampler"),
            *("num_sanity_val_steps", "log_every_n_steps", "default_root_dir"),
        )
    },
    **{
        f"callbacks.{name}": _NOT_IN_TRIALS
        for name in (
            *("best", "last", "artifact", "figures", "overlays", "test_images", "history", "step_loss"),
            *("throughput", "collapse", "progress"),
        )
    },
}
"""What is listed holds for all below it, unless a longer name is listed, too."""


def meaning_of(setting: str) -> Meaning:
    """What a setting, by its dotted name, means."""
    name = setting
    while name not in _MEANINGS:
        name, _, last = name.rpartition(".")
        if not last:
            return _OTHER
    return _MEANINGS[name]


def of_trials(settings: Flat) -> Flat:
    """Those that change what a trial measures."""
    counted = {key: value for key, value in settings.items() if meaning_of(key).in_trials and not _is_range(key)}
    return _without_what_is_off(counted)


def reported(settings: Flat, kind: Literal["protocol", "model"]) -> Flat:
    """Those that runs of one table of a report share, or of one row; what is null is as if it weren't there."""
    known = {key: value for key, value in settings.items() if value is not None and not _is_range(key)}
    return _without_what_is_off({key: value for key, value in known.items() if meaning_of(key).reported == kind})


def flat(settings: Mapping[str, Any], prefix: str = "") -> Flat:
    """Nested settings by their dotted names; lists stay values."""
    found: Flat = {}
    for key, value in settings.items():
        found |= flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return found


def is_below(setting: str, *sections: str) -> bool:
    """Whether a setting is one of the sections or lies in one."""
    return any(setting == section or setting.startswith(f"{section}.") for section in sections)


def _without_what_is_off(settings: Flat) -> Flat:
    """Without the renderer's later ranges where these are off: as with studies and runs from before there were any."""
    return {key: value for key, value in settings.items() if _later_ranges().get(key) != str(value)}


@functools.cache
def _later_ranges() -> Mapping[str, str]:
    """The value that changes nothing, by the setting's name."""
    from thermal_faces.ranges import GROUPS
    from thermal_faces.ranges.from_config import later_defaults

    return {
        f"data.source.{name}.{key}": str(list(off))
        for name, group in GROUPS.items()
        for key, off in later_defaults(group).items()
    }


def _is_range(setting: str) -> bool:
    """Whether it says what a search of a part samples, which every part's file has."""
    return ".search." in setting
