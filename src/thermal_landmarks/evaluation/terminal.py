"""Tables of results for the terminal."""

import math
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from rich.table import Table

from thermal_landmarks.evaluation.measures import pixel_error_by_point
from thermal_landmarks.evaluation.table import ImageTable

_SMALLEST_IN_FOUR_PLACES = 1e-3


def metric_table(metrics: Mapping[str, float], normaliser: str, *, stage: Literal["test", "val"] = "test") -> Table:
    """The metrics of a test, or of the validation where there was none, and what they mean; `-`: not measured."""
    title = "Test metrics" if stage == "test" else "Validation metrics of the best epoch"
    table = Table("metric", stage, "meaning", title=title)
    meanings = {
        "wing": "wing loss, coordinates in [0, 1]",
        "mae": "mean absolute error, coordinates in [0, 1]",
        "mse": "mean squared error, coordinates in [0, 1]",
        "accuracy": "right-most and lowest landmark found",
        "nme": f"mean point error / {normaliser.replace('_', ' ')}",
        "failure_rate": "images with too large an NME",
        "auc": "area under the cumulative error curve",
        "pixel_error": "mean point error, original pixels",
    }
    if metrics.get(f"{stage}/non_finite"):
        meanings["non_finite"] = "images whose points are no finite numbers: failures, not in the mean NME"
    if "test/average_precision" in metrics:
        meanings = {
            "average_precision": "area under precision over recall, boxes that overlap by half",
            "recall": "faces found, with at most 0.05 false ones a picture",
            "threshold": "of the score that gives this recall",
        }
    for name, meaning in meanings.items():
        value = metrics.get(f"{stage}/{name}", math.nan)
        table.add_row(name, "-" if math.isnan(value) else _shown(value), meaning)
    return table


def _shown(value: float) -> str:
    """Four places after the point; of what they would leave a digit or none, two digits."""
    return f"{value:.4f}" if value == 0 or abs(value) >= _SMALLEST_IN_FOUR_PLACES else f"{value:.1e}"


def landmark_table(table: ImageTable, names: Sequence[str]) -> Table:
    """Mean error of each landmark in pixels of the original image."""
    shown = Table("landmark", "mean error (px)", "images", title="By landmark")
    counts = (~np.isnan(table.error_px)).sum(axis=0)
    for name, mean, count in zip(names, pixel_error_by_point(table), counts, strict=True):
        shown.add_row(name, "-" if np.isnan(mean) else f"{mean:.2f}", str(count))
    return shown
