"""What can be exported: the landmarks of every face in an image, the landmark network alone, the finder alone."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from torch import Tensor

from thermal_landmarks.data.annotation import ThermalImage
from thermal_landmarks.errors import ConfigError, DataError
from thermal_landmarks.exporting import onnx_file
from thermal_landmarks.exporting.crop_landmarks import CropLandmarks
from thermal_landmarks.exporting.face_graphs import BestCell, Candidates, FaceLandmarks
from thermal_landmarks.exporting.first_look import with_first_look
from thermal_landmarks.exporting.parity import Parity, Run, compare_boxes, compare_crops, compare_faces, crop_of
from thermal_landmarks.inference.confidence import Confidence
from thermal_landmarks.inference.finder import Finder
from thermal_landmarks.inference.predictor import Predictor
from thermal_landmarks.inference.speed import Speed
from thermal_landmarks.models.checkpoint import load_finder
from thermal_landmarks.runtime.exported import as_faces


@dataclass(frozen=True)
class Exportable:
    """Networks that become one file."""

    graph: Callable[[], onnx.ModelProto]  # converts them, in 32 bits
    settings: dict[str, Any]  # what the file says of itself
    compare: Callable[[Run], Parity]  # a file that runs, with the networks
    inputs: dict[str, np.ndarray]  # of one frame, by which the file is timed
    in_torch: dict[str, Callable[[], object]]  # ways to see the same frame in PyTorch, by name
    # The landmark network itself, with a crop and its unit, for formats that aren't made of a graph
    landmarks: tuple[CropLandmarks, Tensor, Tensor] | None = None


def every_face(
    checkpoint: Path,
    frames: Sequence[ThermalImage],
    *,
    finder: Path | None,
    speed: Speed,
    first_size: int | None,
    shown: Sequence[ThermalImage] | None = None,
) -> Exportable:
    """From an image to the landmarks of every face in it.

    Args:
        checkpoint: Of a cascade.
        frames: To compare with.
        finder: Of faces; None: the one that comes with the package.
        speed: How often the exported network looks.
        first_size: As of `Finder`.
        shown: Frames to calibrate 8 bits with; None: weights stay as they are.

    Raises:
        ConfigError: If the network is no cascade.
        DataError: If no frame that 8 bits are calibrated with shows a face.
    """
    predictor = Predictor.from_checkpoint(checkpoint, device="cpu", speed=speed)
    if not predictor.plan.from_image:
        raise ConfigError(
            f"{checkpoint}: this network sees whole frames or given boxes. Only cascades (data.cascade) "
            "that see whole images (data.crop.mode=none) can be exported."
        )
    loaded = load_finder(finder)
    find = predictor.finder = Finder.from_checkpoint(finder, first_size=first_size)
    predictor.confidence = Confidence.from_settings(loaded.confidence, speed)

    def graph() -> onnx.ModelProto:
        model = onnx_file.faces_model(
            Candidates(find), FaceLandmarks(predictor, predictor.confidence, find.second_look)
        )
        if shown is not None:
            from thermal_landmarks.exporting.quantisation import quantise

            with_faces = [frame for frame in shown if find(frame).number]
            if not with_faces:
                raise DataError("No frame shows a face to calibrate 8 bits with. Give frames=FOLDER.")
            model = quantise(model, with_faces)
        if first_size is not None:
            model = with_first_look(model, onnx_file.first_look_model(Candidates(find, first_size, BestCell)))
        return model

    exact = Predictor.from_checkpoint(checkpoint, device="cpu")
    return Exportable(
        graph=graph,
        settings=onnx_file.describe(
            predictor.scheme, speed=speed, weights=onnx_file.fingerprint(predictor.network, find.network)
        ),
        compare=lambda run: compare_faces(
            lambda image: as_faces(run(onnx_file.image_inputs(image)), min_score=0.0), predictor, frames
        ),
        inputs=onnx_file.image_inputs(frames[0]),
        in_torch={
            name: lambda each=each: each.faces(frames[0], min_score=0.0, whole_image=False)  # type: ignore[misc]
            for name, each in ((speed, predictor), ("exact", exact))
        },
    )


def landmarks_of_crops(checkpoint: Path, frames: Sequence[ThermalImage]) -> Exportable:
    """From crops of faces to landmarks in their pixels; arguments as of `every_face`.

    Raises:
        ConfigError: If the network sees colours.
    """
    predictor = Predictor.from_checkpoint(checkpoint, device="cpu")
    landmarks = CropLandmarks(predictor)
    crop, celsius = crop_of(frames[0], landmarks.size)
    return Exportable(
        graph=lambda: onnx_file.crops_model(landmarks),
        settings=onnx_file.describe(
            predictor.scheme,
            "landmarks",
            crop_size=list(landmarks.size),
            face_size=landmarks.face_size,
            weights=onnx_file.fingerprint(landmarks.network),
        ),
        compare=lambda run: compare_crops(run, landmarks, frames),
        inputs={"crops": crop.numpy(), "celsius": celsius.numpy()},
        in_torch={"landmarks": torch.inference_mode()(lambda: landmarks(crop, celsius))},
        landmarks=(landmarks, crop, celsius),
    )


def boxes_of_faces(frames: Sequence[ThermalImage], *, finder: Path | None) -> Exportable:
    """From images to the boxes of the faces in them; arguments as of `every_face`."""
    find = Finder(load_finder(finder).network)
    return Exportable(
        graph=lambda: onnx_file.finder_model(Candidates(find)),
        settings={"what": "finder", "weights": onnx_file.fingerprint(find.network)},
        compare=lambda run: compare_boxes(run, find, frames),
        inputs={"images": frames[0].values[None], "celsius": np.array(frames[0].unit == "celsius")},
        in_torch={"finder": lambda: find(frames[0])},
    )
