"""One ONNX graph from an image to its faces: candidates, the choice among them, the landmarks of those chosen.

The choice (one box for each face) is ONNX's own NonMaxSuppression, which leaves the number of faces open.
"""

import hashlib
import io
import json
import logging
import warnings
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, compose, helper, numpy_helper
from torch import Tensor, nn
from torch.export import Dim

from thermal_landmarks.data.annotation import ThermalImage
from thermal_landmarks.data.schemes import Scheme
from thermal_landmarks.exporting.crop_landmarks import CropLandmarks
from thermal_landmarks.exporting.face_graphs import Candidates, FaceLandmarks
from thermal_landmarks.exporting.first_look import FIRST, SEEN
from thermal_landmarks.exporting.quick_operators import (
    with_doubled_maps,
    with_quick_operators,
    with_wider_groups,
)
from thermal_landmarks.inference.finder import LEAST_SCORE, MULTIPLE, OVERLAP
from thermal_landmarks.runtime.exported import METADATA

OPSET = 20
FIND, LOOK = "find/", "look/"
"""What names of the two networks' nodes start with."""
_DECIDES = ("enough",)
_MOST = 200  # faces of a picture
_MOST_IMAGES = 4096  # of a batch
_HEIGHT, _WIDTH = Dim("height", min=64, max=8192), Dim("width", min=64, max=8192)


def faces_model(candidates: Candidates, landmarks: FaceLandmarks) -> onnx.ModelProto:
    """The graph with the inputs `image` (height, width) and `celsius` and the outputs that `exported.py` reads."""
    first = candidates_model(candidates, FIND)
    second = _landmarks_part(landmarks)
    _choose(first)
    _of_one_image(first)
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


def finder_model(candidates: Candidates) -> onnx.ModelProto:
    """From `images` (image, height, width) and `celsius` to the faces in them: `image`, `boxes`, `score` and `angle`.

    `image` says which image a face is in, counted from 0.
    """
    model = candidates_model(candidates, FIND)
    _choose(model)
    del model.graph.output[:]
    shown: dict[str, tuple[int, tuple[str | int, ...]]] = {
        "image": (TensorProto.INT64, ("face",)),
        "boxes": (TensorProto.FLOAT, ("face", 4)),
        "score": (TensorProto.FLOAT, ("face",)),
        "angle": (TensorProto.FLOAT, ("face",)),
    }
    constant = numpy_helper.from_array(np.array(0, np.int64), "choose/image_column")
    model.graph.initializer.append(constant)
    model.graph.node.append(helper.make_node("Gather", ["choose/selected", constant.name], ["image"], axis=1))
    model.graph.node.append(helper.make_node("Identity", ["raw_score"], ["score"]))
    model.graph.output.extend(helper.make_tensor_value_info(name, *what) for name, what in shown.items())
    onnx.checker.check_model(model)
    return model


def crops_model(landmarks: CropLandmarks) -> onnx.ModelProto:
    """From `crops` (crop, height, width), of the network's size, and `celsius` to `points` (crop, point, 2)."""
    crops = {0: Dim("crop", min=1, max=_MOST_IMAGES)}
    example = torch.rand(3, *landmarks.size) * 10 + 25
    return _convert(landmarks, (example, torch.tensor(True)), (crops, None), ["crops", "celsius"], ["points"])


def candidates_model(candidates: Candidates, prefix: str, *more: str) -> onnx.ModelProto:
    """From `images` and `celsius` to `cells`, `scores`, `angles` (and more); the rest has names with the prefix."""
    images, image = torch.rand(2, 480, 640) * 10 + 25, Dim("image", min=1, max=_MOST_IMAGES)
    sizes = {0: image, 1: _HEIGHT, 2: _WIDTH}
    seen = _convert(
        candidates.seen, (images, torch.tensor(True)), (sizes, None), ["images", "celsius"], ["gray", "longest"]
    )
    seen = compose.add_prefix(seen, "seen/", rename_inputs=False, rename_outputs=False)
    padded = {0: image, 2: MULTIPLE * Dim("rows", min=2, max=512), 3: MULTIPLE * Dim("columns", min=2, max=512)}
    gray, longest = torch.rand(2, 1, 9 * MULTIPLE, 12 * MULTIPLE), torch.full((1,), 640.0)
    cells = _convert(candidates.cells, (gray, longest), (padded, None), ["shown", "of"], [*SEEN, *more])
    cells = with_doubled_maps(cells)  # sizes are multiples of the coarsest level's cell
    model: onnx.ModelProto = compose.merge_models(seen, cells, [("gray", "shown"), ("longest", "of")])
    del model.opset_import[:]  # one of each part
    model.opset_import.append(helper.make_opsetid("", OPSET))
    return compose.add_prefix(model, prefix, rename_inputs=False, rename_outputs=False)


def first_look_model(first: Candidates) -> onnx.ModelProto:
    """As `candidates_model`, of one `image` (so `first` has `CellsOfOne`), for `first_look.with_first_look`."""
    model = candidates_model(first, FIRST, *_DECIDES)
    _of_one_image(model)
    for value in model.graph.output:
        value.name = f"{FIRST}{value.name}"
    for node in model.graph.node:
        for names in (node.output, node.input):
            names[:] = [f"{FIRST}{name}" if name in (*SEEN, *_DECIDES) else name for name in names]
    return model


def _landmarks_part(landmarks: FaceLandmarks) -> onnx.ModelProto:
    image = torch.rand(480, 640) * 10 + 25
    boxes, score, angle = torch.tensor([[200.0, 80, 440, 420]] * 3), torch.full((3,), 0.9), torch.zeros(3)
    face = {0: Dim("face", min=0, max=_MOST)}
    model = _convert(
        landmarks,
        (image, boxes, score, angle),
        ({0: _HEIGHT, 1: _WIDTH}, face, face, face),
        ["image", "boxes", "raw_score", "angle"],
        ["points", "confidence", "point_confidence", "score"],
    )
    return compose.add_prefix(model, LOOK, rename_inputs=False, rename_outputs=False)


def _of_one_image(model: onnx.ModelProto) -> None:
    """Take `image` (height, width) in the place of a batch of them."""
    graph = model.graph
    axis = numpy_helper.from_array(np.array([0], np.int64), f"{graph.node[0].name}/batch_axis")
    graph.initializer.append(axis)
    graph.node.insert(0, helper.make_node("Unsqueeze", ["image", axis.name], ["images"], name=f"{axis.name}/batch"))
    (given,) = (value for value in graph.input if value.name == "images")
    given.CopyFrom(helper.make_tensor_value_info("image", TensorProto.FLOAT, ("height", "width")))
    if any(value.name == "boxes" for value in graph.output):
        graph.node.append(helper.make_node("Identity", ["image"], ["same_image"]))
        graph.output.append(helper.make_tensor_value_info("same_image", TensorProto.FLOAT, ("height", "width")))


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
    return with_wider_groups(with_quick_operators(model))


def _choose(model: onnx.ModelProto) -> None:
    """Add the choice of one candidate for each face."""
    graph = model.graph
    constants: dict[str, np.ndarray] = {
        "most": np.array([_MOST], np.int64),
        "overlap": np.array([OVERLAP], np.float32),
        "least_score": np.array([LEAST_SCORE], np.float32),
        "image_and_cell": np.array([0, 2], np.int64),
        "one_class": np.array([1], np.int64),
    }
    graph.initializer.extend(numpy_helper.from_array(value, f"choose/{name}") for name, value in constants.items())

    def add(kind: str, inputs: list[str], result: str, **settings: Any) -> None:
        graph.node.append(helper.make_node(kind, inputs, [result], name=f"choose/{result}", **settings))

    add(
        "NonMaxSuppression",
        ["cells", "scores", "choose/most", "choose/overlap", "choose/least_score"],
        "choose/selected",
    )
    add("Gather", ["choose/selected", "choose/image_and_cell"], "choose/places", axis=1)
    add("Squeeze", ["scores", "choose/one_class"], "choose/scores")
    for name, source in (("boxes", "cells"), ("raw_score", "choose/scores"), ("angle", "angles")):
        add("GatherND", [source, "choose/places"], name)
    del graph.output[:]
    results: dict[str, tuple[str | int, ...]] = {"boxes": ("face", 4), "raw_score": ("face",), "angle": ("face",)}
    for name, shape in results.items():
        graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))


def half_precision(model: onnx.ModelProto) -> onnx.ModelProto:
    """Weights of convolutions in 16 bits, which halves the file; they are widened once, when it is loaded."""
    halved = onnx.ModelProto()
    halved.CopyFrom(model)
    branches = [branch.g for node in halved.graph.node for branch in node.attribute if branch.HasField("g")]
    for graph in (halved.graph, *branches):
        _halve(graph)
    return halved


def _halve(graph: onnx.GraphProto) -> None:
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


def runner(path: Path, threads: int) -> Callable[[dict[str, np.ndarray]], dict[str, np.ndarray]]:
    """A file as a function of named arrays."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3  # errors
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    names = [result.name for result in session.get_outputs()]
    return lambda given: dict(zip(names, session.run(names, given), strict=True))


def image_inputs(image: ThermalImage) -> dict[str, np.ndarray]:
    """What a graph of all faces gets of an image."""
    return {"image": image.values, "celsius": np.array(image.unit == "celsius")}


def write(model: onnx.ModelProto, path: Path, settings: dict[str, Any]) -> None:
    """Write a graph with what it says of itself."""
    del model.metadata_props[:]
    helper.set_model_props(model, {METADATA: json.dumps(settings)})
    model.producer_name = "thermal-landmarks"
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, str(path))


def describe(scheme: Scheme, what: str = "faces", **settings: Any) -> dict[str, Any]:
    """What an exported file says of itself."""
    return {"what": what, "scheme": scheme.name, "landmarks": list(scheme.landmark_names), **settings}


def fingerprint(*networks: nn.Module) -> str:
    """Of the weights, so that a file can be told from one of other weights."""
    digest = hashlib.sha256()
    for network in networks:
        for name, value in sorted(network.state_dict().items()):
            digest.update(name.encode())
            digest.update(value.cpu().numpy().tobytes())
    return digest.hexdigest()[:16]
