"""Sample faces by how large their error is, a row for each range of NME and a column for each subset.

As Figure 3 of LOTR (arXiv 2109.10057).
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Float, Int
from matplotlib.figure import Figure

from thermal_landmarks.data.dataset import LandmarkDataset
from thermal_landmarks.evaluation.figures import overlay_grid
from thermal_landmarks.evaluation.subsets import FULL
from thermal_landmarks.evaluation.table import ImageTable

_COLUMNS_WITHOUT_SUBSETS = 6


def nme_bins_figure(
    table: ImageTable,
    dataset: LandmarkDataset,
    nme: Float[np.ndarray, " image"],
    subsets: Mapping[str, Bool[np.ndarray, " image"]],
    edges: Sequence[float],
) -> Figure:
    """The figure; a place stays empty where a subset has no face in a range, a range without any face has no row.

    Of `nme`, NaN is left out. With the subset `full` alone, each row shows several faces of the range. The ascending
    edges each begin a row, but the last, above which the last row lies.
    """
    flags = [name for name in subsets if name != FULL]
    bounds = [f"{edge:g}" for edge in edges]
    ranges = [f"< {bounds[0]}", *(f"{a} to {b}" for a, b in pairwise(bounds)), f"> {bounds[-1]}"]
    known = ~np.isnan(nme)
    row_of = np.searchsorted(edges[:-1], nme, side="right") + (nme > edges[-1])
    chosen: list[int | None] = []
    titles: list[str] = []
    for row, name in enumerate(ranges):
        order = np.flatnonzero(known & (row_of == row))
        if not len(order):
            continue
        order = order[np.argsort(nme[order], kind="stable")]
        faces = _medians(order, [subsets[flag] for flag in flags]) if flags else _spread(order)
        chosen += faces
        for face, flag in zip(faces, flags or [""] * len(faces), strict=True):
            shown = f"no face with NME {name}" if face is None else f"NME {nme[face]:.3f}"
            titles.append(f"{flag.replace('_', '-')}: {shown}" if flag else shown * (face is not None))
    predicted_px = table.predicted_px
    nothing = np.zeros_like(dataset.samples.values(0))
    no_points = np.full_like(table.true_px[0], np.nan)
    figure = overlay_grid(
        [nothing if i is None else dataset.samples.values(int(table.index[i])) for i in chosen],
        [no_points if i is None else table.true_px[i] for i in chosen],
        [no_points if i is None else predicted_px[i] for i in chosen],
        titles,
        columns=len(flags) or _COLUMNS_WITHOUT_SUBSETS,
    )
    for axes, face in zip(figure.axes, chosen, strict=True):
        if face is None:
            axes.images[0].set_visible(False)
            axes.set_axis_off()
    return figure


def _medians(order: Int[np.ndarray, " face"], subsets: Sequence[Bool[np.ndarray, " image"]]) -> list[int | None]:
    """The median face of each subset, if possible one that no other column shows."""
    chosen: list[int | None] = []
    for subset in subsets:
        own = order[subset[order]].tolist()
        fresh = [face for face in own if face not in chosen] or own
        chosen.append(fresh[len(fresh) // 2] if fresh else None)
    return chosen


def _spread(order: Int[np.ndarray, " face"]) -> list[int | None]:
    """Faces from the whole range."""
    count = min(_COLUMNS_WITHOUT_SUBSETS, len(order))
    faces = order[np.linspace(0, len(order) - 1, count).round().astype(int)].tolist()
    return [*faces, *[None] * (_COLUMNS_WITHOUT_SUBSETS - count)]
