"""One ONNX graph from an image to its faces: candidates, the choice among them, the landmarks of those chosen."""

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
from thermal_landmarks.exporting.choice_graph import MOST_FACES, SEEN, choice_model
from thermal_landmarks.exporting.crop_landmarks import CropLandmarks
from thermal_landmarks.exporting.face_graphs import Candidates, FaceLandmarks
from thermal_landmarks.exporting.first_look import FIRST
from thermal_landmarks.exporting.quick_operators import (
    with_doubled_maps,
    with_quick_operators,
    with_sizes_of_results,
    with_small_places,
    with_wider_groups,
)
from thermal_landmarks.exporting.seen_graph import seen_model
from thermal_landmarks.inference.finder import MULTIPLE
from thermal_landmarks.runtime.exported import METADATA

OPSET = 20
FIND, LOOK = "find/", "look/"
"""What names of the two networks' nodes start with."""
_DECIDES = ("enough",)
CHOSEN = ("boxes", "raw_score", "angle")
_OF_A_FACE: dict[str, tuple[str | int, ...]] = {"boxes": ("face", 4), "angle": ("face",), "score": ("face",)}
_MOST_IMAGES = 4096  # of a batch
_HEIGHT, _WIDTH = Dim("height", min=64, max=8192), Dim("width", min=64, max=8192)


def faces_model(candidates: Candidates, landmarks: FaceLandmarks) -> onnx.ModelProto:
    """The graph with the inputs `image` (height, width) and `celsius` and the outputs that `exported.py` reads."""
    first = _chosen(candidates_model(candidates, FIND, images=1))
    _of_one_image(first, FIND)
    second = _landmarks_part(landmarks)
    second = compose.add_prefix(
        second, "given_", rename_nodes=False, rename_edges=False, rename_initializers=False, rename_value_infos=False,
        rename_inputs=True, rename_outputs=False, rename_functions=False,
    )  # fmt: skip
    joined = _joined(first, second, {"same_image": "given_image", **{name: f"given_{name}" for name in CHOSEN}})
    _give(joined, points=("face", "point", 2), confidence=("face",), point_confidence=("face", "point"), **_OF_A_FACE)
    onnx.checker.check_model(joined)
    return joined


def finder_model(candidates: Candidates) -> onnx.ModelProto:
    """From `images` (image, height, width) and `celsius` to the faces in them: `image`, `boxes`, `score` and `angle`.

    `image` says which image a face is in, counted from 0.
    """
    model = _chosen(candidates_model(candidates, FIND))
    for name, result in (("image_of_face", "image"), ("raw_score", "score")):
        model.graph.node.append(helper.make_node("Identity", [name], [result]))
    _give(model, **_OF_A_FACE)
    model.graph.output.append(helper.make_tensor_value_info("image", TensorProto.INT64, ("face",)))
    onnx.checker.check_model(model)
    return model


def crops_model(landmarks: CropLandmarks) -> onnx.ModelProto:
    """From `crops` (crop, height, width), of the network's size, and `celsius` to `points` (crop, point, 2)."""
    crops = {0: Dim("crop", min=1, max=_MOST_IMAGES)}
    example = torch.rand(3, *landmarks.size) * 10 + 25
    return _convert(landmarks, (example, torch.tensor(True)), (crops, None), ["crops", "celsius"], ["points"])


def candidates_model(candidates: Candidates, prefix: str, *more: str, images: int | None = None) -> onnx.ModelProto:
    """From `images` and `celsius` to `SEEN` (and more); the rest has names with the prefix.

    Args:
        candidates: What the finder sees.
        prefix: Of names.
        more: Results beyond `SEEN`.
        images: How many there are; None: any number.
    """
    rows, columns = (MULTIPLE * Dim(name, min=2, max=512) for name in ("rows", "columns"))
    padded = {2: rows, 3: columns} if images else {0: Dim("image", min=1, max=_MOST_IMAGES), 2: rows, 3: columns}
    gray, longest = torch.rand(images or 2, 1, 9 * MULTIPLE, 12 * MULTIPLE), torch.full((1,), 640.0)
    # Sizes are multiples of the coarsest level's cell, and each level is twice as large as the one before.
    cells = _convert(candidates.cells, (gray, longest), (padded, None), ["shown", "of"], [*SEEN, *more], doubled=True)
    seen = compose.add_prefix(
        seen_model(candidates.longest_side, OPSET), "seen/", rename_inputs=False, rename_outputs=False
    )
    model = _joined(seen, cells, {"gray": "shown", "longest": "of"})
    return compose.add_prefix(model, prefix, rename_inputs=False, rename_outputs=False)


def first_look_model(first: Candidates) -> onnx.ModelProto:
    """As `candidates_model`, of one `image` (so `first` has `BestCell`), for `first_look.with_first_look`."""
    model = candidates_model(first, FIRST, *_DECIDES, images=1)
    _of_one_image(model, FIRST)
    for value in model.graph.output:
        value.name = f"{FIRST}{value.name}"
    for node in model.graph.node:
        for names in (node.output, node.input):
            names[:] = [f"{FIRST}{name}" if name in (*SEEN, *_DECIDES) else name for name in names]
    return model


def _landmarks_part(landmarks: FaceLandmarks) -> onnx.ModelProto:
    image = torch.rand(480, 640) * 10 + 25
    boxes, score, angle = torch.tensor([[200.0, 80, 440, 420]] * 3), torch.full((3,), 0.9), torch.zeros(3)
    face = {0: Dim("face", min=0, max=MOST_FACES)}
    model = _convert(
        landmarks,
        (image, boxes, score, angle),
        ({0: _HEIGHT, 1: _WIDTH}, face, face, face),
        ["image", "boxes", "raw_score", "angle"],
        ["points", "confidence", "point_confidence", "score"],
    )
    return compose.add_prefix(model, LOOK, rename_inputs=False, rename_outputs=False)


def _of_one_image(model: onnx.ModelProto, prefix: str) -> None:
    """Take `image` (height, width) in the place of a batch of them."""
    graph = model.graph
    axis = numpy_helper.from_array(np.array([0], np.int64), f"{prefix}batch_axis")
    graph.initializer.append(axis)
    graph.node.insert(0, helper.make_node("Unsqueeze", ["image", axis.name], ["images"], name=f"{prefix}batch"))
    (given,) = (value for value in graph.input if value.name == "images")
    given.CopyFrom(helper.make_tensor_value_info("image", TensorProto.FLOAT, ("height", "width")))
    if any(value.name == "boxes" for value in graph.output):
        graph.node.append(helper.make_node("Identity", ["image"], ["same_image"]))
        graph.output.append(helper.make_tensor_value_info("same_image", TensorProto.FLOAT, ("height", "width")))


def _convert(
    module: nn.Module,
    inputs: tuple[Tensor, ...],
    open_sizes: tuple[Any, ...],
    names: list[str],
    results: list[str],
    *,
    doubled: bool = False,
) -> onnx.ModelProto:
    """A module as a graph; `doubled` as of `with_doubled_maps`."""
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
    if doubled:
        model = with_sizes_of_results(with_doubled_maps(model))
    del model.graph.value_info[:]
    return with_small_places(with_wider_groups(with_quick_operators(model)))


def _chosen(candidates: onnx.ModelProto) -> onnx.ModelProto:
    """The graph of candidates with the choice of one for each face."""
    choice = compose.add_prefix(choice_model(OPSET), "choose/", rename_inputs=False, rename_outputs=False)
    choice = compose.add_prefix(
        choice, "given/", rename_nodes=False, rename_edges=False, rename_initializers=False, rename_value_infos=False,
        rename_inputs=True, rename_outputs=False, rename_functions=False,
    )  # fmt: skip
    return _joined(candidates, choice, {name: f"given/{name}" for name in SEEN})


def _joined(first: onnx.ModelProto, second: onnx.ModelProto, handed_on: dict[str, str]) -> onnx.ModelProto:
    """Two graphs as one, in which results of the first are inputs of the second."""
    first.ir_version = second.ir_version = max(first.ir_version, second.ir_version)
    joined: onnx.ModelProto = compose.merge_models(first, second, list(handed_on.items()))
    del joined.opset_import[:]  # one of each part
    joined.opset_import.append(helper.make_opsetid("", OPSET))
    return joined


def _give(model: onnx.ModelProto, **results: tuple[str | int, ...]) -> None:
    """Make these, which are of floating point, the graph's results."""
    graph = model.graph
    del graph.output[:]
    graph.output.extend(helper.make_tensor_value_info(name, TensorProto.FLOAT, size) for name, size in results.items())


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
