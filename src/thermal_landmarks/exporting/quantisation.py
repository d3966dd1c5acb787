"""Convolutions in 8 bits: static, per channel, calibrated on frames; what is sensitive or gains nothing stays float.

Kept in float are convolutions of few channels (the first of each network, the narrow ones before the heat maps),
grouped ones, which ONNX Runtime computes slower in 8 bits, and the finder's 1x1 ones, whose scores suffer.
"""

import logging
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import onnx
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

from thermal_landmarks.data.annotation import ThermalImage
from thermal_landmarks.exporting.first_look import FIRST
from thermal_landmarks.exporting.onnx_file import FIND, image_inputs

_LEAST_CHANNELS = 16


class _Frames(CalibrationDataReader):
    def __init__(self, frames: Sequence[ThermalImage]) -> None:
        self._left: Iterator[ThermalImage] = iter(frames)

    def get_next(self) -> dict[str, np.ndarray] | None:
        frame = next(self._left, None)
        return None if frame is None else image_inputs(frame)


def quantise(model: onnx.ModelProto, frames: Sequence[ThermalImage]) -> onnx.ModelProto:
    """The same graph with dense convolutions in 8 bits.

    Args:
        model: The graph in float.
        frames: Each with a face that the finder finds: what no calibration frame shows has no range.
    """
    chosen = [node.name for node in model.graph.node if node.op_type == "Conv" and _gains(node, model)]
    own = onnx.ModelProto()
    own.CopyFrom(model)  # ONNX Runtime moves the weights of what it is given into a file
    quiet = logging.getLogger()
    level = quiet.level
    quiet.setLevel(logging.ERROR)  # advice on another way of preparing the graph
    try:
        # What is never anything but 0 has no range, and needs none.
        with np.errstate(invalid="ignore"), tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "int8.onnx"
            quantize_static(
                own,
                path,
                _Frames(frames),
                quant_format=QuantFormat.QDQ,
                per_channel=True,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                nodes_to_quantize=chosen,
            )
            quantised: onnx.ModelProto = onnx.load(path)
    finally:
        quiet.setLevel(level)
    return quantised


def _gains(node: onnx.NodeProto, model: onnx.ModelProto) -> bool:
    (weight,) = (tensor for tensor in model.graph.initializer if tensor.name == node.input[1])
    wide, deep, *kernel = weight.dims
    groups = next((attribute.i for attribute in node.attribute if attribute.name == "group"), 1)
    one_pixel = all(side == 1 for side in kernel)
    if node.name.startswith(FIRST):
        return False
    return groups == 1 and min(wide, deep) >= _LEAST_CHANNELS and not (one_pixel and node.name.startswith(FIND))
