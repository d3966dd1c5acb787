"""What `COMMAND --help` shows."""

import sys
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from thermal_landmarks.commands.configs import CONFIG_DIR
from thermal_landmarks.commands.entry import command
from thermal_landmarks.commands.help import settings_of

COMMANDS = sorted(path.stem for path in CONFIG_DIR.glob("*.yaml"))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_setting_of_a_command_stands_in_its_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    def function(_: object) -> None:
        """Do what it does.

        Not for users.
        """

    file = CONFIG_DIR / f"{name}.yaml"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", [name, "--help"])
        command(name)(function)()
    shown = capsys.readouterr().out
    config = OmegaConf.to_container(OmegaConf.load(file))
    assert isinstance(config, dict)
    plain = [str(key) for key, value in config.items() if not str(value).startswith("${")]
    missing = [key for key in plain if f"\n{key}:" not in shown]
    assert set(missing) <= {"defaults", "hydra", "group_choices"}
    assert "Do what it does." in shown
    assert "Not for users" not in shown
    assert ("\ndata " in shown) == ("data:" in file.read_text().partition("hydra:")[0])


def test_a_comment_that_goes_on_belongs_to_its_setting(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(
        "# Page\ndefaults:\n  - _self_\n\na: 1   # one\n       # two\n# Section\n"
        "b:\n  c: 2\nd: ${x:}  # derived\nhydra:\n  e: 3\n"
    )
    assert settings_of(file) == [("a: 1", "one two"), ("b:", ""), ("  c: 2", "")]
