"""Original image -> network input. Training fills its cache with this; a predictor repeats it from the checkpoint."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, NamedTuple

import numpy as np

from thermal_landmarks.data.annotation import ThermalImage
from thermal_landmarks.data.geometry import fit_matrix, warp_image
from thermal_landmarks.data.normalisation import ValueRange
from thermal_landmarks.data.zoom import Zoom
from thermal_landmarks.errors import ConfigError, DataError

Box = tuple[float, float, float, float]


class Prepared(NamedTuple):
    """One image as the network gets it, before normalisation."""

    values: np.ndarray  # float32 (height, width), degrees Celsius or gray levels
    limits: tuple[float, float]  # the values that become -1 and +1
    matrix: np.ndarray  # float64 (2, 3): original pixels -> pixels of `values`


@dataclass(frozen=True)
class Crop:
    """Which part of an image the network sees.

    Attributes:
        mode: `none` shows the whole image, `box` the face box.
        margin: Added around the box on each side, as a fraction of its larger side.
    """

    mode: Literal["none", "box"] = "none"
    margin: float = 0.25

    def __post_init__(self) -> None:
        if self.mode not in ("none", "box"):
            raise ConfigError(f"Crop mode '{self.mode}' is unknown. Choose none or box.")


@dataclass(frozen=True)
class Preprocessing:
    """Crop, size and normalisation; plain data, so that a checkpoint can carry it.

    Attributes:
        image_size: (height, width) of the frame: the network's input, or with `zoom` what its views are cut from.
        in_channels: How often the single channel is repeated (the paper: 3).
        crop: Which part of the image is shown.
        normalisation: Which values become -1 and +1.
        zoom: How the network looks at a frame; None: it sees the frame as it is.
    """

    image_size: tuple[int, int]
    in_channels: int = 1
    crop: Crop = field(default_factory=Crop)
    normalisation: ValueRange = field(default_factory=ValueRange)
    zoom: Zoom | None = None

    @classmethod
    def from_settings(cls, settings: dict[str, Any]) -> "Preprocessing":
        """Rebuild from `settings` or from the same keys in a config."""
        normalisation: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in settings["normalisation"].items()
        }
        size = settings["image_size"]
        if not (isinstance(size, Sequence) and len(size) == 2 and all(isinstance(n, int) and n > 0 for n in size)):
            raise ConfigError(f"image_size must be [height, width] in pixels, found {size}.")
        return cls(
            image_size=(size[0], size[1]),
            in_channels=int(settings["in_channels"]),
            crop=Crop(**settings["crop"]),
            normalisation=ValueRange(**normalisation),
            zoom=_zoom_from(settings.get("zoom"), size),
        )

    @property
    def settings(self) -> dict[str, Any]:
        """Plain dicts, lists, numbers and strings."""
        plain: dict[str, Any] = _plain(asdict(self))
        return plain

    @property
    def frame_settings(self) -> dict[str, Any]:
        """The settings that determine the frames, without how they are looked at."""
        return {name: value for name, value in self.settings.items() if name != "zoom"}

    @property
    def clips(self) -> bool:
        """Whether a frame's values end at -1 and +1; views that find their own contrast need what lies beyond."""
        return self.zoom is None or self.zoom.percentiles is None

    @property
    def input_size(self) -> tuple[int, int]:
        """(height, width) of the network's input."""
        return self.image_size if self.zoom is None else self.zoom.view_size

    def __call__(self, image: ThermalImage, *, box_px: Box | None = None, location: str = "image") -> Prepared:
        """Crop and resize one image and find its value limits.

        Raises:
            DataError: If the crop needs a face box and there is none, or no value lies in the window.
        """
        if self.crop.mode == "box" and box_px is None:
            raise DataError(
                f"{location}: no face box, but the crop is set to `box`. Give boxes or set data.crop.mode=none."
            )
        size = (image.values.shape[0], image.values.shape[1])
        box = box_px if self.crop.mode == "box" else None
        matrix = fit_matrix(size, self.image_size, box_px=box, margin=self.crop.margin)
        values = warp_image(image.values, matrix, self.image_size)
        low, high = self.normalisation.limits(values, image.unit)
        if self.normalisation.mode == "window" and (values.min() >= high or values.max() <= low):
            raise DataError(
                f"{location}: all values ({values.min():g} to {values.max():g}, {image.unit}) lie outside the window "
                f"{low:g} to {high:g}. Set the unit of the images, or normalisation.mode=percentile."
            )
        return Prepared(values, (low, high), matrix)


def _zoom_from(settings: dict[str, Any] | None, frame_size: Sequence[int]) -> Zoom | None:
    if not settings:
        return None
    known: dict[str, Any] = {name: tuple(map(_tuples, v)) if isinstance(v, list) else v for name, v in settings.items()}
    zoom = Zoom(**known)
    if any(view > frame for view, frame in zip(zoom.view_size, frame_size, strict=True)):
        raise ConfigError(
            f"data.zoom.view_size={list(zoom.view_size)} is larger than data.image_size={list(frame_size)}, from which "
            "views are cut. Make image_size larger."
        )
    return zoom


def _tuples(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
