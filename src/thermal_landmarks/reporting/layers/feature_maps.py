"""What a network sees of an image, and the feature maps that its layers make of it."""

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from thermal_landmarks.data.annotation import ThermalImage
from thermal_landmarks.data.batch import to_pixels
from thermal_landmarks.data.preprocessing import Box
from thermal_landmarks.errors import ConfigError
from thermal_landmarks.inference.predictor import Predictor
from thermal_landmarks.models.network import LandmarkNetwork
from thermal_landmarks.reporting.layers.network_layers import NamedLayer


class View(NamedTuple):
    """One look of a network at an image."""

    values: Float[Tensor, "1 channel height width"]  # the network's input
    points_px: Float[np.ndarray, "point 2"]  # the landmarks that the network finds in it, in its pixels


def look_at(predictor: Predictor, image: ThermalImage, *, look: int = -1, box_px: Box | None = None) -> View:
    """What the network sees when it predicts an image's landmarks.

    Of a network that looks several times (`cascade`), look 0 is that at the whole frame, -1 the last one.

    Raises:
        ConfigError: If there is no such look.
        DataError: If the image can't be used.
    """
    views: list[View] = []

    def keep(module: nn.Module, inputs: tuple[Tensor], points: Tensor) -> None:  # noqa: ARG001
        height, width = inputs[0].shape[-2:]
        points_px = to_pixels(points.float(), (height, width)).cpu().numpy()
        views.extend(View(inputs[0][row : row + 1].clone(), points_px[row]) for row in range(len(points_px)))

    handle = predictor.network.register_forward_hook(keep)
    try:
        predictor(image, boxes_px=box_px)
    finally:
        handle.remove()
    if not -len(views) <= look < len(views):
        raise ConfigError(f"look={look}: this network looks {len(views)} times. Choose 0 to {len(views) - 1}, or -1.")
    return views[look]


@torch.inference_mode()
def feature_maps(
    network: LandmarkNetwork, layer: NamedLayer, images: Float[Tensor, "batch channel height width"]
) -> Float[Tensor, "batch feature row column"]:
    """The output of one layer; of a convolutional layer before its activation."""
    with layer.recording() as outputs:
        network(images)
    return outputs[0].cpu()
