"""Parts in packages of one's own: modules that register stems, branches, heads or penalties when they are imported.

A package names such a module in its `pyproject.toml`, under `[project.entry-points."thermal_landmarks.parts"]`. It is
imported where a name isn't known otherwise, in training as in prediction, so that checkpoints with such parts load.
"""

import functools
from importlib.metadata import entry_points

from thermal_landmarks.errors import ConfigError, said_by

GROUP = "thermal_landmarks.parts"


@functools.cache
def load_own_parts() -> None:
    """Import every module that an installed package names, once.

    Raises:
        ConfigError: If one of them can't be imported.
    """
    for entry in entry_points(group=GROUP):
        try:
            entry.load()
        except Exception as error:
            raise ConfigError(
                f"The parts of '{entry.name}' ({entry.value}, an entry point of {GROUP}) can't be imported: "
                f"{type(error).__name__}: {said_by(error)}. Mend that package, or uninstall it."
            ) from error
