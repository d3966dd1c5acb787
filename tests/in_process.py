"""Commands run inside the test's own process: what a shell would run, without starting Python and torch again."""

import contextlib
import io
import os
import runpy
import subprocess
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest
from hydra.core.global_hydra import GlobalHydra

ROOT = Path(__file__).parents[1]
RunScript = Callable[..., "subprocess.CompletedProcess[str]"]
Command = Callable[..., str | int | None]


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Runs `src/NAME.py` in the test's own folder: `command("predict", "source=faces")`.

    Gives what it exits with, None where it ends well. What it prints is pytest's to capture.
    """

    def run(name: str, *arguments: str) -> str | int | None:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", [f"{name}.py", *arguments])
        try:
            runpy.run_path(str(ROOT / "src" / f"{name}.py"), run_name="__main__")
        except SystemExit as exit_:
            return exit_.code
        return None

    return run


@pytest.fixture(scope="session")
def run_script() -> RunScript:
    """Runs `src/train.py` and the others: `run_script(["src/train.py", "stem=conv"], cwd=folder)`.

    Working folder, environment and arguments are as a process would have them, and are put back afterwards.
    """

    def run(
        words: Sequence[str], *, cwd: Path, env: Mapping[str, str] | None = None
    ) -> "subprocess.CompletedProcess[str]":
        script, *arguments = words
        stdout, stderr = io.StringIO(), io.StringIO()
        before = Path.cwd(), dict(os.environ), sys.argv
        os.chdir(cwd)
        os.environ.update(env or {})
        sys.argv = [script, *arguments]
        code = 0
        try:
            with contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr):
                runpy.run_path(str(ROOT / script), run_name="__main__")
        except SystemExit as exit_:
            if isinstance(exit_.code, str):
                stderr.write(f"{exit_.code}\n")
            code = exit_.code if isinstance(exit_.code, int) else int(exit_.code is not None)
        except BaseException:
            stderr.write(traceback.format_exc())
            code = 1
        finally:
            os.chdir(before[0])
            os.environ.clear()
            os.environ.update(before[1])
            sys.argv = before[2]
            GlobalHydra.instance().clear()
        return subprocess.CompletedProcess(list(words), code, stdout.getvalue(), stderr.getvalue())

    return run
