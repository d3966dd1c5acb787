"""`experiment=from_study study=NAME`: the command line that trains the best configuration of a study.

The study's experiments, choices and settings and the best trial's hyperparameters are put on the command line, so that
the run folder's name, its `.hydra/overrides.yaml` and a later `resume=` are those of any other run. What is typed wins;
of a part that is exchanged (`head=soft_argmax`), nothing of the study's part is left.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig, OmegaConf

from thermal_landmarks.errors import ConfigError
from thermal_landmarks.old_names import todays_arguments
from thermal_landmarks.settings import meaning_of

if TYPE_CHECKING:
    import optuna


def expand_study(arguments: Sequence[str], experiment_file: Path) -> list[str]:
    """The arguments with what the study says, if they ask for it; what `from_study.yaml` sets is not taken from it.

    Raises:
        ConfigError: If there is no such study, or it has no completed trial.
    """
    if not _asks_for_study(arguments):
        return list(arguments)
    from thermal_landmarks.search.storage import hide_password
    from thermal_landmarks.search.study import Trials

    experiment: Any = OmegaConf.load(experiment_file)
    typed = {a.partition("=")[0].lstrip("+"): a.partition("=")[2] for a in arguments if not a.startswith("-")}
    storage = hide_password(typed.get("search.storage", experiment.search.storage).strip("'\""))
    study = _load(typed.get("study"), storage)
    best = Trials.of(study).best
    if best is None:
        raise ConfigError(f"The study {study.study_name} has no completed trial yet. Continue its search first.")
    choices = study.user_attrs.get("choices", {})
    exchanged = {group for group, name in choices.items() if typed.get(group, name) != name}
    chosen = [f"{group}={name}" for group, name in choices.items()]
    found = [*chosen, *study.user_attrs["overrides"], *(f"{name}={value}" for name, value in best.params.items())]
    found = todays_arguments(found)
    taken: dict[str, str] = {}
    for override in found:
        key = override.partition("=")[0].lstrip("+")
        if key == "debug":
            raise ConfigError(f"The study {study.study_name} was searched with {override}, so it has no best model.")
        set_by_experiment = OmegaConf.select(experiment, key)
        if isinstance(set_by_experiment, DictConfig):
            set_by_experiment = None  # some settings of this group, not the group
        group = key.partition(".")[0]
        of_search = group in ("experiment", "trainer", "callbacks") or not meaning_of(group).in_trials
        if key not in typed and not of_search and group not in exchanged and set_by_experiment is None:
            taken[key] = override
    rest = [
        _among(study.user_attrs.get("experiments", []), argument)
        for argument in arguments
        if argument.partition("=")[0].lstrip("+") != "search.storage"
    ]
    return [*taken.values(), f"search.storage='{storage}'", *rest]


def _among(experiments: Sequence[str], argument: str) -> str:
    """`experiment=from_study` with the experiments of the search before it, and ablations after it."""
    key, _, value = argument.partition("=")
    if key.lstrip("+") != "experiment":
        return argument
    names = dict.fromkeys([*experiments, *value.strip("[]").replace(" ", "").split(",")])
    listed = sorted(names, key=lambda name: name.startswith("ablation/"))
    return f"{key}={listed[0] if len(listed) == 1 else '[' + ','.join(listed) + ']'}"


def _asks_for_study(arguments: Sequence[str]) -> bool:
    """Whether `from_study` is the experiment or one of a list of them."""
    for line in arguments:
        if line.lstrip("+").startswith("experiment="):
            override = OverridesParser.create().parse_override(line)
            if override.is_sweep_override() and "from_study" in map(str, override.sweep_iterator()):
                raise ConfigError(f"{line}: from_study can't be swept over. Train it in a command of its own.")
            chosen: Any = override.value()
            if "from_study" in (chosen if isinstance(chosen, list) else [chosen]):
                return True
    return False


def _load(name: str | None, storage: str) -> "optuna.Study":
    import optuna
    from sqlalchemy.exc import SQLAlchemyError

    path = Path(storage.removeprefix("sqlite:///"))
    if storage.startswith("sqlite") and not path.exists():
        raise ConfigError(f"search.storage={storage}: there is no file {path}. Search first, or name its database.")
    try:
        names = optuna.get_all_study_names(storage)
    except (SQLAlchemyError, ImportError) as error:
        raise ConfigError(f"search.storage={storage} can't be used: {getattr(error, 'orig', None) or error}") from error
    if name not in names:
        raise ConfigError(
            f"study={name}: expected one of those in {storage}: {', '.join(sorted(names)) or 'there is none'}."
        )
    return optuna.load_study(study_name=name, storage=storage)
