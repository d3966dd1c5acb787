"""One ONNX graph from an image to its faces: candidates, the choice among them, the landmarks of those chosen.

The choice (one box for each face) is ONNX's own NonMaxSuppression, which leaves the number of faces open.
"""

import hashlib
import io
import json
import logging
import warnings
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, compose, helper, numpy_helper
from torch import Tensor, nn
from torch.export import Dim

from thermal_landmarks.data.schemes import Scheme
from thermal_landmarks.exporting.face_graphs import Candidates, FaceLandmarks
from thermal_landmarks.inference.finder import LEAST_SCORE, OVERLAP
from thermal_landmarks.runtime.exported import METADATA

OPSET = 20
FIND, LOOK = "find/", "look/"
"""What names of the two networks' nodes start with."""
_MOST = 200  # faces of a picture
_SIZES = {0: Dim("height", min=64, max=8192), 1: Dim("width", min=64, max=8192)}


def faces_model(candidates: Candidates, landmarks: FaceLandmarks) -> onnx.ModelProto:
    """The graph with the inputs `image` (height, width) and `celsius` and the outputs that `exported.py` reads."""
    image = torch.rand(480, 640) * 10 + 25
    boxes, score, angle = torch.tensor([[200.0, 80, 440, 420]] * 3), torch.full((3,), 0.9), torch.zeros(3)
    face = {0: Dim("face", min=0, max=_MOST)}
    first = _convert(
        candidates, (image, torch.tensor(True)), (_SIZES, None), ["image", "celsius"], ["cells", "scores", "angles"]
    )
    second = _convert(
        landmarks,
        (image, boxes, score, angle),
        (_SIZES, face, face, face),
        ["image", "boxes", "raw_score", "angle"],
        ["points", "confidence", "point_confidence", "score"],
    )
    first = compose.add_prefix(first, FIND, rename_inputs=False, rename_outputs=False)
    second = compose.add_prefix(second, LOOK, rename_inputs=False, rename_outputs=False)
    _choose(first)
    wanted = [value.name for value in second.graph.input]
    io_map = [("same_image", "image"), ("boxes", "boxes"), ("raw_score", "raw_score"), ("angle", "angle")]
    second = compose.add_prefix(
        second, "given_", rename_nodes=False, rename_edges=False, rename_initializers=False, rename_value_infos=False,
        rename_inputs=True, rename_outputs=False, rename_functions=False,
    )  # fmt: skip
    assert [value.name for value in second.graph.input] == [f"given_{name}" for name in wanted]
    joined: onnx.ModelProto = compose.merge_models(first, second, [(a, f"given_{b}") for a, b in io_map])
    joined.graph.output.append(helper.make_tensor_value_info("boxes", TensorProto.FLOAT, ("face", 4)))
    joined.graph.output.append(helper.make_tensor_value_info("angle", TensorProto.FLOAT, ("face",)))
    del joined.opset_import[:]  # one of each part
    joined.opset_import.append(helper.make_opsetid("", OPSET))
    onnx.checker.check_model(joined)
    return joined


def _convert(
    module: nn.Module, inputs: tuple[Tensor, ...], open_sizes: tuple[Any, ...], names: list[str], results: list[str]
) -> onnx.ModelProto:
    quiet = logging.getLogger("torch.onnx")
    level = quiet.level
    quiet.setLevel(logging.ERROR)
    try:
        with torch.no_grad(), warnings.catch_warnings(), redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            program = torch.export.export(module.eval(), inputs, dynamic_shapes=open_sizes, strict=False)
            converted = torch.onnx.export(
                program,
                dynamo=True,
                optimize=True,
                opset_version=OPSET,
                external_data=False,
                verbose=False,
                input_names=names,
                output_names=results,
            )
    finally:
        quiet.setLevel(level)
    assert converted is not None
    model: onnx.ModelProto = converted.model_proto
    for node in model.graph.node:
        del node.metadata_props[:]  # where in our source it comes from: half of the file
        node.doc_string = ""
    del model.graph.value_info[:]
    return model


def _choose(model: onnx.ModelProto) -> None:
    """Add the choice of one candidate for each face."""
    graph = model.graph
    constants: dict[str, np.ndarray] = {
        "most": np.array([_MOST], np.int64),
        "overlap": np.array([OVERLAP], np.float32),
        "least_score": np.array([LEAST_SCORE], np.float32),
        "column": np.array(2, np.int64),
        "one_dimension": np.array([-1], np.int64),
        "first": np.array([0], np.int64),
    }
    graph.initializer.extend(numpy_helper.from_array(value, f"choose/{name}") for name, value in constants.items())

    def add(kind: str, inputs: list[str], result: str, **settings: Any) -> None:
        graph.node.append(helper.make_node(kind, inputs, [result], name=f"choose/{result}", **settings))

    add(
        "NonMaxSuppression",
        ["cells", "scores", "choose/most", "choose/overlap", "choose/least_score"],
        "choose/selected",
    )
    add("Gather", ["choose/selected", "choose/column"], "choose/rows", axis=1)
    add("Squeeze", ["cells", "choose/first"], "choose/boxes")
    add("Gather", ["choose/boxes", "choose/rows"], "boxes", axis=0)
    add("Reshape", ["scores", "choose/one_dimension"], "choose/scores")
    add("Gather", ["choose/scores", "choose/rows"], "raw_score", axis=0)
    add("Gather", ["angles", "choose/rows"], "angle", axis=0)
    add("Identity", ["image"], "same_image")
    del graph.output[:]
    results: dict[str, tuple[str | int, ...]] = {
        "same_image": ("height", "width"),
        "boxes": ("face", 4),
        "raw_score": ("face",),
        "angle": ("face",),
    }
    for name, shape in results.items():
        graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))


def half_precision(model: onnx.ModelProto) -> onnx.ModelProto:
    """Weights of convolutions in 16 bits, which halves the file; they are widened once, when it is loaded."""
    halved = onnx.ModelProto()
    halved.CopyFrom(model)
    graph = halved.graph
    weights = {name for node in graph.node if node.op_type == "Conv" for name in node.input[1:2]}
    casts = []
    for tensor in graph.initializer:
        if tensor.name in weights:
            name = tensor.name
            tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float16), f"{name}/half"))
            casts.append(
                helper.make_node("Cast", [f"{name}/half"], [name], name=f"{name}/widened", to=TensorProto.FLOAT)
            )
    for place, cast in enumerate(casts):
        graph.node.insert(place, cast)
    return halved


def write(model: onnx.ModelProto, path: Path, settings: dict[str, Any]) -> None:
    """Write a graph with what it says of itself.

    Args:
        model: The graph.
        path: The file.
        settings: Plain data for `exported.py`.
    """
    del model.metadata_props[:]
    helper.set_model_props(model, {METADATA: json.dumps(settings)})
    model.producer_name = "thermal-landmarks"
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, str(path))


def describe(scheme: Scheme, **settings: Any) -> dict[str, Any]:
    """What an exported file says of itself."""
    return {"what": "faces", "scheme": scheme.name, "landmarks": list(scheme.landmark_names), **settings}


def fingerprint(*networks: nn.Module) -> str:
    """Of the weights, so that a file can be told from one of other weights."""
    digest = hashlib.sha256()
    for network in networks:
        for name, value in sorted(network.state_dict().items()):
            digest.update(name.encode())
            digest.update(value.cpu().numpy().tobytes())
    return digest.hexdigest()[:16]
