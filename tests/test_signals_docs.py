"""The commands of docs/signals.md run as they stand there, on a smaller face."""

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from thermal_landmarks.commands.configs import compose_config

PAGE = (Path(__file__).parents[1] / "docs" / "signals.md").read_text(encoding="utf-8")
SMALLER = {
    "render_sequence": ["seconds=5", "rate_hz=4", "size=[180,240]", "workers=1"],
    "track": ["fps=4", "overlay=false", "device=cpu"],
    "signals": [],
}


@pytest.mark.slow
def test_the_tour_runs(run_script: Callable[..., Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (region,) = re.findall(r"```yaml\n(.*?)```", PAGE, flags=re.DOTALL)
    (tmp_path / "chin.yaml").write_text(region)
    blocks = re.findall(r"```bash\n(.*?)```", PAGE, flags=re.DOTALL)
    commands = [shlex.split(line) for block in blocks for line in block.splitlines()]
    assert [words[1] for words in commands] == ["render_sequence", "track", "signals", "batch", "signals"]
    for words in commands:
        assert words[0] == "thermal-landmarks"
        if words[1] == "batch":  # the same commands in processes of their own: tests/commands/test_batch.py
            assert compose_config("batch", words[2:]).track.overlay is False
            continue
        result = run_script([f"src/{words[1]}.py", *words[2:], *SMALLER[words[1]]], cwd=tmp_path)
        assert result.returncode == 0, result.stderr
    signals = pd.read_csv(tmp_path / "signals" / "signals.csv")
    assert signals[signals["signal"] == "forehead_median"]["value"].between(28, 38).all()
    assert (tmp_path / "signals" / "recording.html").is_file()
    assert "chin_mean" in set(pd.read_parquet(tmp_path / "signals_chin" / "signals.parquet")["signal"])
    (reading,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    exec(compile(reading.replace("signals/", f"{tmp_path}/signals/"), "docs/signals.md", "exec"))
    assert "Name: value" in capsys.readouterr().out
