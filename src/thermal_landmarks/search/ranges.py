"""Ranges that a search samples: Hydra's sweep syntax as a person types it, and Optuna's distributions."""

from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import IntervalSweep, RangeSweep, Transformer
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from thermal_landmarks.errors import ConfigError

_EXPECTED = "Expected a range as choice(1,2,3), range(1,6) or tag(log,interval(1e-4,1e-2))."


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
