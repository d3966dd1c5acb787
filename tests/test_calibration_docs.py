"""The commands of docs/calibration.md run as they stand there."""

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).parents[1] / "docs" / "calibration.md"


@pytest.mark.slow
def test_the_commands_of_the_page_run(run_script: Callable[..., Any], tmp_path: Path, shared_data: Path) -> None:
    (tmp_path / "faces").symlink_to(shared_data / "thermal-real", target_is_directory=True)
    blocks = re.findall(r"```bash\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    commands = [shlex.split(line, comments=True) for block in blocks for line in block.splitlines()]
    assert len(commands) == 4
    for words in commands:
        assert words[:3] == ["uv", "run", "python"]
        cheaper = {"src/evaluate.py": ["data.workers=1", "overlays=0"], "src/predict.py": ["overlays=false"]}
        result = run_script(
            [*words[3:], "device=cpu", *cheaper.get(words[3], [])],
            cwd=tmp_path,
            env={"THERMAL_LANDMARKS_DATA": str(shared_data)},
        )
        assert result.returncode == 0, f"{words}: {result.stderr}"
        if words[3] == "src/calibrate.py":
            found = re.search(r"mean of faces\D+4\D+([\d.]+)\D+([\d.]+)", result.stdout)
            assert found is not None
            assert float(found[2]) < float(found[1])
    assert (tmp_path / "outputs" / "mine" / "calibration.csv").is_file()
