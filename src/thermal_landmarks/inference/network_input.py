"""From prepared images to what the network gets, on its device, with the rounding of the training's cache."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from thermal_landmarks.data.annotation import ThermalImage
from thermal_landmarks.data.encoding import encode, encoding_of
from thermal_landmarks.data.normalisation import is_constant, normalise_stored
from thermal_landmarks.data.preprocessing import Prepared, Preprocessing
from thermal_landmarks.errors import DataError


def network_input(
    preprocessing: Preprocessing, seen: Sequence[ThermalImage], prepared: Sequence[Prepared], device: torch.device
) -> Float[Tensor, "batch channel height width"]:
    """Cut and resized images, normalised as in training.

    Args:
        preprocessing: Of the network.
        seen: The images before they were cut.
        prepared: What `preprocessing` made of them.
        device: Of the network.
    """
    encodings = [encoding_of(image, p.limits) for image, p in zip(seen, prepared, strict=True)]
    stored = np.stack([encode(p.values, e) for p, e in zip(prepared, encodings, strict=True)])
    return normalise_stored(
        torch.from_numpy(stored if stored.ndim == 4 else stored[:, None]).to(device),
        torch.tensor(encodings, dtype=torch.float32, device=device),
        torch.tensor([p.limits for p in prepared], dtype=torch.float32, device=device),
        clip=preprocessing.clips,
    ).expand(-1, preprocessing.in_channels, -1, -1)


def image_tensor(
    image: ThermalImage, device: torch.device, *, location: str = "image"
) -> Float[Tensor, "1 1 height width"]:
    """An image as it is, for a cascade that cuts its crops from it.

    Raises:
        DataError: If the whole image has one value.
    """
    if is_constant(image.values, image.unit):
        raise DataError(
            f"{location}: all of the image has one value, {float(image.values.flat[0]):g}: there is no face to see. "
            "Was the lens covered, or the picture saturated?"
        )
    return torch.from_numpy(np.ascontiguousarray(image.values, dtype=np.float32)).to(device)[None, None]
