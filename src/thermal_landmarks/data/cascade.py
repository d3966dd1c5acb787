"""Settings of a cascade, from coarse to fine: the whole image, then crops around the face that was found (`crops`)."""

from dataclasses import dataclass

from thermal_landmarks.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Cascade:
    """How a network sees a frame: in stages, each but the first on a crop around the face.

    Attributes:
        crop_size: (height, width) of the network's input.
        stages: 1 is the whole frame alone, 2 adds a crop around the face, 3 another one.
        face_size: Larger side of the rectangle around the reference points in a crop, as a fraction of the crop's
            height.
        last_sizes: Of the last stage, relative to `face_size`: the points of one crop of each size are averaged.
        percentiles: Of a crop, which become -1 and +1; None: values stay as the frame has them.
        reference: Shape of an upright face, (x, y) of each landmark, in any unit; from the training data.
    """

    crop_size: tuple[int, int]
    stages: int = 2
    face_size: float = 0.6
    last_sizes: tuple[float, ...] = (1.0,)
    percentiles: tuple[float, float] | None = (1.0, 99.0)
    reference: tuple[tuple[float, float], ...] | None = None

    def __post_init__(self) -> None:
        if self.stages < 1 or self.face_size <= 0 or len(self.crop_size) != 2:
            raise ConfigError(
                "data.cascade needs crop_size=[height, width], stages of at least 1 and a positive face_size, found "
                f"{list(self.crop_size)}, {self.stages} and {self.face_size}."
            )
        if not self.last_sizes or min(self.last_sizes) <= 0:
            raise ConfigError(
                f"data.cascade.last_sizes={list(self.last_sizes)} should be positive numbers, one or more."
            )
