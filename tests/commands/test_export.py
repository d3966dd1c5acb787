"""`export` from a checkpoint to a file that is compared with the network, or a reason why not."""

import json
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from thermal_faces import SyntheticFaces
from thermal_landmarks.errors import ConfigError
from thermal_landmarks.exporting import crop_landmarks, onnx_file, timing
from thermal_landmarks.exporting.export import export
from thermal_landmarks.exporting.face_graphs import Candidates
from thermal_landmarks.models.checkpoint import find_checkpoint

PAGE = (Path(__file__).parents[2] / "docs" / "fast.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module", autouse=True)
def finder_converted_once() -> Iterator[None]:
    """PyTorch's exporter takes ten seconds and more a network, whatever its size."""
    convert, kept = onnx_file.candidates_model, {}

    def converted(candidates: Candidates, prefix: str, *more: str, images: int | None = None) -> onnx.ModelProto:
        wanted = prefix, more, images
        if wanted not in kept:
            kept[wanted] = convert(candidates, prefix, *more, images=images).SerializeToString()
        return onnx.load_from_string(kept[wanted])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(onnx_file, "candidates_model", converted)
        yield


@pytest.mark.slow
def test_the_commands_of_the_page_export_and_predict(
    run_script: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the finder's quick look, which would be converted, too; `test_graphs.py` tries it in the shipped file."""
    monkeypatch.setattr(timing, "RUNS", 1)
    (block,) = re.findall(r"```bash\n(.*?)```", PAGE, flags=re.DOTALL)
    small = {
        "export": ["rendered_frames=2", "finder_first_size=null"],
        "predict": ["unit=celsius", "hydra.run.dir=out"],
    }
    source = SyntheticFaces(subjects=3, images_per_subject=1, size=(120, 160), seed=5)
    (tmp_path / "faces").mkdir()
    np.save(tmp_path / "faces" / "face.npy", source.load(source.annotations()[1]).values)
    said = {}
    for line in block.strip().splitlines():
        name, *settings = shlex.split(line.removeprefix("uv run thermal-landmarks "))
        done = run_script([f"src/{name}.py", *settings, *small[name]], cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        said[name] = done.stdout
    assert "PyTorch, fast" in said["export"]
    assert "onnx, fast, 32" in said["export"]
    assert len((tmp_path / "out" / "points.csv").read_text().splitlines()) == 2


def test_the_lines_of_the_page_in_python_find_a_face() -> None:
    source = SyntheticFaces(subjects=3, images_per_subject=1, size=(120, 160), seed=5)
    (block,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    told: list[tuple[Any, ...]] = []
    exec(
        block, {"temperatures_c": source.load(source.annotations()[1]).values, "print": lambda *said: told.append(said)}
    )
    ((confidence, box, points),) = told
    assert confidence > 0.5
    assert len(box) == 4
    assert points.shape == (16, 2)


@pytest.mark.parametrize("form", ["executorch", "coreml"])
def test_formats_that_are_not_written_are_refused_with_the_reason(form: Any, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"format={form} is not written: .*openvino"):
        export(find_checkpoint("thermal_real"), tmp_path / "a", form=form)


@pytest.mark.parametrize("wrong", [{"speed": "exact"}, {"precision": "8"}, {"form": "pickle"}])
def test_unknown_settings_are_refused(wrong: Any, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="choose format=onnx"):
        export(find_checkpoint("thermal_real"), tmp_path / "a", **wrong)


def test_a_network_that_has_no_cascade_is_refused(make_checkpoint: Any, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Only cascades"):
        export(make_checkpoint(), tmp_path / "a")


def test_parts_are_refused_in_8_bits(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="what=finder precision=int8: choose 32 or 16"):
        export(find_checkpoint("thermal_real"), tmp_path / "a", what="finder", precision="int8")


@pytest.mark.slow
@pytest.mark.parametrize(("what", "inputs"), [("landmarks", {"crops", "celsius"}), ("finder", {"images", "celsius"})])
def test_a_part_is_exported_for_batches_and_compared(
    what: Any, inputs: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timing, "RUNS", 1)
    monkeypatch.setattr(crop_landmarks, "_HALVINGS", 2)  # of the file and the network alike: a tenth of the operators
    exported = export(find_checkpoint("thermal_real"), tmp_path / what, what=what, rendered=2)
    assert exported.parity.faces >= 1
    assert exported.parity.largest_px < 0.01
    graph = onnx.load(exported.path).graph
    assert {value.name for value in graph.input} == inputs
    assert graph.input[0].type.tensor_type.shape.dim[0].dim_param  # any number of them
    run, draw = onnx_file.runner(exported.path, 1), np.random.default_rng(0)
    batch = draw.uniform(20, 36, (3, 192, 192)).astype(np.float32)
    name, result = next(iter(inputs - {"celsius"})), "points" if what == "landmarks" else "boxes"
    together, alone = (
        [run({name: part, "celsius": np.array(True)})[result] for part in parts]
        for parts in ([batch], np.split(batch, 3))
    )
    np.testing.assert_allclose(together[0], np.concatenate(alone), atol=1e-2)


@pytest.mark.slow
def test_landmarks_are_exported_for_phones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("litert_torch", reason="format=tflite is tested where litert-torch is installed")
    monkeypatch.setattr(timing, "RUNS", 1)
    exported = export(find_checkpoint("thermal_real"), tmp_path / "a", what="landmarks", form="tflite", rendered=3)
    assert exported.path == tmp_path / "a.tflite"
    assert exported.parity.faces == 3
    assert exported.parity.largest_px < 0.01
    assert json.loads((tmp_path / "a.json").read_text())["crop_size"] == [192, 192]


def test_tflite_without_its_converter_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "litert_torch", None)
    with pytest.raises(ConfigError, match=r"needs litert-torch, .*pip install 'thermal-landmarks.*' litert-torch"):
        export(find_checkpoint("thermal_real"), tmp_path / "a", what="landmarks", form="tflite", rendered=1)


def test_tflite_is_for_landmarks_alone(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"format=tflite what=faces precision=32: .*what=landmarks"):
        export(find_checkpoint("thermal_real"), tmp_path / "a", form="tflite")
