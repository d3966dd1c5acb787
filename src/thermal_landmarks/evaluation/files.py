"""What a test and an evaluation leave: a table of all images, an error curve, the best, median and worst."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from thermal_landmarks.csv_table import write_table
from thermal_landmarks.data.dataset import LandmarkDataset
from thermal_landmarks.data.geometry import invert_matrix, transform_points
from thermal_landmarks.data.schemes import Scheme
from thermal_landmarks.evaluation.measures import Measures
from thermal_landmarks.evaluation.table import ImageTable
from thermal_landmarks.runs import RunFolder

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_KINDS = ("error_px", "x_px", "y_px", "true_x_px", "true_y_px")


def write_per_image(
    table: ImageTable, dataset: LandmarkDataset, scheme: Scheme, measures: Measures, folder: Path
) -> None:
    """Write `per_image.csv`: image, subject, NME, mean error, then error, predicted and true position of each landmark.

    All but the NME are in pixels of the original image; an empty cell is a missing point or normaliser.
    """
    predicted, true = (in_original(points, table, dataset) for points in (table.predicted_px, table.true_px))
    points = np.concatenate([table.error_px[..., None], predicted, true], axis=2)
    header = ["image", "subject", "nme", "mean_error_px"]
    header += [f"{landmark}_{kind}" for landmark in scheme.landmark_names for kind in _KINDS]
    samples, nme, means = dataset.samples, table.nme(measures.normaliser), table.mean_error_px
    rows = (
        [samples.names[row], samples.subjects[row], _cell(nme[i], 5), *map(_cell, (means[i], *points[i].ravel()))]
        for i, row in enumerate(table.index)
    )
    write_table(RunFolder(folder).per_image, header, rows)


def in_original(
    points_px: Float[np.ndarray, "image point 2"], table: ImageTable, dataset: LandmarkDataset
) -> Float[np.ndarray, "image point 2"]:
    """Points in pixels of the network's input, in pixels of the original images."""
    back = [invert_matrix(dataset.samples.matrix[row].astype(np.float64)) for row in table.index]
    moved = [transform_points(points, matrix) for points, matrix in zip(points_px, back, strict=True)]
    return np.stack(moved) if moved else points_px


def choose(errors: Float[np.ndarray, " image"], count: int) -> dict[str, list[int]]:
    """Rows of the best, the median and the worst images; images without an error aren't chosen."""
    order = [int(row) for row in errors.argsort(kind="stable") if not np.isnan(errors[row])]
    middle = max(0, (len(order) - count) // 2)
    return {"best": order[:count], "median": order[middle : middle + count], "worst": order[::-1][:count]}


def draw_figures(
    table: ImageTable,
    dataset: LandmarkDataset,
    measures: Measures,
    measured: Mapping[str, float],
    *,
    name: str,
    faces: int,
) -> dict[str, "Figure"]:
    """`overlays_best`, `overlays_median`, `overlays_worst` with some images each, and the error curve `ced`.

    Images are ranked by NME, or by pixel error where no image has an NME; then there is no curve. `measured` has `auc`
    and `failure_rate`, which the curve's legend repeats; `faces` images make a picture (0: there is none).
    """
    from thermal_landmarks.evaluation.figures import Curve, ced_figure  # matplotlib is slow to import

    nme = table.nme(measures.normaliser)
    by_nme = not np.isnan(nme).all()
    chosen = choose(nme if by_nme else table.mean_error_px, max(0, faces))
    figures = {f"overlays_{which}": overlays(table, dataset, nme, rows) for which, rows in chosen.items() if rows}
    if by_nme:
        curve = Curve(nme, auc=measured["auc"], failure_rate=measured["failure_rate"])
        thresholds = {"auc_threshold": measures.auc_threshold, "failure_threshold": measures.failure_threshold}
        figures["ced"] = ced_figure({name: curve}, **thresholds)
    return figures


def overlays(
    table: ImageTable, dataset: LandmarkDataset, nme: Float[np.ndarray, " image"], rows: Sequence[int]
) -> "Figure":
    """Some images with their true and predicted points, each under its name, pixel error and NME."""
    from thermal_landmarks.evaluation.figures import overlay_grid  # matplotlib is slow to import

    chosen, pixels = list(rows), table.mean_error_px
    titles = [_title(dataset.samples.names[table.index[row]], nme[row], pixels[row]) for row in chosen]
    images = [dataset.samples.values(int(table.index[row])) for row in chosen]
    return overlay_grid(images, list(table.true_px[chosen]), list(table.predicted_px[chosen]), titles)


def _title(name: str, nme: float, pixels: float) -> str:
    path = Path(name)
    shown = path.name if path.suffix else "/".join(path.parts[-2:])  # rendered images are numbered in their subject
    return f"{shown}: {pixels:.1f} px" + ("" if np.isnan(nme) else f", NME {nme:.1%}")


def _cell(value: float, digits: int = 3) -> str:
    return "" if np.isnan(value) else f"{value:.{digits}f}"
