"""The numbers of a table: wing, MAE, MSE, accuracy, NME, failure rate, AUC and pixel error.

Wing, MAE and MSE are in [0, 1] image units, as in the tables of arXiv 2311.08308. All per-image means weigh every image
alike, so that wing <= 2N * 10 * ln(1 + MAE / 2) holds for any set of errors (Jensen); accuracy is a reading of the
paper's undefined word. NME, failure rate and AUC have the conventions of the landmark benchmarks (300-W, WFLW,
JD-landmark): an image whose prediction isn't finite is a failure and adds nothing to the AUC, the mean NME leaves it
out and `non_finite` counts it; an image without a normaliser can't be measured and doesn't count.
"""

import math
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from jaxtyping import Float

from thermal_landmarks.errors import ConfigError, require_choice
from thermal_landmarks.evaluation.scores import Rule, score
from thermal_landmarks.evaluation.table import ImageTable, Normaliser, nan_mean

METRICS = ("wing", "mae", "mse", "accuracy", "nme", "failure_rate", "auc", "pixel_error", "non_finite")


@dataclass(frozen=True, kw_only=True)
class Measures:
    """How a table is measured.

    Raises:
        ConfigError: If a choice is unknown or the AUC's threshold isn't positive.
    """

    # Of NME, failure rate and AUC; see `ImageTable.nme`. There is no fallback to another one.
    normaliser: Normaliser = "inter_ocular"
    failure_threshold: float = 0.10  # an image with a greater NME is a failure: 0.10 for WFLW, 0.08 for JD-landmark
    auc_threshold: float = 0.10  # upper end of the cumulative error curve
    auc_rule: Rule = "exact"  # `exact`, or `simpson` as the published scorers do
    wing_width: float = 10.0  # of the wing metric, as in `losses.wing`
    wing_epsilon: float = 2.0  # of the wing metric

    def __post_init__(self) -> None:
        require_choice("metrics.normaliser", self.normaliser, get_args(Normaliser))
        require_choice("metrics.auc_rule", self.auc_rule, get_args(Rule))
        if self.auc_threshold <= 0:
            raise ConfigError(f"metrics.auc_threshold={self.auc_threshold} must be positive.")


def measure(table: ImageTable, measures: Measures) -> dict[str, float]:
    """Every metric of `METRICS`; NaN where nothing could be measured, infinite where a prediction isn't finite."""
    true = (table.true_px + 0.5) / table.size_px[:, None]
    error = np.abs(table.prediction - true)
    error = np.where(np.isnan(true) | np.isfinite(error), error, np.inf)
    nme = table.nme(measures.normaliser)
    nme = nme[~np.isnan(nme)]
    threshold, end = measures.failure_threshold, measures.auc_threshold
    scores = score(nme, (threshold, end), rule=measures.auc_rule) if len(nme) else None
    wing = _wing(error, measures.wing_width, measures.wing_epsilon)
    measured = {
        "wing": 2 * table.prediction.shape[1] * _mean_over_images(wing),
        "mae": _mean_over_images(error),
        "mse": _mean_over_images(error**2),
        "accuracy": float(nan_mean(_argmax_agrees(table), axis=0)),
        "nme": scores.nme if scores else math.nan,
        "failure_rate": scores.failure_rate[threshold] if scores else math.nan,
        "auc": scores.auc[end] if scores else math.nan,
        "pixel_error": float(nan_mean(table.error_px, axis=(0, 1))),
        "non_finite": float(np.isinf(table.error_px).any(axis=1).sum()),
    }
    assert tuple(measured) == METRICS
    return measured


def pixel_error_by_point(table: ImageTable) -> Float[np.ndarray, " point"]:
    """The mean error of each landmark in pixels of the original image."""
    return nan_mean(table.error_px, axis=0)


def prediction_spread(table: ImageTable) -> float:
    """How much the predictions differ between images, relative to the true points: 0 where the input is ignored.

    Both are the root mean variance over the images of the coordinates that at least two of them have.
    """
    true = (table.true_px + 0.5) / table.size_px[:, None]
    known = ~np.isnan(true)
    several = known.sum(axis=0) > 1
    with np.errstate(divide="ignore", invalid="ignore"):
        predicted, annotated = (
            nan_mean(np.where(several, _variance(np.where(known, points, np.nan)), np.nan), axis=(0, 1))
            for points in (table.prediction, true)
        )
        return float(np.sqrt(predicted / annotated))


def best_is(metric: str) -> Literal["min", "max"]:
    """Which value of a logged metric is best: `max` for accuracy, AUC and a finder's scores, else `min`."""
    return "max" if metric.rpartition("/")[2] in ("accuracy", "auc", "average_precision", "recall") else "min"


def _variance(points: Float[np.ndarray, "image point 2"]) -> Float[np.ndarray, "point 2"]:
    return nan_mean((points - nan_mean(points, axis=0)) ** 2, axis=0)


def _mean_over_images(values: Float[np.ndarray, "image point 2"]) -> float:
    """Mean over the valid coordinates of each image, then over the images that have one."""
    return float(nan_mean(nan_mean(values, axis=(1, 2)), axis=0))


def _wing(error: np.ndarray, width: float, epsilon: float) -> np.ndarray:
    """Feng et al. 2018 (arXiv 1711.06753); of each error."""
    beyond = width - width * math.log1p(width / epsilon)
    return np.where(error < width, width * np.log1p(error / epsilon), error - beyond)


def _argmax_agrees(table: ImageTable) -> Float[np.ndarray, " image"]:
    """For x and for y, whether the predicted right-most and lowest points are the true ones.

    It equals Keras' categorical accuracy on a target of shape (2, N). Missing points don't take part.
    """
    missing = np.isnan(table.true_px).any(axis=2)
    if not len(table):
        return np.empty(0)
    predicted, true = (
        np.where(missing[..., None], -np.inf, points).argmax(axis=1) for points in (table.prediction, table.true_px)
    )
    return np.where(missing.all(axis=1), np.nan, (predicted == true).mean(axis=1))
