"""Original image -> network input. Training fills its cache with this; a predictor repeats it from the checkpoint."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, NamedTuple

import numpy as np

from thermal_landmarks.data.annotation import ThermalImage
from thermal_landmarks.data.cascade import Cascade
from thermal_landmarks.data.geometry import fit_matrix, similarity_matrix, warp_image
from thermal_landmarks.data.normalisation import ValueRange, is_constant
from thermal_landmarks.errors import ConfigError, DataError, require_choice
from thermal_landmarks.old_names import todays_settings

Box = tuple[float, float, float, float]
FivePoints = tuple[tuple[float, float], ...]
Warp = Callable[[np.ndarray, np.ndarray, tuple[int, int]], np.ndarray]
"""An image (height, width) or (channel, height, width), a matrix and a size in, the image of that size out."""


class Prepared(NamedTuple):
    """One image as the network gets it, before normalisation."""

    values: np.ndarray  # float32 (height, width) or in colour (3, height, width), degrees Celsius or gray levels
    limits: tuple[float, float]  # the values that become -1 and +1
    matrix: np.ndarray  # float64 (2, 3): original pixels -> pixels of `values`


@dataclass(frozen=True)
class Crop:
    """Which part of an image the network sees."""

    # `none` shows the whole image, `box` the face box, `align` the face upright and at one size, by five points (LOTR,
    # arXiv 2109.10057, section IV-A); a face whose five points are not known is then shown by its box
    mode: Literal["none", "box", "align"] = "none"
    margin: float = 0.25  # added around the box on each side, as a fraction of its larger side
    # Where the five points come to lie, x and y as fractions of the largest square in the input's middle
    template: FivePoints = ((0.36, 0.28), (0.64, 0.28), (0.5, 0.44), (0.384, 0.603), (0.616, 0.603))

    def __post_init__(self) -> None:
        require_choice("data.crop.mode", self.mode, ("none", "box", "align"))
        if len(self.template) != 5 or any(len(point) != 2 for point in self.template):
            raise ConfigError(f"data.crop.template must be five points [x, y], found {list(self.template)}.")

    def template_px(self, size: tuple[int, int]) -> np.ndarray:
        """The template (5, 2) in pixels of an input of (height, width)."""
        middle = np.array([size[1] - 1, size[0] - 1]) / 2
        return middle + (np.array(self.template) - 0.5) * min(size)


@dataclass(frozen=True)
class Preprocessing:
    """Crop, size and normalisation; plain data, so that a checkpoint can carry it."""

    # (height, width) of the frame: the network's input, or with `cascade` what its views are cut from
    image_size: tuple[int, int]
    in_channels: int = 1  # how often the single channel is repeated (the paper: 3)
    # Whether the network sees red, green and blue of colour pictures instead; then `in_channels` is 3
    colour: bool = False
    crop: Crop = field(default_factory=Crop)  # which part of the image is shown
    normalisation: ValueRange = field(default_factory=ValueRange)  # which values become -1 and +1
    cascade: Cascade | None = None  # how the network looks at a frame; None: it sees the frame as it is

    def __post_init__(self) -> None:
        if self.colour and self.in_channels != 3:
            raise ConfigError(f"data.colour=true needs data.in_channels=3, found {self.in_channels}.")
        if self.colour and self.cascade is not None:
            raise ConfigError("data.cascade looks at one channel. Set data.colour=false or data.cascade=null.")

    @classmethod
    def from_settings(cls, settings: dict[str, Any]) -> "Preprocessing":
        """Rebuild from `settings` or from the same keys in a config."""
        settings = with_tuples(todays_settings(settings, below="data"))
        size = settings["image_size"]
        if not (isinstance(size, tuple) and len(size) == 2 and all(isinstance(n, int) and n > 0 for n in size)):
            raise ConfigError(f"image_size must be [height, width] in pixels, found {size}.")
        cascade = Cascade(**settings["cascade"]) if settings.get("cascade") else None
        if cascade is not None and any(view > frame for view, frame in zip(cascade.crop_size, size, strict=True)):
            raise ConfigError(
                f"data.cascade.crop_size={list(cascade.crop_size)} is larger than data.image_size={list(size)}, from "
                "which crops are cut. Make image_size larger."
            )
        return cls(
            image_size=size,
            in_channels=int(settings["in_channels"]),
            colour=bool(settings.get("colour", False)),  # not in checkpoints of earlier versions
            crop=Crop(**settings["crop"]),
            normalisation=ValueRange(**settings["normalisation"]),
            cascade=cascade,
        )

    @property
    def settings(self) -> dict[str, Any]:
        """Plain dicts, lists, numbers and strings."""
        plain: dict[str, Any] = _plain(asdict(self))
        return plain

    @property
    def frame_settings(self) -> dict[str, Any]:
        """The settings that determine the frames, without how they are looked at."""
        return {name: value for name, value in self.settings.items() if name not in ("in_channels", "cascade")}

    @property
    def reference(self) -> tuple[tuple[float, float], ...] | None:
        """The shape that a cascade's looks start from, if there is one."""
        return None if self.cascade is None else self.cascade.reference

    @property
    def frame_shape(self) -> tuple[int, ...]:
        """(height, width) of a stored frame; in colour (3, height, width)."""
        return (3, *self.image_size) if self.colour else self.image_size

    @property
    def clips(self) -> bool:
        """Whether a frame's values end at -1 and +1; views that find their own contrast need what lies beyond."""
        return self.cascade is None or self.cascade.percentiles is None

    @property
    def input_size(self) -> tuple[int, int]:
        """(height, width) of the network's input."""
        return self.image_size if self.cascade is None else self.cascade.crop_size

    def seen(self, image: ThermalImage) -> ThermalImage:
        """The image with the channels that are stored."""
        return image.in_colour() if self.colour else image

    def __call__(
        self,
        image: ThermalImage,
        *,
        box_px: Box | None = None,
        five_points_px: np.ndarray | None = None,
        matrix: np.ndarray | None = None,
        location: str = "image",
        warp: Warp = warp_image,
    ) -> Prepared:
        """Crop and resize one image, as `seen` gives it, and find its value limits.

        The crop decides by the face's box or five points, unless the matrix (2, 3) from original to frame pixels is
        known already. `location` names the image in errors; `warp` resamples as `warp_image` does.

        Raises:
            DataError: If the crop lacks a face box or five points that it needs, the whole image has one value, or no
                value lies in the window.
        """
        size = (image.values.shape[-2], image.values.shape[-1])
        if matrix is None:
            matrix = self._matrix(size, box_px, five_points_px, location)
        values = warp(image.values, matrix, self.image_size)
        flat = is_constant(values, image.unit)
        if flat and is_constant(image.values, image.unit):
            raise DataError(
                f"{location}: all of the image has one value, {float(values.flat[0]):g}: there is no face to see. Was "
                "the lens covered, or the picture saturated?"
            )
        low, high = self.normalisation.limits(image.values if flat else values, image.unit)
        if self.normalisation.mode == "window" and (values.min() >= high or values.max() <= low):
            raise DataError(
                f"{location}: all values ({values.min():g} to {values.max():g}, {image.unit}) lie outside the window "
                f"{low:g} to {high:g}. Set the unit of the images, or normalisation.mode=percentile."
            )
        return Prepared(values, (low, high), matrix)

    def _matrix(
        self, size: tuple[int, int], box_px: Box | None, five_points_px: np.ndarray | None, location: str
    ) -> np.ndarray:
        if self.crop.mode == "align" and five_points_px is not None:
            try:
                return similarity_matrix(five_points_px, self.crop.template_px(self.image_size))
            except ValueError:
                raise DataError(f"{location}: its five points for the alignment are one point. Fix them.") from None
        if self.crop.mode != "none" and box_px is None:
            wanted = "face box" if self.crop.mode == "box" else "five points and no face box"
            raise DataError(
                f"{location}: no {wanted}, but the crop is set to `{self.crop.mode}`. Give boxes or set "
                "data.crop.mode=none."
            )
        box = box_px if self.crop.mode != "none" else None
        return fit_matrix(size, self.image_size, box_px=box, margin=self.crop.margin)


def with_tuples(value: Any) -> Any:
    """Plain settings with tuples instead of lists, as the classes of settings hold them."""
    if isinstance(value, dict):
        return {name: with_tuples(item) for name, item in value.items()}
    return tuple(map(with_tuples, value)) if isinstance(value, list | tuple) else value


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
