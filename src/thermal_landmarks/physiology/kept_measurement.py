"""What a measurement that was stopped goes on from, beside the rows that are on the disk."""

import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from thermal_landmarks.errors import ConfigError, DataError, OutputError, said_by
from thermal_landmarks.runs import replacing

_STATE = "state.npz"


def keep_state(folder: Path, state: Mapping[str, np.ndarray]) -> None:
    """Write it in one step.

    Raises:
        OutputError: If it can't be written; the state before is intact.
    """
    with replacing(folder / _STATE, binary=True) as file:
        np.savez(file, **state)  # type: ignore[arg-type]


@contextmanager
def kept_state(folder: Path) -> Iterator[Mapping[str, np.ndarray]]:
    """The state in a folder, empty if there is none, while it is gone on from.

    Raises:
        ConfigError: If it is damaged, or doesn't fit what lies beside it.
    """
    path = folder / _STATE
    if not path.exists():
        yield {}
        return
    try:
        with np.load(path, allow_pickle=False) as state:
            yield dict(state)
    except (ConfigError, OutputError):
        raise
    except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile, DataError) as error:
        raise ConfigError(
            f"{path}: is damaged ({type(error).__name__}: {said_by(error)}), so nothing can go on from it. Measure "
            "into another folder."
        ) from error
