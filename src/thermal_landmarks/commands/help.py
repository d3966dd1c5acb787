"""The page of `COMMAND --help`: the command's own settings with what its file in `conf/` says about them."""

import re
from pathlib import Path
from typing import NamedTuple

WIDEST = 120


class Setting(NamedTuple):
    """A line of a config file."""

    name: str
    meaning: str


def settings_of(file: Path) -> list[Setting]:
    """The settings of a command with their values and comments, without Hydra's own and without derived ones.

    In the file of `conf/`, a comment that goes on stands on the next line, indented.
    """
    settings: list[Setting] = []
    section = ""
    for line in file.read_text(encoding="utf-8").splitlines():
        if found := re.fullmatch(r"(\w+):.*", line):
            section = found[1]
        if section in ("", "defaults", "hydra") or not line.strip():
            continue
        name, _, meaning = line.partition("#")
        if name.strip():
            settings.append(Setting(name.rstrip(), meaning.strip()))
        elif settings and line.startswith(" "):
            last = settings.pop()
            settings.append(last._replace(meaning=f"{last.meaning} {meaning.strip()}".strip()))
    own = [setting for setting in settings if "${" not in setting.name]
    return [
        setting
        for setting, following in zip(own, [*own[1:], None], strict=True)
        if not setting.name.endswith(":") or (following and following.name.startswith(" "))
    ]


def print_help(name: str, description: str, folder: Path, groups: list[str]) -> None:
    """Print the page of a command: what it does in a sentence or two, its settings in `conf/` and its config groups."""
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    console = Console(highlight=False, width=min(console.width, WIDEST))
    own = Table.grid(padding=(0, 2))
    own.add_column(max_width=console.width * 2 // 5, overflow="fold")
    own.add_column()
    for setting in settings_of(folder / f"{name}.yaml"):
        own.add_row(setting.name, setting.meaning)
    console.print(f"{' '.join(description.split())}\n", markup=False)
    console.print(f"Usage: thermal-landmarks {name} SETTING=VALUE ...\n", markup=False)
    console.print("Settings and their values:\n")
    console.print(own, markup=False)
    if groups:
        choices = Table.grid(padding=(0, 2))
        choices.add_column(no_wrap=True)
        choices.add_column()
        for group in groups:
            files = sorted(file.relative_to(folder / group) for file in (folder / group).rglob("*.yaml"))
            choices.add_row(group, ", ".join(file.with_suffix("").as_posix() for file in files))
        console.print(
            "\nGroups: GROUP=NAME takes one of these files of settings, GROUP.SETTING=VALUE changes one of its "
            "settings.\n"
        )
        console.print(choices, markup=False)
    console.print(
        f"\nThe whole config: thermal-landmarks {name} --cfg job. Several runs: --multirun SETTING=A,B. More of Hydra: "
        "--hydra-help.",
        markup=False,
    )
