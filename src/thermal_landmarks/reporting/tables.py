"""Tables for the terminal."""

import math
from collections.abc import Mapping

from rich.table import Table


def metric_table(metrics: Mapping[str, float], normaliser: str) -> Table:
    """The test metrics and what they mean.

    Args:
        metrics: Keys `test/...`; missing or NaN where nothing could be measured.
        normaliser: Of the NME.
    """
    table = Table("metric", "test", "meaning", title="Test metrics")
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
    if metrics.get("test/non_finite"):
        meanings["non_finite"] = "images whose points are no finite numbers: failures, not in the mean NME"
    if "test/average_precision" in metrics:
        meanings = {
            "average_precision": "area under precision over recall, boxes that overlap by half",
            "recall": "faces found, with at most 0.05 false ones a picture",
            "threshold": "of the score that gives this recall",
        }
    for name, meaning in meanings.items():
        value = metrics.get(f"test/{name}", math.nan)
        table.add_row(name, "-" if math.isnan(value) else f"{value:.4f}", meaning)
    return table
