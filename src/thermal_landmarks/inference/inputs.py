"""What a predictor may be given, each made one form: a device, images, face boxes, five points; and a network's input.

Prepared images reach the network with the rounding of the training's cache.
"""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from thermal_landmarks.data.annotation import NO_DATA, ThermalImage, Unit
from thermal_landmarks.data.normalisation import encode, encoding_of, is_constant, normalise_stored
from thermal_landmarks.data.preprocessing import Box, Prepared, Preprocessing
from thermal_landmarks.errors import ConfigError, DataError, said_by

Images = ThermalImage | np.ndarray | Tensor | Sequence[ThermalImage | np.ndarray | Tensor]


def find_device(name: str) -> torch.device:
    """The device of that name; `auto` takes an accelerator if there is one.

    Raises:
        ConfigError: If the name is unknown or the device is not at hand.
    """
    if name == "auto":
        accelerator = torch.accelerator.current_accelerator(check_available=True)
        return torch.device("cpu") if accelerator is None else accelerator
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise ConfigError(f"device={name} is not at hand ({said_by(error)}). Choose auto or cpu.") from error
    return device


def as_images(images: Images, unit: Unit | None) -> tuple[list[ThermalImage], bool]:
    """Images one by one, and whether a single one was given."""
    if isinstance(images, ThermalImage):
        return [_checked(images, "image")], True
    if isinstance(images, np.ndarray | Tensor):
        array = _as_array(images)
        if array.ndim == 4 and array.shape[1] == 1:
            array = array[:, 0]
        colour = _is_colour(array)
        dimensions = array.ndim - colour
        if dimensions == 2:
            return [_checked(_with_unit(array, unit), "image")], True
        if dimensions != 3 or (not colour and array.shape[2] in (1, 3, 4)):
            raise DataError(
                f"An array of shape {tuple(images.shape)} ({array.dtype}) is neither an image (height, width) nor a "
                "batch of them (batch, height, width). Colour images are bytes (height, width, 3)."
            )
        images = list(array)
    found = []
    for row, image in enumerate(images):
        one = image if isinstance(image, ThermalImage) else _with_unit(_as_array(image), unit)
        found.append(_checked(one, f"image {row}"))
    return found, False


def _as_array(image: np.ndarray | Tensor) -> np.ndarray:
    if not isinstance(image, Tensor):
        return np.asarray(image)
    image = image.detach().cpu()
    return (image.float() if image.dtype == torch.bfloat16 else image).numpy()  # NumPy has no bfloat16


def _is_colour(array: np.ndarray) -> bool:
    return array.dtype == np.uint8 and array.ndim >= 3 and array.shape[-1] == 3


def _with_unit(values: np.ndarray, unit: Unit | None) -> ThermalImage:
    if values.ndim == 3 and _is_colour(values):
        return ThermalImage.from_rgb(values)
    if unit is None:
        unit = "celsius" if np.issubdtype(values.dtype, np.floating) else "gray"
    return ThermalImage(values.astype(np.float32), unit)


def _checked(image: ThermalImage, location: str) -> ThermalImage:
    if image.values.ndim != 2 or not image.values.size:
        raise DataError(f"{location}: expected values of shape (height, width), found {image.values.shape}.")
    usable = np.abs(image.values) < NO_DATA  # False for NaN
    if not usable.all():
        raise DataError(
            f"{location}: {int((~usable).sum())} of its values are NaN, infinite or beyond {NO_DATA:g} (a mark for "
            "missing values). Replace them before predicting."
        )
    return image


def as_boxes(boxes_px: Box | Sequence[Box] | np.ndarray | None, count: int, *, single: bool) -> Sequence[Box | None]:
    """One box or None for each image."""
    if boxes_px is None:
        return [None] * count
    boxes = np.asarray(boxes_px, dtype=float)
    if boxes.shape != ((4,) if single else (count, 4)):
        wanted = "(4,)" if single else f"({count}, 4)"
        raise DataError(f"boxes_px: expected shape {wanted} (x_min, y_min, x_max, y_max), found {boxes.shape}.")
    if not (boxes[..., :2] < boxes[..., 2:]).all():
        raise DataError("boxes_px: expected x_min < x_max and y_min < y_max.")
    return [(x0, y0, x1, y1) for x0, y0, x1, y1 in boxes.reshape(-1, 4).tolist()]


def as_five_points(
    five_points_px: np.ndarray | Sequence[np.ndarray | None] | None, count: int, *, single: bool
) -> Sequence[np.ndarray | None]:
    """Five points or None for each image."""
    if five_points_px is None:
        return [None] * count
    given = [five_points_px] if single else five_points_px
    faces = [None if face is None else np.asarray(face, dtype=float) for face in given]
    if len(faces) != count or any(f is not None and (f.shape != (5, 2) or not np.isfinite(f).all()) for f in faces):
        wanted = "(5, 2)" if single else f"({count}, 5, 2)"
        found = [None if face is None else face.shape for face in faces]
        raise DataError(f"five_points_px: expected finite numbers of shape {wanted}, found {found}.")
    return faces


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
