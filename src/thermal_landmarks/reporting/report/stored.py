"""What files of others must hold to be shown in a report: text where text belongs, numbers that a page can bear.

A run folder, an evaluation or a study may be damaged, of an older version or made by hand. What isn't as expected is
left out of the report by name, so that it ends none of the others.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

_LONGEST = 1000  # characters
_LARGEST = 1e15


class _Kind(NamedTuple):
    words: str
    fits: Callable[[Any], bool]


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not abs(value) > _LARGEST  # NaN is "not measured"


_TEXT = _Kind("a text", lambda value: isinstance(value, str) and len(value) <= _LONGEST)
_NUMBER = _Kind(f"a number up to {_LARGEST:g}", _number)
_COUNT = _Kind(f"a whole number up to {_LARGEST:g}", lambda value: isinstance(value, int) and _number(value))
_SETTINGS = _Kind("settings", lambda value: isinstance(value, Mapping))
_SIZE = _Kind("[height, width]", lambda v: isinstance(v, list) and len(v) == 2 and all(isinstance(x, int) for x in v))

_TEXTS = ("model_id", "stem", "branch", "data", "scheme", "study", "ablation", "commit", "machine", "evaluated")
_COUNTS = ("seed", "ensemble", "epochs", "parameters", "trial")
_METRICS = dict.fromkeys(_TEXTS, _TEXT) | dict.fromkeys(_COUNTS, _COUNT)
_CONFIG = {
    "data": _SETTINGS,
    "data.image_size": _SIZE,
    "data.batch_size": _COUNT,
    "data.augmentation": _SETTINGS,
    "data.source": _SETTINGS,
    "choices": _SETTINGS,
    "group_choices": _SETTINGS,
    "names": _SETTINGS,
    "loss": _SETTINGS,
    "trainer": _SETTINGS,
    "trainer.max_epochs": _NUMBER,
    "trainer.epochs_factor": _NUMBER,
    "metrics": _SETTINGS,
    "metrics.auc_threshold": _NUMBER,
}
_NEEDED = {"data": ("image_size", "batch_size", "source"), "trainer": ("max_epochs",), "metrics": ("auc_threshold",)}


def require_usual_metrics(metrics: Mapping[str, Any]) -> None:
    """Refuse a `metrics.json` whose entries are none that a run or an evaluation writes; null is "not measured".

    A `ValueError` names the entry, what was found and what was expected; likewise below.
    """
    for key, value in metrics.items():
        kind = _NUMBER if key.startswith(("test/", "val/", "train/")) else _METRICS.get(key)
        if kind is not None and value is not None:
            _require(key, value, kind)


def require_usual_config(config: Any) -> None:
    """Refuse a `config.yaml` that isn't one of a run."""
    _require("config.yaml", config, _SETTINGS)
    for path, kind in _CONFIG.items():
        section, _, name = path.rpartition(".")
        holder = config if not section else config.get(section) or {}
        if name in holder or (section in config and name in _NEEDED.get(section, ())):
            _require(path, holder.get(name), kind)


def require_usual_trials(trials: Any) -> None:
    """Refuse a study's trials that hold other facts than a search writes."""
    for trial in trials:
        epochs = trial.user_attrs.get("epochs", 0)
        _require(f"epochs of trial {trial.number}", epochs, _COUNT)


def _require(name: str, value: Any, kind: _Kind) -> None:
    if not kind.fits(value):
        raise ValueError(f"{name[:100]} is {str(value)[:100]}, expected {kind.words}")
