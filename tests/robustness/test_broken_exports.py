"""Exported files that are damaged, foreign or tampered with: refused in one line, or faces of the right shapes."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from robustness.bounds import held_to_bounds
from robustness.damage import damaged_bytes, odd_settings

from thermal_landmarks.runtime.exported import METADATA, RESULTS, ExportedFaces

SHAPES = {"points": (1, 16, 2), "confidence": (1,), "point_confidence": (1, 16), "boxes": (1, 4)}
IMAGE = np.random.default_rng(0).normal(30, 1, (12, 16)).astype(np.float32)


def _export(path: Path, *, stored: str, shapes: dict[str, tuple[int, ...]], inputs: tuple[str, ...]) -> Path:
    """A graph that gives one face whatever it sees."""
    nodes, outputs = [], []
    for name, shape in shapes.items():
        values = helper.make_tensor(name, TensorProto.FLOAT, shape, np.full(shape, 0.9).ravel().tolist())
        nodes.append(helper.make_node("Constant", [], [name], value=values))
        outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
    kinds = {"image": (TensorProto.FLOAT, ["height", "width"]), "celsius": (TensorProto.BOOL, [])}
    given = [helper.make_tensor_value_info(name, *kinds.get(name, (TensorProto.FLOAT, [1]))) for name in inputs]
    model = helper.make_model(helper.make_graph(nodes, "faces", given, outputs), ir_version=10)
    model.opset_import[0].version = 20
    helper.set_model_props(model, {METADATA: stored})
    onnx.save(model, path)
    return path


def _good(path: Path, **changes: Any) -> Path:
    shapes = {name: SHAPES.get(name, (1,)) for name in RESULTS}
    settings = {"stored": json.dumps({"what": "faces", "scheme": "face16"}), "shapes": shapes}
    return _export(path, **{**settings, "inputs": ("image", "celsius"), **changes})


def test_an_export_that_gives_a_face_is_read(tmp_path: Path) -> None:
    (face,) = ExportedFaces(_good(tmp_path / "a.onnx")).faces(IMAGE)
    assert face.points_px.shape == (16, 2)


def test_every_tampered_export_is_refused_by_name(tmp_path: Path) -> None:
    shapes = {name: SHAPES.get(name, (1,)) for name in RESULTS}
    stored = {"what": "faces", "scheme": "face16"}
    cases: list[dict[str, Any]] = [
        {"stored": text} for text in ("", "{", "[" * 100_000, "3", "null", '{"what": "faces"}')
    ]
    cases += [{"shapes": {key: shape for key, shape in shapes.items() if key != name}} for name in RESULTS]
    cases += [{"shapes": {**shapes, name: (3, 2, 2)}} for name in RESULTS]
    cases += [{"inputs": ("image",)}, {"inputs": ("image", "celsius", "more")}, {"inputs": ("x", "y")}]
    cases += [{"stored": json.dumps(odd)} for _, odd in odd_settings(stored, seed=0, count=20)]
    refused = 0
    for number, changes in enumerate(cases):
        path = _good(tmp_path / f"{number}.onnx", **changes)
        _, message = held_to_bounds(lambda path=path: ExportedFaces(path).faces(IMAGE), "xport")
        refused += bool(message)
    assert refused > len(cases) - 20


def test_every_damaged_export_is_refused_by_name_or_read(tmp_path: Path) -> None:
    content = _good(tmp_path / "a.onnx").read_bytes()
    for what, broken in damaged_bytes(content, seed=0, flips=30):
        path = tmp_path / f"{what}.onnx"
        path.write_bytes(broken)
        held_to_bounds(lambda path=path: ExportedFaces(path).faces(IMAGE), "")


def test_an_export_reads_no_file_outside_its_folder(tmp_path: Path) -> None:
    """ONNX can keep weights in other files; ONNX Runtime refuses those that lie elsewhere."""
    secret = tmp_path / "secret.bin"
    secret.write_bytes(bytes(4 * 32))
    (tmp_path / "folder").mkdir()
    path = _good(tmp_path / "folder" / "a.onnx")
    model = onnx.load(path)
    tensor = model.graph.node[0].attribute[0].t
    moved = TensorProto(name="outside", data_type=TensorProto.FLOAT, dims=tensor.dims)
    moved.data_location = TensorProto.EXTERNAL
    for key, value in {"location": "../secret.bin", "offset": "0", "length": "128"}.items():
        moved.external_data.add(key=key, value=value)
    model.graph.initializer.append(moved)
    model.graph.node[0].CopyFrom(helper.make_node("Identity", ["outside"], ["points"]))
    path.write_bytes(model.SerializeToString())
    with pytest.raises(Exception, match="no ONNX file that ONNX Runtime can read"):
        ExportedFaces(path)
