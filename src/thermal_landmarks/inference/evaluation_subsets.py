"""A data set's benchmark table: NME, failure rate and AUC of all images and of each subset that its flags name.

As Tables 2 and 3 of LOTR (arXiv 2109.10057). Errors are measured in the original image over every annotated point, also
where a crop has cut it off, so that results don't depend on the crop.
"""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float
from rich.table import Table

from thermal_landmarks.csv_table import write_table
from thermal_landmarks.inference.evaluation import Evaluation
from thermal_landmarks.training.normalised_metrics import Normaliser
from thermal_landmarks.training.scores import Rule, Scores, score

FULL = "full"


def benchmark_errors(evaluation: Evaluation, normaliser: Normaliser) -> Float[np.ndarray, " image"]:
    """NME of each image in double precision: NaN without a normaliser, infinite where a prediction isn't finite."""
    predicted = evaluation.predicted_px.astype(np.float64)
    samples, rows = evaluation.samples, evaluation.rows
    if normaliser == "inter_ocular":
        length = samples.inter_ocular_px[rows].astype(np.float64)
    elif normaliser == "box":
        length = np.sqrt(samples.box_px[rows].astype(np.float64).prod(axis=1))
    else:
        length = np.full(len(rows), math.hypot(*samples.images.shape[-2:]))
    length = length * samples.pixel_size[rows]
    distances = np.linalg.norm(predicted - evaluation.annotated_px, axis=2)
    distances[~np.isfinite(predicted).all(axis=2) & ~np.isnan(evaluation.annotated_px).any(axis=2)] = np.inf
    # every image of an evaluation has an annotated point
    return np.nanmean(distances, axis=1) / np.where(length > 0, length, np.nan)


def subset_masks(evaluation: Evaluation) -> dict[str, Bool[np.ndarray, " image"]]:
    """Which images belong to each subset: `full` has all, and each true-or-false attribute of the data set its own."""
    attributes = [evaluation.samples.attributes[row] for row in evaluation.rows]
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


def write_scores(scores: Mapping[str, Scores | None], path: Path) -> None:
    """The records as CSV, one row a subset."""
    records = as_records(scores)
    columns = dict.fromkeys(name for record in records for name in record)
    write_table(path, columns, ([record.get(name) for name in columns] for record in records))


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
