"""Settings of a cascade, from coarse to fine: the whole image, then crops around the face that was found (`crops`)."""

from dataclasses import dataclass

from thermal_landmarks.errors import ConfigError

_MOST = 16  # looks one after the other, or sizes of the last one
_LARGEST = 10.0


@dataclass(frozen=True, kw_only=True)
class Cascade:
    """How a network sees a frame: in stages, each but the first on a crop around the face."""

    crop_size: tuple[int, int]  # (height, width) of the network's input
    stages: int = 2  # 1 is the whole frame alone, 2 adds a crop around the face, 3 another one
    # Larger side of the rectangle around the reference points in a crop, as a fraction of the crop's height
    face_size: float = 0.6
    # Of the last stage, relative to `face_size`: the points of one crop of each size are averaged
    last_sizes: tuple[float, ...] = (1.0,)
    # Of a crop, which become -1 and +1; None: values stay as the frame has them
    percentiles: tuple[float, float] | None = (1.0, 99.0)
    # Shape of an upright face, (x, y) of each landmark, in any unit; from the training data
    reference: tuple[tuple[float, float], ...] | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.stages <= _MOST or not 0 < self.face_size <= _LARGEST or len(self.crop_size) != 2:
            raise ConfigError(
                f"data.cascade needs crop_size=[height, width], stages of 1 to {_MOST} and a face_size up to "
                f"{_LARGEST:g}, found {list(self.crop_size)}, {self.stages} and {self.face_size}."
            )
        if not 1 <= len(self.last_sizes) <= _MOST or not all(0 < size <= _LARGEST for size in self.last_sizes):
            raise ConfigError(
                f"data.cascade.last_sizes={list(self.last_sizes)} should be 1 to {_MOST} numbers up to {_LARGEST:g}."
            )
        if self.percentiles is not None and not 0 <= self.percentiles[0] < self.percentiles[1] <= 100:
            raise ConfigError(f"data.cascade.percentiles={list(self.percentiles)} should be two numbers from 0 to 100.")
