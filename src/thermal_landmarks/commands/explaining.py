"""What went wrong, for the person who typed the command: the setting that there isn't, quotes that are missing, a disk.

Hydra's own messages name its classes and the place in its grammar.
"""

import difflib
import errno
import re
import shlex
from importlib import metadata

from hydra.errors import ConfigCompositionException, HydraException, InstantiationException, OverrideParseException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from thermal_landmarks.commands.configs import CONFIG_DIR, compose_config, config_groups
from thermal_landmarks.errors import UserError

_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM)
"""The disk is full, or the folder isn't this user's to write in."""


def explain(error: BaseException, config_name: str, arguments: list[str]) -> str | None:
    """A message for the person who typed the command, or None for an error of the program itself."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, UserError):
            return str(cause)
        cause = cause.__cause__
    if isinstance(error, OverrideParseException):
        return _unreadable(error, arguments)
    if isinstance(error, ConfigCompositionException):
        unknown = re.search(r"Could not override '([^']+)'", str(error))
        if unknown:
            return _unknown_setting(unknown[1], config_name, arguments)
        several = re.search(r"Ambiguous value for argument '(.+)'\n", str(error))
        if several:
            key, _, value = several[1].partition("=")
            return (
                f"{several[1]} has a comma.\nA list of values: {quoted(key, f'[{value}]')}\n"
                f"One value:        {quoted(key, value)}\nOne run for each: --multirun"
            )
        return str(error).split("Config search path:")[0].strip()
    if isinstance(error, OSError) and error.errno in _DISK:
        return f"{error.filename or 'A file'}: {error.strerror}. Free space, or name another folder."
    if isinstance(error, ModuleNotFoundError):
        return _left_out(error.name or "")
    if isinstance(error, InstantiationException) and isinstance(error.__cause__, ValueError | TypeError):
        return f"{error.__cause__} (in the setting {str(error).rpartition('full_key: ')[2]})"
    if isinstance(error, OmegaConfBaseException | HydraException) and error.__cause__ is None:
        return str(error)
    return None


def _left_out(module: str) -> str | None:
    """What to install, if an extra brings the module."""
    package = module.partition(".")[0].replace("_", "-")
    for requirement in metadata.requires("thermal-landmarks") or []:
        if found := re.fullmatch(rf"{re.escape(package)}\W.*extra == ['\"](\w+)['\"]", requirement):
            return f"The package {package} isn't installed. Install it: pip install 'thermal-landmarks[{found[1]}]'"
    return None


def _unknown_setting(key: str, config_name: str, arguments: list[str]) -> str:
    groups = config_groups(config_name)
    if key.partition("@")[0] not in groups and (CONFIG_DIR / key.partition("@")[0]).is_dir():
        listed = ", ".join(groups) or "none"
        return f"The command {config_name} has no config group '{key}'.\nIts groups: {listed}"
    group, _, name = key.rpartition(".")
    chosen = [a for a in arguments if "," not in a and "=" in a and a.partition("=")[0] in groups]
    config = compose_config(config_name, chosen)
    settings = OmegaConf.select(config, group) if group else None
    if settings is None:
        settings, group = config, ""
    choices = [str(choice) for choice in settings]
    where = f"in '{group}'" if group else "of this command"
    close = difflib.get_close_matches(name, choices, n=1)
    hint = f" Did you mean '{close[0]}'?" if close else ""
    return f"There is no setting '{key}'.{hint}\nSettings {where}: {', '.join(choices)}"


def _unreadable(error: OverrideParseException, arguments: list[str]) -> str:
    key, equals, value = error.override.partition("=")
    if not equals:
        before = arguments[: arguments.index(key)] if key in arguments else []
        hint = ""
        if before and "=" in before[-1]:
            setting, _, start = before[-1].partition("=")
            hint = f" A value with spaces stands in quotes:\n  {quoted(setting, f'{start} {key}')}"
        return f"{key}: expected SETTING=VALUE.{hint}"
    noise = ("Error parsing", "See ", "LexerNoViableAltException", "^")
    said = re.sub(r"HydraException while evaluating '.*': ", "", str(error))
    reason = [line for line in said.splitlines()[1:] if line and not line.lstrip().startswith(noise)]
    return (
        f"{error.override} can't be read{': ' if reason else ''}{'. '.join(reason)}.\n"
        f"A path or a text with = # ( ) ' or such characters stands in two pairs of quotes, one for the shell:\n"
        f"  {quoted(key, value)}"
    )


def quoted(key: str, value: str) -> str:
    """A setting as a POSIX shell wants it typed, with a value that Hydra takes letter by letter (lists: each entry)."""

    def text(plain: str) -> str:
        escaped = re.sub(r'(\\*)("|\Z)', lambda found: 2 * found[1] + ('\\"' if found[2] else ""), plain)
        return f'"{escaped}"'

    listed = re.fullmatch(r"\[(.+)\]", value)
    typed = f"[{','.join(text(entry.strip()) for entry in listed[1].split(','))}]" if listed else text(value)
    return shlex.quote(f"{key}={typed}")
