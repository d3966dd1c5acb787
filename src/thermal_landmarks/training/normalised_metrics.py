"""NME, failure rate and AUC as torchmetrics classes: exact under DDP, NaN where nothing is measured.

The conventions are those of the landmark benchmarks (300-W, WFLW, JD-landmark). An image whose prediction isn't a
finite number has an infinite NME: it is a failure and adds nothing to the AUC; the mean NME leaves it out, and
`non_finite` counts it. An image without a normaliser, on the other hand, can't be measured and doesn't count.
"""

from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torchmetrics import Metric

from thermal_landmarks.data.batch import Batch
from thermal_landmarks.errors import ConfigError
from thermal_landmarks.training.point_errors import image_size, point_errors_px
from thermal_landmarks.training.scores import Rule, area_under_curve

Normaliser = Literal["inter_ocular", "box", "image_diagonal"]


def normalised_errors(
    prediction: Float[Tensor, "batch point 2"], batch: Batch, normaliser: Normaliser
) -> Float[Tensor, " batch"]:
    """NME of each image; NaN where it has no valid point or no usable normaliser, else infinite if the prediction of a
    valid point isn't finite.

    Args:
        prediction: In [0, 1] image units.
        batch: Points, mask and the normalisers in pixels.
        normaliser: `inter_ocular` (outer eye corners), `box` (square root of width x height of the rectangle around
            the true points) or `image_diagonal` (of the network's input).
    """
    mask = batch["mask"]
    mean_px = point_errors_px(prediction, batch).sum(dim=1) / mask.sum(dim=1)
    if normaliser == "inter_ocular":
        length_px = batch["inter_ocular_px"]
    elif normaliser == "box":
        length_px = batch["box_px"].prod(dim=1).sqrt()
    else:
        height, width = image_size(batch)
        length_px = torch.full_like(mean_px, float(np.hypot(height, width)))
    mean_px = torch.where(not_finite(prediction, batch), torch.inf, mean_px)
    return mean_px / torch.where(length_px > 0, length_px, torch.nan)


def not_finite(prediction: Float[Tensor, "batch point 2"], batch: Batch) -> Bool[Tensor, " batch"]:
    """Which images have a valid point whose prediction is NaN or infinite."""
    return (~prediction.isfinite().all(dim=2) & batch["mask"]).any(dim=1)


class NormalisedMeanError(Metric):
    """NME: mean point error of an image over a normalising length; mean over images.

    Images without a valid point or without a normaliser (no eye corners annotated) are left out, and so are those with
    an infinite error; there is no fallback to another normaliser.

    Args:
        normaliser: See `normalised_errors`.

    Raises:
        ConfigError: If the normaliser is unknown.
    """

    is_differentiable = False
    higher_is_better = False
    full_state_update = False
    errors: list[Tensor]

    def __init__(self, *, normaliser: Normaliser = "inter_ocular", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if normaliser not in ("inter_ocular", "box", "image_diagonal"):
            raise ConfigError(f"NME normaliser '{normaliser}' is unknown. Choose inter_ocular, box or image_diagonal.")
        self.normaliser = normaliser
        self.add_state("errors", [], dist_reduce_fx="cat")

    def update(self, prediction: Float[Tensor, "batch point 2"], batch: Batch) -> None:
        self.errors.append(normalised_errors(prediction, batch, self.normaliser))

    def image_errors(self) -> Float[Tensor, " counted"]:
        """The NME of each image that has one; infinite where its prediction isn't finite."""
        if isinstance(self.errors, Tensor):  # after a sync between processes
            errors = self.errors
        elif self.errors:
            errors = torch.cat(self.errors)
        else:
            errors = torch.empty(0, device=self.device)
        return errors[~errors.isnan()]

    def compute(self) -> Float[Tensor, ""]:
        errors = self.image_errors()
        return errors[errors.isfinite()].mean()


class NonFinite(Metric):
    """How many images with a valid point have a prediction that isn't a finite number."""

    is_differentiable = False
    higher_is_better = False
    full_state_update = False
    images: Tensor

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.add_state("images", torch.zeros((), dtype=torch.long), dist_reduce_fx="sum")

    def update(self, prediction: Float[Tensor, "batch point 2"], batch: Batch) -> None:
        self.images = self.images + not_finite(prediction, batch).sum()

    def compute(self) -> Float[Tensor, ""]:
        return self.images.float()


class FailureRate(NormalisedMeanError):  # noqa: N818 - no exception
    """Fraction of images whose NME is greater than a threshold.

    Args:
        threshold: 0.10 for WFLW, 0.08 for JD-landmark.
        normaliser: See `normalised_errors`.
    """

    def __init__(self, *, threshold: float = 0.10, normaliser: Normaliser = "inter_ocular", **kwargs: Any) -> None:
        super().__init__(normaliser=normaliser, **kwargs)
        self.threshold = threshold

    def compute(self) -> Float[Tensor, ""]:
        return (self.image_errors() > self.threshold).float().mean()


class AreaUnderCurve(NormalisedMeanError):  # noqa: N818 - no exception
    """Area under the cumulative error curve from 0 to a threshold, divided by the threshold; in [0, 1].

    Args:
        threshold: Upper end of the curve.
        rule: `exact` or `simpson`, see `scores.area_under_curve`.
        normaliser: See `normalised_errors`.

    Raises:
        ConfigError: If the rule is unknown or the threshold isn't positive.
    """

    higher_is_better = True

    def __init__(
        self,
        *,
        threshold: float = 0.10,
        rule: Rule = "exact",
        normaliser: Normaliser = "inter_ocular",
        **kwargs: Any,
    ) -> None:
        super().__init__(normaliser=normaliser, **kwargs)
        if rule not in ("exact", "simpson"):
            raise ConfigError(f"AUC rule '{rule}' is unknown. Choose exact or simpson.")
        if threshold <= 0:
            raise ConfigError(f"AUC threshold is {threshold}; it must be positive.")
        self.threshold = threshold
        self.rule = rule

    def compute(self) -> Float[Tensor, ""]:
        errors = self.image_errors()
        if self.rule == "exact" or len(errors) == 0:
            return (1 - errors / self.threshold).clamp(min=0).mean()
        return errors.new_tensor(area_under_curve(errors.cpu().numpy(), self.threshold, self.rule))
