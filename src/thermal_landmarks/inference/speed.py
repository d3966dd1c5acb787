"""How much looking a prediction pays for: `fast`, `balanced` or `exact`.

docs/fast.md has the curve of error over milliseconds on rendered faces from which `fast` and `balanced` were chosen.
"""

from dataclasses import dataclass
from typing import Literal, get_args

from thermal_landmarks.data.preprocessing import Preprocessing
from thermal_landmarks.errors import ConfigError

Speed = Literal["fast", "balanced", "exact"]


@dataclass(frozen=True)
class Looking:
    """What is looked at.

    Attributes:
        stages: Of a cascade: looks one after the other, the first at the whole image; a face that a finder
            has found needs one less.
        sizes: Of the last stage, relative to the size of the face in its views.
        flip: Whether mirror images are looked at, too; with `straight` in the last stage alone.
        straight: Whether views are cut from the image itself, instead of the frame of the training's size; what the
            network sees is a little sharper.
    """

    stages: int
    sizes: tuple[float, ...]
    flip: bool
    straight: bool = True


FAST = Looking(stages=2, sizes=(1.0,), flip=False)
BALANCED = Looking(stages=3, sizes=(1.0,), flip=True)


def looking(speed: "str | Looking", preprocessing: Preprocessing, *, flip: bool) -> Looking:
    """What a speed means for a network.

    Args:
        speed: `exact` is what the training's test does. Or the plan itself.
        preprocessing: Of the network.
        flip: Whether the training's test looks at mirror images, too.

    Raises:
        ConfigError: If the speed is unknown.
    """
    if isinstance(speed, Looking):
        return speed
    if speed not in get_args(Speed):
        raise ConfigError(f"speed={speed} is unknown. Choose {', '.join(get_args(Speed))}.")
    cascade = preprocessing.cascade
    exact = (
        Looking(1, (1.0,), flip, False) if cascade is None else Looking(cascade.stages, cascade.last_sizes, flip, False)
    )
    if speed == "exact":
        return exact
    chosen = FAST if speed == "fast" else BALANCED
    if cascade is None or cascade.percentiles is None or preprocessing.crop.mode != "none":
        return Looking(exact.stages, exact.sizes, chosen.flip and flip, False)
    return Looking(min(chosen.stages, cascade.stages), chosen.sizes, chosen.flip, cascade.stages > 1)
