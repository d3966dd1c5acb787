"""The landmark network for LiteRT (TensorFlow Lite), which runs on phones and small boards."""

import copy
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from thermal_landmarks.errors import ConfigError
from thermal_landmarks.exporting.crop_landmarks import CropLandmarks


def convert(landmarks: CropLandmarks, crop: Tensor, celsius: Tensor, path: Path) -> None:
    """Write a file that takes one crop at a time: `crops` (1, height, width) and `celsius`, to landmarks (1, point, 2).

    Raises:
        ConfigError: If litert-torch isn't installed.
    """
    converter = _installed("litert_torch")
    path.parent.mkdir(parents=True, exist_ok=True)
    # It takes weights for contiguous, whatever their strides say.
    module = copy.deepcopy(landmarks).to(memory_format=torch.contiguous_format).eval()
    converted = converter.convert(module, sample_kwargs={"crops": crop, "celsius": celsius})
    converted.export(str(path))


def runner(path: Path, threads: int) -> Callable[[dict[str, np.ndarray]], dict[str, np.ndarray]]:
    """A file as a function of named arrays.

    Raises:
        ConfigError: If ai-edge-litert isn't installed.
    """
    interpreter = _installed("ai_edge_litert.interpreter").Interpreter(str(path), num_threads=threads)
    run = interpreter.get_signature_runner()

    def call(given: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        (points,) = run(**given).values()
        return {"points": points}

    return call


def _installed(name: str) -> Any:
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"format=tflite needs {name.partition('.')[0].replace('_', '-')}, which isn't installed. In an environment "
            "of its own, since it asks for an older PyTorch: pip install 'thermal-landmarks[full,export]' litert-torch"
        ) from error
