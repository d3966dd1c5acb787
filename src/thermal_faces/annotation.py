"""An image and what is known of the face in it: the values that the renderer gives, and every reader of a data set."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

Unit = Literal["celsius", "gray"]
"""Of an image's values: degrees Celsius, or gray levels without a physical meaning (0-255, or 0-65535)."""

_LUMINANCE = np.array([0.299, 0.587, 0.114], dtype=np.float32)  # ITU-R BT.601


@dataclass(frozen=True)
class ThermalImage:
    """One decoded image."""

    # float32 (height, width), in `unit`; or (3, height, width), red, green and blue (see `in_colour`)
    values: np.ndarray
    unit: Unit  # degrees Celsius or gray levels
    rgb: np.ndarray | None = None  # (height, width, 3) of a colour picture, whose `values` are the luminance; else None
    missing: int = 0  # how many of the values the file lacks; they are filled
    # The thermal camera's colour palette that was turned back into intensity, in `values`; else None
    palette: str | None = None
    # Name and colours (n, 3) from cold to warm of the palette that the file says it is shown in
    stated_palette: tuple[str, np.ndarray] | None = None
    masked: int = 0  # how many pixels lay under the camera's own marks (logo, scale, crosshairs); they are filled

    @classmethod
    def from_rgb(cls, rgb: np.ndarray) -> "ThermalImage":
        """A colour picture: unsigned integers (height, width, 3)."""
        height, width = rgb.shape[:2]
        values = np.empty((height, width), dtype=np.float32)
        rows = max(1, 2**20 // max(width, 1))  # at a time: three float32 channels of a large picture are large
        for row in range(0, height, rows):
            np.matmul(rgb[row : row + rows].astype(np.float32), _LUMINANCE, out=values[row : row + rows])
        return cls(values, "gray", rgb)

    def in_colour(self) -> "ThermalImage":
        """The image with `values` (3, height, width); what has no colours gets its single channel three times."""
        channels = np.stack([self.values] * 3) if self.rgb is None else np.moveaxis(self.rgb, -1, 0).astype(np.float32)
        return ThermalImage(channels, self.unit)


@dataclass(frozen=True)
class Annotation:
    """One face in one image, as its data set describes it."""

    image: Path  # path of the image file; for rendered images a path-like name that is unique in the source
    # float32 (N, 2), x and y in pixels of the image, pixel centres at integers; NaN where missing
    points_px: np.ndarray
    subject: str  # who is seen; splits never divide a subject
    visible: np.ndarray | None = None  # bool (N,); False where a point is annotated but hidden. None: not known.
    box_px: tuple[float, float, float, float] | None = None  # face box (x_min, y_min, x_max, y_max) in pixels, or None
    location: str = ""  # where the annotation stands, for error messages (`labels.json, annotation id 7`)
    # Anything else that the data set says (pose, occlusion, ...)
    attributes: dict[str, str | float | bool] = field(default_factory=dict)
    # float (5, 2), middle of the left eye, of the right eye, nose tip, left and right mouth corner, left and right as
    # in the image; for the alignment of crops. None: not known.
    five_points_px: np.ndarray | None = None
