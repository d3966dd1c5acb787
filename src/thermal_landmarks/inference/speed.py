"""How much looking a prediction pays for: `fast`, `balanced` or `exact`.

docs/fast.md has the curve of error over milliseconds on rendered faces from which `fast` and `balanced` were chosen.
"""

from dataclasses import dataclass
from typing import Literal, get_args

from thermal_landmarks.data.preprocessing import Preprocessing
from thermal_landmarks.errors import require_choice

Speed = Literal["fast", "balanced", "exact"]


@dataclass(frozen=True)
class CascadePlan:
    """How much of an image a cascade sees."""

    stages: int  # one after the other, the first with the whole image; a face that a finder has found needs one less
    last_sizes: tuple[float, ...]  # of the last stage's crops, relative to the size of the face in them
    flip_tta: bool  # whether mirror images are seen, too; with `from_image` in the last stage alone
    # Whether crops are cut from the image itself, instead of the frame of the training's size; what the network sees is
    # a little sharper
    from_image: bool = True


FAST = CascadePlan(stages=2, last_sizes=(1.0,), flip_tta=False)
BALANCED = CascadePlan(stages=3, last_sizes=(1.0,), flip_tta=True)


def plan_of(speed: str | CascadePlan, preprocessing: Preprocessing, *, flip_tta: bool) -> CascadePlan:
    """What a speed means for a network.

    Args:
        speed: `exact` is what the training's test does. Or the plan itself.
        preprocessing: Of the network.
        flip_tta: Whether the training's test sees mirror images, too.

    Raises:
        ConfigError: If the speed is unknown.
    """
    if isinstance(speed, CascadePlan):
        return speed
    require_choice("speed", speed, get_args(Speed))
    cascade = preprocessing.cascade
    stages, sizes = (1, (1.0,)) if cascade is None else (cascade.stages, cascade.last_sizes)
    if speed == "exact":
        return CascadePlan(stages, sizes, flip_tta, from_image=False)
    chosen = FAST if speed == "fast" else BALANCED
    if cascade is None or cascade.percentiles is None or preprocessing.crop.mode != "none":
        return CascadePlan(stages, sizes, chosen.flip_tta and flip_tta, from_image=False)
    return CascadePlan(min(chosen.stages, stages), chosen.last_sizes, chosen.flip_tta, from_image=stages > 1)
