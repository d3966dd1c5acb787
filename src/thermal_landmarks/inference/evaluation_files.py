"""What an evaluation leaves: a table of all images, the error curve, and the best, median and worst images."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from rich.table import Table

from thermal_landmarks.csv_table import CsvTable
from thermal_landmarks.data.schemes import Scheme
from thermal_landmarks.inference.evaluation import Evaluation, nan_mean
from thermal_landmarks.reporting.figures import Curve, ced_figure, overlay_grid
from thermal_landmarks.training.callbacks.figures import choose_faces


def write_per_image(evaluation: Evaluation, scheme: Scheme, path: Path) -> None:
    """One row an image: name, subject, NME, mean error, then error, predicted and true position of each landmark.

    All but the NME are in pixels of the original image; an empty cell is a missing point or normaliser.
    """
    kinds = ("error_px", "x_px", "y_px", "true_x_px", "true_y_px")
    header = ["image", "subject", "nme", "mean_error_px"]
    header += [f"{landmark}_{kind}" for landmark in scheme.landmark_names for kind in kinds]
    errors, means = evaluation.error_px, evaluation.mean_error_px
    with CsvTable(path) as table:
        table.add(header)
        for i, row in enumerate(evaluation.rows):
            points = np.column_stack([errors[i], evaluation.predicted_px[i], evaluation.true_px[i]])
            names = [evaluation.samples.names[row], evaluation.samples.subjects[row]]
            table.add([*names, _cell(evaluation.nme[i], 5), _cell(means[i]), *map(_cell, points.ravel())])


def write_figures(
    evaluation: Evaluation,
    folder: Path,
    *,
    name: str,
    auc_threshold: float,
    failure_threshold: float,
    overlays: int,
) -> None:
    """`ced.png`, and `best.png`, `median.png` and `worst.png` with `overlays` images each."""
    folder.mkdir(parents=True, exist_ok=True)
    measured = evaluation.metrics
    curve = Curve(evaluation.nme, auc=measured["test/auc"], failure_rate=measured["test/failure_rate"])
    figure = ced_figure({name: curve}, auc_threshold=auc_threshold, failure_threshold=failure_threshold)
    figure.savefig(folder / "ced.png")
    by_nme = bool(np.isfinite(evaluation.nme).any())
    score = evaluation.nme if by_nme else evaluation.mean_error_px
    errors = {"nme": evaluation.nme, "pixel_error": evaluation.mean_error_px}
    chosen = choose_faces({kind: torch.from_numpy(values) for kind, values in errors.items()}, max(0, overlays))
    for kind, images in chosen.items():
        if not images:
            continue
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


def landmark_table(evaluation: Evaluation, names: Sequence[str]) -> Table:
    """Mean error of each landmark in pixels of the original image, for the terminal."""
    table = Table("landmark", "mean error (px)", "images", title="By landmark")
    errors = evaluation.error_px
    for name, mean, count in zip(names, nan_mean(errors, axis=0), (~np.isnan(errors)).sum(axis=0), strict=True):
        table.add_row(name, "-" if np.isnan(mean) else f"{mean:.2f}", str(count))
    return table


def _cell(value: float, digits: int = 3) -> str:
    return "" if np.isnan(value) else f"{value:.{digits}f}"
