"""Graphs that are written in ONNX's own text, which has no place for the constants that they name."""

from collections.abc import Mapping

import numpy as np
import onnx
from onnx import numpy_helper, parser


def written_model(
    text: str, whole: Mapping[str, int | list[int]], numbers: Mapping[str, float | list[float]]
) -> onnx.ModelProto:
    """The graph of a text, checked.

    Args:
        text: Of the model.
        whole: Its constants of 64-bit integers.
        numbers: Those of 32-bit floats.
    """
    model: onnx.ModelProto = parser.parse_model(text)
    tensors = {name: np.array(value, np.int64) for name, value in whole.items()}
    tensors |= {name: np.array(value, np.float32) for name, value in numbers.items()}
    model.graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in tensors.items())
    onnx.checker.check_model(model, full_check=True)
    return model
