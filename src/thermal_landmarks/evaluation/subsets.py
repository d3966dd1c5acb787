"""A data set's benchmark table: NME, failure rate and AUC of all images and of each subset that its flags name.

As Tables 2 and 3 of LOTR (arXiv 2109.10057). Errors are measured over every annotated point, also where a crop has cut
it off, so that results don't depend on the crop.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Bool, Float
from rich.table import Table

from thermal_landmarks.data.dataset import LandmarkDataset
from thermal_landmarks.evaluation.scores import Rule, Scores, score
from thermal_landmarks.evaluation.table import ImageTable, Normaliser, distances

FULL = "full"


def benchmark_errors(
    table: ImageTable, dataset: LandmarkDataset, normaliser: Normaliser
) -> Float[np.ndarray, " image"]:
    """NME of each image over every annotated point, also those that the crop has cut off."""
    annotated_px = dataset.samples.points_px[table.index][:, dataset.landmarks].astype(np.float64)
    return table.nme(normaliser, distances(table.predicted_px, annotated_px) * table.pixel_size[:, None])


def subset_masks(table: ImageTable, dataset: LandmarkDataset) -> dict[str, Bool[np.ndarray, " image"]]:
    """Which images belong to each subset: `full` has all, and each true-or-false attribute of the data set its own."""
    attributes = [dataset.samples.attributes[row] for row in table.index]
    flags = dict.fromkeys(name for a in attributes for name, value in a.items() if isinstance(value, bool))
    masks = {flag: np.array([a.get(flag) is True for a in attributes]) for flag in flags}
    return {FULL: np.ones(len(attributes), dtype=bool), **masks}


def score_subsets(
    nme: Float[np.ndarray, " image"],
    masks: Mapping[str, Bool[np.ndarray, " image"]],
    thresholds: tuple[float, ...],
    rule: Rule,
) -> dict[str, Scores | None]:
    """The scores of each subset's images that have an NME; None where there is none."""
    known = ~np.isnan(nme)
    return {
        name: score(nme[m & known], thresholds, rule=rule) if (m & known).any() else None for name, m in masks.items()
    }


def as_records(scores: Mapping[str, Scores | None]) -> list[dict[str, Any]]:
    """One flat record a subset, as fractions: `subset, images, nme, failure_rate@0.08, ..., auc@0.08, ...`."""
    records = []
    for name, found in scores.items():
        record: dict[str, Any] = {"subset": name, "images": found.images if found else 0}
        if found:
            record["nme"] = found.nme
            record |= {f"failure_rate@{t:g}": value for t, value in found.failure_rate.items()}
            record |= {f"auc@{t:g}": value for t, value in found.auc.items()}
        records.append(record)
    return records


def score_table(scores: Mapping[str, Scores | None], normaliser: str) -> Table:
    """The scores in percent, as the benchmarks give them, for the terminal."""
    thresholds = next((list(found.auc) for found in scores.values() if found), [])
    kinds = [f"{kind} {100 * t:g} %" for kind in ("failures >", "AUC") for t in thresholds]
    table = Table(
        "subset", "images", "NME", *kinds, title=f"Benchmark in percent (NME by {normaliser.replace('_', ' ')})"
    )
    for name, found in scores.items():
        if found is None:
            table.add_row(name, "0", *["-"] * (1 + len(kinds)))
            continue
        values = [found.nme, *found.failure_rate.values(), *found.auc.values()]
        table.add_row(name, str(found.images), *(f"{100 * value:.2f}" for value in values))
    return table
