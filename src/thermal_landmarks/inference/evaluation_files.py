"""What an evaluation leaves: a table of all images, the error curve, and the best, median and worst images."""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.table import Table

from thermal_landmarks.data.schemes import Scheme
from thermal_landmarks.inference.evaluation import Evaluation, nan_mean
from thermal_landmarks.reporting.figures import ced_figure, overlay_grid

_MEANING = {
    "wing": "wing loss, [0, 1] units, summed over an image's coordinates",
    "mae": "mean |error| of a coordinate, [0, 1] units",
    "mse": "mean squared error of a coordinate, [0, 1] units",
    "accuracy": "how often the right-most and the lowest point are the true ones",
    "nme": "mean point error / {normaliser}",
    "failure_rate": "images with a greater NME than {failure}",
    "auc": "area under the cumulative error curve up to {auc}",
    "pixel_error": "mean point error in pixels of the original image",
}


def write_per_image(evaluation: Evaluation, scheme: Scheme, path: Path) -> None:
    """One row an image: name, subject, NME, mean error, then error, predicted and true position of each landmark.

    All but the NME are in pixels of the original image; an empty cell is a missing point or normaliser.
    """
    kinds = ("error_px", "x_px", "y_px", "true_x_px", "true_y_px")
    header = ["image", "subject", "nme", "mean_error_px"]
    header += [f"{landmark}_{kind}" for landmark in scheme.landmark_names for kind in kinds]
    errors, means = evaluation.error_px, evaluation.mean_error_px
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(header)
        for i, row in enumerate(evaluation.rows):
            points = np.column_stack([errors[i], evaluation.predicted_px[i], evaluation.true_px[i]])
            names = [evaluation.samples.names[row], evaluation.samples.subjects[row]]
            rows.writerow([*names, _cell(evaluation.nme[i], 5), _cell(means[i]), *map(_cell, points.ravel())])


def write_figures(evaluation: Evaluation, folder: Path, *, name: str, threshold: float, overlays: int) -> None:
    """`ced.png`, and `best.png`, `median.png` and `worst.png` with `overlays` images each."""
    folder.mkdir(parents=True, exist_ok=True)
    ced_figure({name: evaluation.nme}, threshold=threshold).savefig(folder / "ced.png")
    by_nme = bool(np.isfinite(evaluation.nme).any())
    score = evaluation.nme if by_nme else evaluation.mean_error_px
    order = np.argsort(score)[: int(np.isfinite(score).sum())]  # NaN comes last
    count = min(overlays, len(order))
    if count < 1:
        return
    middle = (len(order) - count) // 2
    chosen = {"best": order[:count], "median": order[middle : middle + count], "worst": order[::-1][:count]}
    for kind, images in chosen.items():
        rows = evaluation.rows[images]
        titles = [
            f"{Path(evaluation.samples.names[row]).name}: " + (f"NME {100 * s:.1f} %" if by_nme else f"{s:.1f} px")
            for row, s in zip(rows, score[images], strict=True)
        ]
        overlay_grid(
            [evaluation.samples.values(int(row)) for row in rows],
            list(evaluation.true_input_px[images]),
            list(evaluation.predicted_input_px[images]),
            titles,
        ).savefig(folder / f"{kind}.png")


def metric_table(metrics: dict[str, float], *, normaliser: str, failure: float, auc: float) -> Table:
    """The metrics and what they mean, for the terminal."""
    table = Table("metric", "value", "meaning", title="Evaluation")
    for name, meaning in _MEANING.items():
        value = metrics[f"test/{name}"]
        shown = "-" if np.isnan(value) else f"{value:.4f}"
        explained = meaning.format(normaliser=normaliser.replace("_", "-"), failure=failure, auc=auc)
        table.add_row(name, shown, explained)
    return table


def landmark_table(evaluation: Evaluation, names: Sequence[str]) -> Table:
    """Mean error of each landmark in pixels of the original image, for the terminal."""
    table = Table("landmark", "mean error (px)", "images", title="By landmark")
    errors = evaluation.error_px
    for name, mean, count in zip(names, nan_mean(errors, axis=0), (~np.isnan(errors)).sum(axis=0), strict=True):
        table.add_row(name, "-" if np.isnan(mean) else f"{mean:.2f}", str(count))
    return table


def _cell(value: float, digits: int = 3) -> str:
    return "" if np.isnan(value) else f"{value:.{digits}f}"
