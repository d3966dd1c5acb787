"""Landmark metrics as torchmetrics classes: exact under DDP, blind to masked points, NaN where nothing is measured.

Wing, MAE and MSE are in [0, 1] image units, as in the tables of arXiv 2311.08308. All per-image means weigh every image
alike, so that wing <= 2N * 10 * ln(1 + MAE / 2) holds for any set of errors (Jensen). The papers' conventions for NME,
failure rate and AUC are in `normalised_metrics`; ArgmaxAccuracy is a reading of an undefined "accuracy".
"""

from abc import abstractmethod
from typing import Any, Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torchmetrics import Metric, MetricCollection

from thermal_landmarks.data.batch import Batch, to_unit
from thermal_landmarks.training.losses import Wing
from thermal_landmarks.training.normalised_metrics import (
    AreaUnderCurve,
    FailureRate,
    NonFinite,
    NormalisedMeanError,
    Normaliser,
)
from thermal_landmarks.training.point_errors import image_size, point_errors_px, unit_target
from thermal_landmarks.training.scores import Rule


def build_metrics(
    prefix: str,
    *,
    normaliser: Normaliser = "inter_ocular",
    failure_threshold: float = 0.10,
    auc_threshold: float = 0.10,
    auc_rule: Rule = "exact",
    wing_width: float = 10.0,
    wing_epsilon: float = 2.0,
    num_points: int = 6,
) -> MetricCollection:
    """The metrics of one stage; every one is updated with `(prediction, batch)`.

    Args:
        prefix: `val/` or `test/`.
        normaliser: Of NME, failure rate and AUC.
        failure_threshold: An image with a greater NME is a failure.
        auc_threshold: Upper end of the cumulative error curve.
        auc_rule: `exact`, or `simpson` as the published scorers do.
        wing_width: Of the wing metric.
        wing_epsilon: Of the wing metric.
        num_points: N.

    Returns:
        Keys `wing, mae, mse, accuracy, nme, failure_rate, auc, pixel_error, non_finite` behind the prefix.
    """
    metrics: dict[str, Metric] = {
        "wing": WingMetric(width=wing_width, epsilon=wing_epsilon),
        "mae": MeanAbsoluteError(),
        "mse": MeanSquaredError(),
        "accuracy": ArgmaxAccuracy(),
        "nme": NormalisedMeanError(normaliser=normaliser),
        "failure_rate": FailureRate(normaliser=normaliser, threshold=failure_threshold),
        "auc": AreaUnderCurve(normaliser=normaliser, threshold=auc_threshold, rule=auc_rule),
        "pixel_error": PointError(num_points=num_points),
        "non_finite": NonFinite(),
    }
    together = ["nme", "failure_rate", "auc"]
    groups = [together, *([name] for name in metrics if name not in together)]
    return MetricCollection(dict(metrics), prefix=prefix, compute_groups=groups)


def best_is(metric: str) -> Literal["min", "max"]:
    """Which value of a logged metric is best: `max` for accuracy, AUC and a finder's scores, else `min`."""
    return "max" if metric.rpartition("/")[2] in ("accuracy", "auc", "average_precision", "recall") else "min"


class _ImageMean(Metric):
    """Mean of one value an image over the images that have a valid point."""

    is_differentiable = False
    higher_is_better = False
    full_state_update = False
    total: Tensor
    images: Tensor

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.add_state("total", torch.zeros(()), dist_reduce_fx="sum")
        self.add_state("images", torch.zeros((), dtype=torch.long), dist_reduce_fx="sum")

    @abstractmethod
    def values(self, prediction: Float[Tensor, "batch point 2"], batch: Batch) -> Float[Tensor, " batch"]:
        """The value of each image; anything finite where it has no valid point."""

    def update(self, prediction: Float[Tensor, "batch point 2"], batch: Batch) -> None:
        counted = batch["mask"].any(dim=1)
        self.total = self.total + torch.where(counted, self.values(prediction, batch), 0).sum()
        self.images = self.images + counted.sum()

    def compute(self) -> Float[Tensor, ""]:
        return (self.total / self.images).float()


class WingMetric(_ImageMean):
    """Wing loss in [0, 1] units, summed over the 2N outputs of an image (masked: scaled up to 2N), mean over images.

    Args:
        width: As in `losses.Wing`.
        epsilon: As in `losses.Wing`.
    """

    def __init__(self, *, width: float = 10.0, epsilon: float = 2.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.wing = Wing(width=width, epsilon=epsilon)

    def values(self, prediction: Float[Tensor, "batch point 2"], batch: Batch) -> Float[Tensor, " batch"]:
        size = image_size(batch)
        return self.wing.per_image(prediction, to_unit(batch["points_px"], size), batch["mask"], size)


class MeanAbsoluteError(_ImageMean):
    """Mean |error| over an image's valid coordinates in [0, 1] units, mean over images."""

    def values(self, prediction: Float[Tensor, "batch point 2"], batch: Batch) -> Float[Tensor, " batch"]:
        return _coordinate_mean((prediction - unit_target(batch)).abs(), batch["mask"])


class MeanSquaredError(_ImageMean):
    """Mean squared error over an image's valid coordinates in [0, 1] units, mean over images."""

    def values(self, prediction: Float[Tensor, "batch point 2"], batch: Batch) -> Float[Tensor, " batch"]:
        return _coordinate_mean((prediction - unit_target(batch)).square(), batch["mask"])


def _coordinate_mean(
    values: Float[Tensor, "batch point 2"], mask: Bool[Tensor, "batch point"]
) -> Float[Tensor, " batch"]:
    return values.masked_fill(~mask[..., None], 0).sum(dim=(1, 2)) / (2 * mask.sum(dim=1)).clamp(min=1)


class ArgmaxAccuracy(_ImageMean):
    """How often the predicted right-most and lowest points are the true ones: our reading of the paper's "accuracy".

    It equals Keras' categorical accuracy on a target of shape (2, N): for x and for y, does the arg-max over the
    points agree; averaged over both rows and all images. Masked points don't take part.
    """

    higher_is_better = True

    def values(self, prediction: Float[Tensor, "batch point 2"], batch: Batch) -> Float[Tensor, " batch"]:
        masked = ~batch["mask"][..., None]
        predicted = prediction.masked_fill(masked, -torch.inf).argmax(dim=1)
        true = batch["points_px"].masked_fill(masked, -torch.inf).argmax(dim=1)
        return (predicted == true).float().mean(dim=1)


class PointError(Metric):
    """Distance of predicted points from their targets in pixels of the original image, mean over all valid points.

    Args:
        num_points: N.
    """

    is_differentiable = False
    higher_is_better = False
    full_state_update = False
    total_px: Tensor
    count: Tensor

    def __init__(self, *, num_points: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.add_state("total_px", torch.zeros(num_points), dist_reduce_fx="sum")
        self.add_state("count", torch.zeros(num_points, dtype=torch.long), dist_reduce_fx="sum")

    def update(self, prediction: Float[Tensor, "batch point 2"], batch: Batch) -> None:
        errors_px = point_errors_px(prediction, batch) * batch["pixel_size"][:, None]
        self.total_px = self.total_px + errors_px.sum(dim=0)
        self.count = self.count + batch["mask"].sum(dim=0)

    def compute(self) -> Float[Tensor, ""]:
        return (self.total_px.sum() / self.count.sum()).float()

    def per_point(self) -> Float[Tensor, " point"]:
        """The mean error of each landmark in pixels of the original image, over all processes."""
        with self.sync_context():
            return (self.total_px / self.count).float()
