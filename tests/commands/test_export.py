"""`export` from a checkpoint to a file that is compared with the network, or a reason why not."""

from pathlib import Path
from typing import Any

import pytest

from thermal_landmarks.errors import ConfigError
from thermal_landmarks.exporting.export import export
from thermal_landmarks.models.checkpoint import find_checkpoint
from thermal_landmarks.runtime.exported import ExportedFaces


@pytest.mark.slow
def test_a_checkpoint_becomes_a_file_and_a_table(run_script: Any, tmp_path: Path) -> None:
    """Slow for a reason: PyTorch's exporter takes 20 seconds, whatever the network's size."""
    settings = ["checkpoint=thermal_real", "speed=fast", "rendered_frames=2", "output=out", "name=small"]
    done = run_script(["src/export.py", *settings], cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "PyTorch, fast" in done.stdout
    assert "onnx, fast, 32" in done.stdout
    assert ExportedFaces(tmp_path / "out" / "small.onnx").settings["speed"] == "fast"


@pytest.mark.parametrize("form", ["tflite", "executorch", "coreml"])
def test_formats_that_are_not_written_are_refused_with_the_reason(form: Any, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"format={form} is not written: .*openvino"):
        export(find_checkpoint("thermal_real"), tmp_path / "a", form=form)


@pytest.mark.parametrize("wrong", [{"speed": "exact"}, {"precision": "8"}, {"form": "pickle"}])
def test_unknown_settings_are_refused(wrong: Any, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="choose format=onnx"):
        export(find_checkpoint("thermal_real"), tmp_path / "a", **wrong)


def test_a_network_that_does_not_zoom_is_refused(make_checkpoint: Any, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Only networks that zoom"):
        export(make_checkpoint(), tmp_path / "a")
