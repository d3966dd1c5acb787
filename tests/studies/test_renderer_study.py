import json
from pathlib import Path

import numpy as np
import pytest
from renderer_study import factor_rows, factor_table, scaling_figure

from thermal_landmarks.errors import ConfigError


def write(folder: Path, nme: float, subjects: int = 10) -> Path:
    folder.mkdir(parents=True)
    (folder / "metrics.json").write_text(json.dumps({"test/nme": nme}))
    (folder / "config.yaml").write_text(f"data: {{source: {{subjects: {subjects}}}}}\n")
    return folder


def test_the_table_shows_what_was_measured_in_percent(tmp_path: Path) -> None:
    for name, nme in {"nothing": 0.05, "glasses": 0.061, "glasses_always": 0.2, "glasses_base": 0.1}.items():
        write(tmp_path / name, nme)
    table = factor_table(factor_rows(tmp_path, ["nothing", "glasses"])).splitlines()
    assert table[2] == "| nothing | 5.0 |  |  |  |"
    assert table[3] == "| glasses | 6.1 | 20.0 | 10.0 |  |"


def test_the_figure_has_a_point_for_every_run_in_order_of_size(tmp_path: Path) -> None:
    runs = [write(tmp_path / f"n{n}", error, n) for n, error in ((500, 0.06), (50, 0.09), (5000, 0.05))]
    for run in runs:
        write(run.with_name(f"{run.name}_real"), 0.1)
    lines = scaling_figure(runs).axes[0].get_lines()
    assert np.asarray(lines[0].get_xdata()).tolist() == [50, 500, 5000]
    assert np.asarray(lines[0].get_ydata()).tolist() == pytest.approx([9.0, 6.0, 5.0])


def test_a_missing_evaluation_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"n50_real: no metrics\.json"):
        scaling_figure([write(tmp_path / "n50", 0.09, 50)])
