import subprocess
import sys
from pathlib import Path

import pytest
from hydra.errors import InstantiationException

from thermal_landmarks.commands.entry import explain
from thermal_landmarks.errors import DataError

ROOT = Path(__file__).parents[2]


def run(*arguments, cwd, command="train.py"):
    return subprocess.run(
        [sys.executable, str(ROOT / "src" / command), *arguments], capture_output=True, text=True, cwd=cwd
    )


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        ("stem=alt_conv_resnet", ["Could not find 'stem/alt_conv_resnet'", "alt_conv_resnext", "conv", "resnext"]),
        ("stem.dept=3", ["Did you mean 'depth'?", "Settings in 'stem'", "kernel_size"]),
        ("sede=3", ["Did you mean 'seed'?", "ensemble"]),
        ("data.augmentation.rotate=1", ["Settings in 'data.augmentation'", "rotation_max_deg"]),
    ],
)
def test_typing_mistakes_name_the_choices_in_one_screen(argument, expected, tmp_path):
    result = run(argument, cwd=tmp_path)
    assert result.returncode != 0
    assert all(text in result.stderr for text in expected)
    assert "Traceback" not in result.stderr
    assert len(result.stderr.splitlines()) < 30
    assert not list(tmp_path.iterdir())


def test_two_mistakes_and_other_commands_are_answered_as_well(tmp_path):
    assert "Did you mean 'depth'?" in run("stem.dept=3", "branch.dept=2", cwd=tmp_path).stderr
    result = run("checkpiont=x", "data=thermal_real", cwd=tmp_path, command="evaluate.py")
    assert "Did you mean 'checkpoint'?" in result.stderr
    assert "Traceback" not in result.stderr


def test_user_errors_are_found_behind_what_hydra_wraps_around_them():
    wrapped = InstantiationException("Error in call to target")
    wrapped.__cause__ = DataError("a.json, line 3: no points")
    assert explain(wrapped, "train", []) == "a.json, line 3: no points"


def test_errors_of_the_program_keep_their_traceback():
    assert explain(ZeroDivisionError("x"), "train", []) is None
