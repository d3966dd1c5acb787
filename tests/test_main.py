"""The console script: what it lists, and that it runs each command from any folder."""

import os
import pkgutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import thermal_landmarks
from thermal_landmarks import commands
from thermal_landmarks.__main__ import COMMANDS, main, usage

SCRIPT = Path(sys.executable).with_name("thermal-landmarks")
ROOT = Path(__file__).parents[1]


def run(*arguments, cwd, script=(str(SCRIPT),), **environment):
    return subprocess.run([*script, *arguments], cwd=cwd, capture_output=True, text=True, env=os.environ | environment)


def test_every_command_is_listed_with_one_line_and_has_an_entry():
    shared = {"configs", "entry", "explaining", "help"}
    modules = {module.name for module in pkgutil.iter_modules(commands.__path__)} - shared
    assert set(COMMANDS) == modules == {path.stem for path in (ROOT / "src").glob("*.py")}
    for name, line in COMMANDS.items():
        assert f"  {name}" in usage()
        assert line in usage()
        assert (ROOT / "src" / f"{name}.py").read_text().splitlines() == [
            f"from thermal_landmarks.commands.{name} import main",
            "",
            'if __name__ == "__main__":',
            "    main()",
        ]


def test_help_loads_neither_torch_nor_hydra(tmp_path):
    script = "import sys, thermal_landmarks.__main__ as m; m.main(); assert not {'torch', 'hydra'} & {*sys.modules}"
    result = run("--help", cwd=tmp_path, script=(sys.executable, "-c", script))
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == usage()


def test_version_and_unknown_commands(tmp_path):
    for script in ((str(SCRIPT),), (sys.executable, "-m", "thermal_landmarks")):
        said = run("--version", cwd=tmp_path, script=script).stdout
        assert said == f"thermal-landmarks {thermal_landmarks.__version__}\n"
    result = run("trian", cwd=tmp_path)
    assert result.returncode == 1
    assert "Did you mean 'train'?" in result.stderr


def test_a_command_runs_from_any_folder_and_writes_below_it(tmp_path):
    np.save(tmp_path / "wall.npy", np.random.default_rng(0).normal(20, 0.1, (48, 64)))
    result = run("predict", "source=wall.npy", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert [path.name for path in tmp_path.glob("outputs/*/*/points.csv")] == ["points.csv"]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("thermal-landmarks che", ["check_data"]),
        ("thermal-landmarks train stem=alt_conv_l", ["stem=alt_conv_luong"]),
        ("thermal-landmarks predict over", ["overlays="]),
    ],
)
def test_completion_knows_commands_and_their_settings(line, expected, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["thermal-landmarks", "-sc", "query=bash"])
    monkeypatch.setenv("COMP_LINE", line)
    main()
    assert capsys.readouterr().out.split() == expected


def test_completion_is_installed_for_the_script(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["thermal-landmarks", "-sc", "install=bash"])
    main()
    assert capsys.readouterr().out.strip().endswith("hydra_bash_completion thermal-landmarks")


def test_the_citation_names_the_version():
    assert f"\nversion: {thermal_landmarks.__version__}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
