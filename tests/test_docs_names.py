"""What the pages tell people to type exists: files of config groups, settings, and no name of an earlier version."""

import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from thermal_faces.ranges import GROUPS
from thermal_landmarks.old_names import todays_arguments

ROOT = Path(__file__).parents[1]
CONF = ROOT / "conf"
MADE_BY_THE_READER = {"point_lines", "point_lines.yaml", "pooled", "charbonnier"}
"""Names of CONTRIBUTING's own recipes."""

PAGES = [
    page
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
    if "report" not in page.parts
]
TYPED = re.compile(r"(?<![\w./\"+])([a-z_][\w./]*)=(\[[^\]\s]*\]|[^\s`'\")|;,]*)")


def dotted(settings: Any, prefix: str = "") -> Iterator[str]:
    for key, value in settings.items() if isinstance(settings, dict) else ():
        yield f"{prefix}{key}"
        yield from dotted(value, f"{prefix}{key}.")


def known_settings() -> set[str]:
    """Of every command and group file, by the names under which they are typed."""
    known: set[str] = set()
    for file in CONF.rglob("*.yaml"):
        text = file.read_text(encoding="utf-8")
        top = file.parent == CONF or "@package _global_" in text
        settings = yaml.load(text, yaml.CSafeLoader)
        known |= set(dotted(settings, "" if top else f"{file.relative_to(CONF).parts[0]}."))
    known |= {f"data.source.{name}.{key}" for name, kind in GROUPS.items() for key in vars(kind())}
    return known | {key.removeprefix("data.") for key in known if key.startswith("data.source")}


SETTINGS = known_settings()
CHOICES = {
    folder.relative_to(CONF).as_posix(): {
        file.relative_to(folder).with_suffix("").as_posix() for file in folder.rglob("*.yaml")
    }
    for folder in (path for path in CONF.rglob("*") if path.is_dir())
}
OF_COMMANDS = {
    file.stem: {
        *dotted(settings),
        *(group for entry in settings["defaults"] if isinstance(entry, dict) for group in entry),
    }
    for file in CONF.glob("*.yaml")
    for settings in [yaml.load(file.read_text(), yaml.CSafeLoader)]
}
COMMAND = re.compile(r"(?:thermal-landmarks |src/)([a-z_]+)(?:\.py)? ")


def faults(page: Path) -> Iterator[str]:
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        command = COMMAND.search(line)
        own = OF_COMMANDS.get(command[1], set()) if command else set()
        for name, value in TYPED.findall(line):
            place = f"{page.relative_to(ROOT)}, line {number}: {name}={value}"
            if todays_arguments([f"{name}={value}"]) != [f"{name}={value}"]:
                yield f"{place} has another name today"
            elif name in CHOICES and name not in SETTINGS:
                choices = {c for c in value.strip("[]").split(",") if re.fullmatch(r"[a-z][\w/-]*\w", c)}
                if lacking := choices - CHOICES[name] - MADE_BY_THE_READER - {"null"}:
                    yield f"{place}: conf/{name} has no {', '.join(lacking)}"
            elif "." in name and name.partition(".")[0] in CHOICES and name not in SETTINGS:
                yield f"{place} is no setting"
            elif command and own and "." not in name and "/" not in name and name not in own:
                yield f"{place} is no setting of {command[1]}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
@pytest.mark.filterwarnings("ignore")
def test_a_page_names_what_exists_today(page: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert not list(faults(page))
