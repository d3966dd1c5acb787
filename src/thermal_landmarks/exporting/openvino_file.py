"""The same graph for OpenVINO (Intel and ARM processors, phones with Android)."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx


def convert(model: onnx.ModelProto, path: Path) -> None:
    """Write `path` (.xml) and the weights beside it (.bin)."""
    import openvino

    graph = openvino.convert_model(io.BytesIO(model.SerializeToString()))
    _average_shrunk_pixels(graph)
    openvino.save_model(graph, path, compress_to_fp16=False)


def _average_shrunk_pixels(graph: Any) -> None:
    """Images are shrunk as PyTorch and ONNX Runtime do it, by averages.

    OpenVINO takes over ONNX's `antialias`, but its linear mode doesn't follow it. The one named after Pillow does.
    """
    from openvino import opset11

    for node in graph.get_ops():
        if node.get_type_name() == "If":
            _average_shrunk_pixels(node.get_then_body())
            _average_shrunk_pixels(node.get_else_body())
        if node.get_type_name() != "Interpolate" or not node.get_attributes()["antialias"]:
            continue
        image, size, axes = (node.input_value(place) for place in range(3))
        averaged = opset11.interpolate(
            image, size, "bilinear_pillow", "sizes", coordinate_transformation_mode="half_pixel", axes=axes
        )
        node.output(0).replace(averaged.output(0))


def runner(path: Path, threads: int) -> Callable[[dict[str, np.ndarray]], dict[str, np.ndarray]]:
    """A file as a function of named arrays."""
    import openvino

    settings = {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32"}
    compiled = openvino.Core().compile_model(path, "CPU", settings)

    def run(given: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        wanted = {name for each in compiled.inputs for name in each.get_names()}  # one that changes nothing is gone
        results: Any = compiled({name: np.asarray(value) for name, value in given.items() if name in wanted})
        return {output.get_any_name(): results[output] for output in compiled.outputs}

    return run
