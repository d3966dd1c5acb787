"""The commands of docs/signals.md run as they stand there, on a rendered face."""

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tifffile

from thermal_faces.video.sequence import SyntheticSequence

PAGE = Path(__file__).parents[1] / "docs" / "signals.md"


@pytest.mark.slow
def test_the_tour_runs(run_script: Callable[..., Any], tmp_path: Path) -> None:
    frames = [frame.temperature_c for frame in SyntheticSequence(seconds=5, rate_hz=4, size=(180, 240))]
    pages = np.rint((np.stack(frames) + 273.15) * 100).astype(np.uint16)
    tifffile.imwrite(tmp_path / "recording.tif", pages, photometric="minisblack")
    block = re.findall(r"```bash\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)[0]
    commands = [shlex.split(line) for line in block.splitlines()]
    assert [words[1] for words in commands] == ["track", "signals"]
    extra = {"track": ["unit=centi_kelvin", "fps=4", "overlay=false", "device=cpu"], "signals": []}
    for words in commands:
        assert words[0] == "thermal-landmarks"
        result = run_script([f"src/{words[1]}.py", *words[2:], *extra[words[1]]], cwd=tmp_path)
        assert result.returncode == 0, result.stderr
    signals = pd.read_csv(tmp_path / "signals" / "signals.csv")
    assert signals[signals["signal"] == "forehead_median"]["value"].between(28, 38).all()
    assert (tmp_path / "signals" / "recording.html").is_file()
