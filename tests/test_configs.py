"""Every file in conf/ composes, and the same word means the same thing in code and config."""

from pathlib import Path

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.utils import instantiate

from thermal_landmarks.cli import CONFIG_DIR, compose_config

COMMANDS = sorted(p.stem for p in CONFIG_DIR.glob("*.yaml"))
NEEDS_DATA = ("evaluate",)  # commands that have no default data
GROUPS = sorted(p.relative_to(CONFIG_DIR).with_suffix("") for p in CONFIG_DIR.glob("*/**/*.yaml") if p.stem != "base")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_composes(command):
    assert compose_config(command, ["data=synthetic"] if command in NEEDS_DATA else [])


@pytest.mark.parametrize("path", GROUPS, ids=str)
def test_every_group_file_composes_with_train(path: Path):
    group, name = path.parts[0], "/".join(path.parts[1:])
    prefix = "+" if group not in compose_config("train", []) and group not in ("experiment", "debug", "without") else ""
    assert compose_config("train", [f"{prefix}{group}={name}"])


@pytest.mark.parametrize("path", [p for p in GROUPS if p.parts[0] in ("root", "stem", "branch", "head")], ids=str)
def test_search_ranges_are_in_hydra_sweep_syntax_and_name_settings(path: Path):
    settings = compose_config("train", [f"{path.parts[0]}={path.parts[1]}"])[path.parts[0]]
    for name, sweep in (settings.get("search") or {}).items():
        assert name in settings
        override = OverridesParser.create().parse_override(f"{path.parts[0]}.{name}={sweep}")
        assert override.is_sweep_override()


FACTORS = sorted(p.stem for p in (CONFIG_DIR / "without").glob("*.yaml"))


@pytest.mark.parametrize("factor", [f for f in FACTORS if f != "nothing"])
def test_a_factor_left_out_changes_the_rendered_faces(factor: str):
    with_all, without = (
        instantiate(compose_config("train", [f"without={name}"]).data.source) for name in ("nothing", factor)
    )
    assert with_all.fingerprint() != without.fingerprint()
