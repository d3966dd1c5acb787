"""Which studies a command asks for, and what each of them searches.

Every combination of the swept config groups (stem and branch, unless others are typed) is one study. Its space is
`search.space`, the `search:` ranges of its own parts, and every other sweep that was typed.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import IntervalSweep, Override, RangeSweep, Transformer
from omegaconf import DictConfig, OmegaConf
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from thermal_landmarks.errors import ConfigError
from thermal_landmarks.models.network import model_id
from thermal_landmarks.settings import flat, of_trials

_EXPECTED = "Expected a range as choice(1,2,3), range(1,6) or tag(log,interval(1e-4,1e-2))."

_PARTS = ("data", "root", "stem", "branch", "head", "loss", "optimizer", "scheduler")
"""Config groups of which a run of the best trial takes the same files."""


@dataclass(frozen=True, kw_only=True)
class StudyPlan:
    """One study to be."""

    name: str  # `<search.study>/<stem>-<branch>`, then the other swept groups
    config: DictConfig  # the composed config of its trials, without what is sampled
    overrides: tuple[str, ...]  # what is typed or chosen for all of its trials
    space: Mapping[str, BaseDistribution]  # range of each sampled setting

    @property
    def folder_name(self) -> str:
        return self.name.rpartition("/")[2]

    def facts(self) -> dict[str, Any]:
        """What is kept with the study, for reports and for `experiment=from_study`."""
        cfg, choices = self.config, self.config.hydra.runtime.choices
        return {
            "stem": cfg.stem.name,
            "branch": cfg.branch.name,
            "model_id": model_id(cfg.stem.name, cfg.branch.name),
            "data": cfg.hydra.runtime.choices["data"],
            "scheme": cfg.data.scheme,
            "trials": cfg.search.trials,
            "epochs": epochs_of(cfg),
            "objective": cfg.objective,
            "experiments": [*cfg.search.experiments, *_experiments(self.overrides)],
            "choices": {group: choices[group] for group in _PARTS if choices.get(group) is not None},
            "overrides": [
                o for o in self.overrides if not o.lstrip("+~").startswith(("search.", "search=", "output="))
            ],
        }

    def settings(self) -> dict[str, str]:
        """Every setting that its trials share and that changes what they measure."""
        plain: Any = OmegaConf.to_container(self.config, resolve=False)
        plain["trainer"]["max_epochs"] = self.config.trainer.max_epochs  # as a number, whatever it refers to
        settings = of_trials({key: str(value) for key, value in flat(plain).items()})
        return {key: value for key, value in settings.items() if key not in self.space}


def epochs_of(cfg: DictConfig) -> int:
    """The epochs that a whole training of this config takes."""
    return int(cfg.trainer.max_epochs * cfg.trainer.get("epochs_factor", 1))


def plan_studies(config: DictConfig, loader: ConfigLoader, arguments: Sequence[str]) -> list[StudyPlan]:
    """The studies of a command, in order: of its composed config and of what was typed.

    Raises:
        ConfigError: If a range can't be searched.
    """
    typed = OverridesParser.create().parse_overrides(list(arguments))
    groups: dict[str, list[str]] = {
        group: [f"{group}={name}" for name in names] for group, names in config.search.groups.items()
    }
    fixed: list[str] = []
    sweeps: list[str] = []
    for override in typed:
        line = str(override.input_line)
        if _chooses_group(override, loader):
            key = override.get_key_element()
            groups[key] = [f"{key}={value}" for value in _values(override)]
        elif override.is_sweep_override():
            sweeps.append(line)
        else:
            fixed.append(line)
    single = [choices[0] for choices in groups.values() if len(choices) == 1]
    return [
        _plan(config, loader, (*combination, *fixed), sweeps, swept=[c for c in combination if c not in single])
        for combination in itertools.product(*groups.values())
    ]


def _plan(
    config: DictConfig, loader: ConfigLoader, overrides: tuple[str, ...], sweeps: Sequence[str], swept: Sequence[str]
) -> StudyPlan:
    cfg = loader.load_sweep_config(config, list(overrides))
    if str(cfg.trainer.devices) != "1" or cfg.trainer.num_nodes != 1:
        raise ConfigError(  # Lightning would start the whole search again for each further device
            f"trainer.devices={cfg.trainer.devices}, trainer.num_nodes={cfg.trainer.num_nodes}: a search trains each "
            "trial on one device. Use several by several trials at a time: search.n_jobs, or the command once a device."
        )
    if cfg.search.experiments and (own := _experiments(overrides)):
        raise ConfigError(
            f"This search is of {', '.join(cfg.search.experiments)}, which would overrule {', '.join(own)}. Search the "
            "latter by search=asha, which adds nothing of its own."
        )
    ranges = {str(key): str(value) for key, value in cfg.search.space.items() if value is not None}
    for part in cfg.search.declared:
        declared = (cfg[part].get("search") or {}).items()
        ranges |= {f"{part}.{key}": str(value) for key, value in declared if value is not None}
    ranges |= dict(sweep.split("=", 1) for sweep in sweeps)
    space = {setting: read_range(setting, text) for setting, text in ranges.items()}
    fixed = {override.partition("=")[0].lstrip("+") for override in overrides}
    unknown = [key for key in space if key not in fixed and OmegaConf.select(cfg, key, default=_MISSING) is _MISSING]
    if unknown:
        raise ConfigError(
            f"The search samples {', '.join(unknown)}, which this configuration ({cfg.stem.name} + {cfg.branch.name}) "
            "doesn't have. Set it to null in search.space."
        )
    others = [c.partition("=")[2] for c in swept if c.partition("=")[0] not in ("stem", "branch")]
    name = "-".join([f"{cfg.search.study}/{cfg.stem.name}", cfg.branch.name, *others])
    kept = {key: distribution for key, distribution in space.items() if key not in fixed}
    return StudyPlan(name=name, config=cfg, overrides=overrides, space=kept)


_MISSING = object()


def _experiments(overrides: Sequence[str]) -> list[str]:
    """What is chosen of `experiment` and `ablation`, the latter by its names as an experiment."""
    found: list[str] = []
    for override in OverridesParser.create().parse_overrides(list(overrides)):
        if override.key_or_group in ("experiment", "ablation") and not override.is_delete():
            value: Any = override.value()
            names = map(str, value if isinstance(value, list) else [value])
            prefix = "ablation/" * (override.key_or_group == "ablation")
            found += [prefix + name for name in names if name not in ("None", "none")]
    return found


def _chooses_group(override: Override, loader: ConfigLoader) -> bool:
    """Whether this is stem, branch or several files of another config group."""
    group = override.key_or_group
    return group in ("stem", "branch") or (group in loader.list_groups("") and override.is_sweep_override())


def _values(override: Override) -> list[str]:
    if override.is_sweep_override():
        return list(override.sweep_string_iterator())
    return [override.get_value_element_as_str()]


def read_range(setting: str, text: str) -> BaseDistribution:
    """What a range samples: `choice` its values, `range` the steps before its end, `interval` all between.

    Raises:
        ConfigError: If it is a single value, or nothing that can be sampled.
    """
    override = OverridesParser.create().parse_override(f"{setting}={text}")
    swept: Any = override.value()
    if not override.is_sweep_override():
        raise ConfigError(f"The search range of {setting} is the single value {text}. {_EXPECTED}")
    try:
        if isinstance(swept, IntervalSweep):
            return _between(swept.start, swept.end, log="log" in swept.tags)
        values: list[Any] = list(override.sweep_iterator(transformer=Transformer.encode))
        if isinstance(swept, RangeSweep) and not swept.shuffle and not swept.transformers and values:
            return _between(min(values), max(values), step=abs(swept.step))
        return CategoricalDistribution(values)
    except ValueError as error:
        raise ConfigError(f"{setting}={text} can't be searched: {error} {_EXPECTED}") from error


def write_range(distribution: BaseDistribution) -> str:
    """As a person types it: `choice(4,8)`, `interval(0.001,0.03)`, `range(1,6)`."""
    settings: dict[str, Any] = distribution._asdict()
    if "choices" in settings:
        return f"choice({','.join(map(str, settings['choices']))})"
    whole = isinstance(settings["low"], int)
    text = f"{'range' if whole else 'interval'}({settings['low']},{settings['high'] + whole})"
    return f"tag(log,{text})" if settings["log"] else text


def _between(low: Any, high: Any, *, step: Any = None, log: bool = False) -> BaseDistribution:
    if isinstance(low, int) and isinstance(high, int):
        return IntDistribution(low, high, log=log, step=step or 1)
    return FloatDistribution(low, high, log=log, step=None if step is None else float(step))
