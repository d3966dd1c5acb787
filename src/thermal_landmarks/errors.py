"""The exceptions that commands show without a traceback: something the user can put right.

The first three are the renderer's too, which knows nothing of this package.
"""

from collections.abc import Iterable

from thermal_faces.errors import ConfigError, DataError, UserError

__all__ = [
    "ConfigError",
    "DataError",
    "DivergedError",
    "Interrupted",
    "OutputError",
    "UserError",
    "require_choice",
    "said_by",
]

_LONGEST = 300  # characters


class OutputError(UserError):
    """A file that can't be written: a full disk, a folder that takes no files."""


class DivergedError(UserError):
    """A training whose loss or predictions are no longer finite numbers."""


class Interrupted(BaseException):
    """The user (Ctrl-C) or the cluster (SIGTERM) has ended the work in good order; what was reached is kept.

    Like `KeyboardInterrupt` no `except Exception` catches it.

    Args:
        message: What was kept and how to go on.
        signal_number: Which signal it was; a command ends with the exit code 128 + this, as the shell has it.
    """

    def __init__(self, message: str, signal_number: int) -> None:
        super().__init__(message)
        self.signal_number = signal_number


def require_choice(setting: str, found: object, choices: Iterable[str]) -> None:
    """Refuse what is none of a setting's choices.

    Raises:
        ConfigError: Naming the setting, what was found and what there is.
    """
    known = tuple(choices)
    if found not in known:
        raise ConfigError(f"{setting}={found} is unknown. Choose {', '.join(known)}.")


def said_by(error: BaseException) -> str:
    """What an error of a library says, for a message of ours: on one line and cut; its kind where it says nothing."""
    return " ".join(str(error).split())[:_LONGEST] or type(error).__name__
