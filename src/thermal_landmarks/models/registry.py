"""Components by name: `@STEMS.register("conv")` in code, `conf/stem/conv.yaml` for its settings.

How to add a component: write a module whose constructor takes `in_shape` (and `num_points`, if it needs that) and
keyword-only settings, of which those of its base class may pass through by `**shared` (see `stems`), and sets
`self.out_shape` (and `self.grid`, if it gives a map); put the decorator above it, and add a YAML with `name:`, every
setting, and `search:`. The YAML alone says what a setting means; one that is out of range is a `ConfigError`.
"""

import inspect
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any, TypeVar

from torch import nn

from thermal_landmarks.errors import ConfigError
from thermal_landmarks.own_parts import load_own_parts

ComponentClass = TypeVar("ComponentClass", bound=type[nn.Module])


class Registry:
    """The components of one kind, by name.

    Attributes:
        kind: What they are (`stem`), for messages and as the name of the config group.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._classes: dict[str, type[nn.Module]] = {}

    def names(self) -> tuple[str, ...]:
        """All names, in order of registration."""
        return tuple(self._classes)

    def register(self, name: str) -> Callable[[ComponentClass], ComponentClass]:
        """Decorator that files a class under a name."""

        def file_under_name(component: ComponentClass) -> ComponentClass:
            if name in self._classes:
                raise ValueError(f"The {self.kind} '{name}' is registered twice.")
            self._classes[name] = component
            return component

        return file_under_name

    def setting_names(self, name: str) -> tuple[str, ...]:
        """The settings of a component: the keyword-only arguments of its constructor."""
        return tuple(_settings(self._find(name)))

    def build(self, settings: Mapping[str, Any], **shapes: Any) -> Any:
        """Make a component.

        Args:
            settings: `name` and the component's settings; `search` is ignored.
            shapes: What neighbours and task determine: `in_shape` and `num_points`; for heads `in_shapes`,
                `image_shape` and `grid`. A component gets those that its constructor names.

        Raises:
            ConfigError: If the name or a setting is unknown, or a setting without a default is missing.
        """
        if "name" not in settings:
            raise ConfigError(f"The {self.kind} has no name. Choose one of: {', '.join(self.names())}.")
        name = str(settings["name"])
        component = self._find(name)
        chosen = {key: value for key, value in settings.items() if key not in ("name", "search")}
        known = _settings(component)
        for key in chosen:
            if key not in known:
                raise ConfigError(f"The {self.kind} '{name}' has no setting '{key}'.{_did_you_mean(key, tuple(known))}")
        missing = [key for key, required in known.items() if required and key not in chosen]
        if missing:
            raise ConfigError(f"The {self.kind} '{name}' needs a value for: {', '.join(missing)}.")
        wanted = {key: value for key, value in shapes.items() if key in inspect.signature(component).parameters}
        return component(**wanted, **chosen)

    def _find(self, name: str) -> type[nn.Module]:
        if name not in self._classes:
            load_own_parts()
        if name not in self._classes:
            raise ConfigError(f"There is no {self.kind} '{name}'.{_did_you_mean(name, self.names())}")
        return self._classes[name]


def _settings(component: type[nn.Module]) -> dict[str, bool]:
    """Each setting of a constructor, and of the one that it hands others on to; whether it has to be given."""
    found: dict[str, bool] = {}
    for kind in component.__mro__:
        if "__init__" in vars(kind):
            parameters = inspect.signature(vars(kind)["__init__"]).parameters.values()
            own = [parameter for parameter in parameters if parameter.kind is inspect.Parameter.KEYWORD_ONLY]
            found |= {parameter.name: parameter.default is inspect.Parameter.empty for parameter in own}
            if not any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters):
                break
    return found


def _did_you_mean(word: str, known: tuple[str, ...]) -> str:
    close = get_close_matches(word, known, n=1)
    hint = f" Did you mean '{close[0]}'?" if close else ""
    return f"{hint} Valid: {', '.join(known) or 'none'}."


ROOTS = Registry("root")
STEMS = Registry("stem")
BRANCHES = Registry("branch")
HEADS = Registry("head")
