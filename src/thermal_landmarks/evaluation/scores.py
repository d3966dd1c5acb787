"""NME, failure rate and AUC of a set of images as the benchmarks' scorers compute them, in double precision.

The cumulative error curve at x is the fraction of images with NME <= x; the WFLW scorers (of LUVLi, AWing and others)
sample it every 1e-4 from 0 to the threshold and apply Simpson's rule.
"""

import math
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float

from thermal_landmarks.errors import DataError

Rule = Literal["exact", "simpson"]
_STEP = 1e-4


class Scores(NamedTuple):
    """Of one set of images, as fractions."""

    images: int  # how many were scored
    # How many of them have an infinite NME, because their prediction isn't finite: failures, and nothing for the AUC
    non_finite: int
    nme: float  # mean NME of the others
    failure_rate: dict[float, float]  # by threshold: share of images with a greater NME
    auc: dict[float, float]  # by threshold: area under the cumulative error curve up to there, divided by the threshold


def score(nme: Float[np.ndarray, " image"], thresholds: tuple[float, ...], *, rule: Rule = "simpson") -> Scores:
    """The scores of images from their NME.

    Raises:
        DataError: If there is no image, or an image without an NME: leaving it out would flatter the result.
    """
    nme = np.asarray(nme, dtype=np.float64)
    if not len(nme):
        raise DataError("There is no image to score.")
    if missing := int(np.isnan(nme).sum()):
        raise DataError(f"{missing} of {len(nme)} images have no NME (NaN). Fix or leave out these images first.")
    finite = nme[np.isfinite(nme)]
    return Scores(
        images=len(nme),
        non_finite=len(nme) - len(finite),
        nme=float(finite.mean()) if len(finite) else math.nan,
        failure_rate={t: float((nme > t).mean()) for t in thresholds},
        auc={t: area_under_curve(nme, t, rule) for t in thresholds},
    )


def area_under_curve(nme: Float[np.ndarray, " image"], threshold: float, rule: Rule) -> float:
    """Area under the cumulative error curve from 0 to a threshold, divided by the threshold; needs an image.

    `exact` integrates the step function, mean(max(0, 1 - NME / threshold)); `simpson` is the scorers' sampling of it.
    They differ by about one step width.
    """
    nme = np.asarray(nme, dtype=np.float64)
    if rule == "exact":
        return float((1 - nme / threshold).clip(min=0).mean())
    from scipy.integrate import simpson  # slow to import, seldom needed

    x = np.arange(round(threshold / _STEP) + 1) * _STEP
    curve = np.searchsorted(np.sort(nme), x, side="right") / len(nme)
    return float(simpson(curve, x=x) / threshold)
