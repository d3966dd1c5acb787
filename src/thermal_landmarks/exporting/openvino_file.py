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
    openvino.save_model(graph, path, compress_to_fp16=False)


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
