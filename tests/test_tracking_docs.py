"""The commands of docs/tracking.md run as they stand there."""

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).parents[1] / "docs" / "tracking.md"


@pytest.mark.slow
def test_the_commands_of_the_page_run(run_script: Callable[..., Any], tmp_path: Path) -> None:
    (block,) = re.findall(r"```bash\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    commands = [shlex.split(line) for line in block.splitlines()]
    assert len(commands) == 3
    for words in commands:
        assert words[:3] == ["uv", "run", "python"]
        cheaper = ["workers=1"] if "render_sequence" in words[3] else ["device=cpu"]
        result = run_script([*words[3:], *cheaper], cwd=tmp_path)
        assert result.returncode == 0, f"{words}: {result.stderr}"
    assert (tmp_path / "outputs" / "tracks" / "overlay.mp4").is_file()
    assert (tmp_path / "outputs" / "smooth" / "tracks_deeplabcut.csv").is_file()
