"""Do rendered face shapes cover real ones? Landmarks alone are compared, never pictures.

Three views of two sets of `face16` shapes: plain ratios that people understand, principal components of the rendered
shapes after Procrustes alignment, and the nearest rendered neighbour of each real shape. All lengths are in percent of
the distance between the outer eye corners. Where single points matter, rendered ones get the scatter with which people
click: two annotators' points lie 1.6 % apart on average.

    python docs/studies/shape_coverage.py labels.jsonl docs/figures/shape_coverage.png
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import typer
from jaxtyping import Bool, Float
from scipy.spatial.distance import cdist
from shape_coverage_figure import coverage_figure

from thermal_faces import SyntheticFaces
from thermal_landmarks.data.annotation import Source
from thermal_landmarks.data.readers.sftl54 import Sftl54
from thermal_landmarks.data.schemes import get_scheme

Shapes = Float[np.ndarray, "shape 16 2"]
Places = dict[str, Float[np.ndarray, "shape 2"]]

_SCHEME = get_scheme("face16")
_QUANTILES = (5, 50, 95)
_FRONTAL_PERCENT = 5.0  # of the nose tip beside the middle of the eyes: a yaw of about five degrees
_CLICK_DEVIATION_PERCENT = 0.9  # of each coordinate of one annotator: 1.6 % between two


def _middle(places: Places, name: str, axis: int) -> np.ndarray:
    left, right = places[name.replace("*", "left")], places[name.replace("*", "right")]
    return 0.5 * (left + right)[:, axis]


def _apart(places: Places, first: str, second: str) -> np.ndarray:
    return places[second][:, 0] - places[first][:, 0]


def _below(places: Places, upper: str, lower: str) -> np.ndarray:
    return places[lower][:, 1] - places[upper][:, 1]


RATIOS: dict[str, Callable[[Places], np.ndarray]] = {
    "eye width": lambda p: 100 - 0.5 * (100 + _apart(p, "eye_left_inner", "eye_right_inner")),
    "brow height": lambda p: -_middle(p, "brow_*", 1),
    "brow distance": lambda p: _apart(p, "brow_left", "brow_right"),
    "nasion below eyes": lambda p: p["nasion"][:, 1],
    "nose length": lambda p: _below(p, "nasion", "subnasale"),
    "nose tip height": lambda p: _below(p, "nose_tip", "subnasale"),
    "ala width": lambda p: _apart(p, "ala_left", "ala_right"),
    "ala height": lambda p: p["subnasale"][:, 1] - _middle(p, "ala_*", 1),
    "philtrum": lambda p: _below(p, "subnasale", "upper_lip"),
    "upper lip height": lambda p: _middle(p, "mouth_*", 1) - p["upper_lip"][:, 1],
    "lower lip height": lambda p: p["lower_lip"][:, 1] - _middle(p, "mouth_*", 1),
    "mouth width": lambda p: _apart(p, "mouth_left", "mouth_right"),
    "mouth below eyes": lambda p: _middle(p, "mouth_*", 1),
    "chin height": lambda p: _below(p, "lower_lip", "chin"),
    "face length": lambda p: p["chin"][:, 1],
}
"""Distances in an upright face, in percent of the inter-ocular distance."""


@dataclass(frozen=True)
class ShapeCoverage:
    """How rendered shapes stand to real ones.

    Attributes:
        ratios: For each ratio of near-frontal faces, quantiles 5, 50 and 95 of the real and of the rendered shapes.
        inside: Share of the real shapes whose Mahalanobis distance from the rendered ones is not above that of the
            outermost twentieth of the rendered.
        inside_frontal: The same share among the near-frontal real shapes.
        near: Share of the real shapes that are no farther from a rendered one than 95 % of the rendered are from
            another.
        neighbour_percent: Distance (root mean square over points) to the nearest rendered shape: median of the real,
            and of the rendered with itself left out.
        rendered_inside: Share of the rendered shapes inside the real ones, by the same rule as `inside`. Rendered
            shapes should vary more than one region's people do, so this may be low.
    """

    ratios: dict[str, tuple[Float[np.ndarray, " 3"], Float[np.ndarray, " 3"]]]
    inside: float
    inside_frontal: float
    near: float
    neighbour_percent: tuple[float, float]
    rendered_inside: float

    def table(self) -> str:
        """Markdown: a row a ratio."""
        lines = ["| % of inter-ocular, 5 / 50 / 95 % | real | rendered |", "| --- | --- | --- |"]
        for name, pair in self.ratios.items():
            real, rendered = (" / ".join(f"{value:.1f}" for value in quantiles) for quantiles in pair)
            lines.append(f"| {name} | {real} | {rendered} |")
        near = " and ".join(f"{value:.1f} %" for value in self.neighbour_percent)
        summary = (
            f"Real shapes inside the rendered distribution: {self.inside:.1%} (near-frontal ones: "
            f"{self.inside_frontal:.1%}); as near to a rendered shape as rendered ones are to each other: "
            f"{self.near:.1%} (median distances {near}). "
            f"Rendered shapes inside the real distribution: {self.rendered_inside:.1%}."
        )
        return "\n".join([*lines, "", summary])


def face16_shapes(source: Source) -> Shapes:
    """The `face16` landmarks of every complete annotation of a source, in pixels."""
    index = get_scheme(source.scheme).index_map(_SCHEME)
    shapes = np.array([a.points_px[index] for a in source.annotations()], dtype=np.float64).reshape(-1, 16, 2)
    return shapes[np.isfinite(shapes).all(axis=(1, 2))]


def upright(shapes: Shapes) -> Shapes:
    """Turned so that the outer eye corners are level, with their middle as origin and their distance as 100."""
    corners = _SCHEME.outer_eye_corners
    assert corners is not None
    left, right = (shapes[:, i] for i in corners)
    across = right - left
    length = np.linalg.norm(across, axis=1)[:, None]
    x = across / length
    y = np.stack([-x[:, 1], x[:, 0]], axis=-1)
    offset = 100 * (shapes - 0.5 * (left + right)[:, None]) / length[:, None]
    return np.stack([(offset * axis[:, None]).sum(axis=-1) for axis in (x, y)], axis=-1)


def is_frontal(upright_shapes: Shapes) -> Bool[np.ndarray, " shape"]:
    """Faces turned to the side by no more than about five degrees."""
    tip = upright_shapes[:, _SCHEME.landmark_names.index("nose_tip"), 0]
    return np.abs(tip) < _FRONTAL_PERCENT


def aligned(shapes: Shapes, rounds: int = 8) -> Shapes:
    """Generalised Procrustes alignment over rotation, translation and size.

    The mean shape comes out upright with an inter-ocular distance of 100.
    """
    points = shapes[..., 0] + 1j * shapes[..., 1]
    points = points - points.mean(axis=1, keepdims=True)
    points /= np.sqrt((np.abs(points) ** 2).sum(axis=1, keepdims=True))
    mean = points[0]
    for _ in range(rounds):
        turn = (points.conj() * mean).sum(axis=1, keepdims=True)
        points = points * (turn / np.abs(turn))
        mean = points.mean(axis=0)
        mean = mean / np.sqrt((np.abs(mean) ** 2).sum())
    left, right = _SCHEME.outer_eye_corners or (0, 0)
    across = points[:, right].mean() - points[:, left].mean()
    points = points * (100 / across)
    return np.stack([points.real, points.imag], axis=-1)


def components(
    of: Float[np.ndarray, "shape values"], shapes: Float[np.ndarray, "other values"]
) -> Float[np.ndarray, "other components"]:
    """Scores of shapes on the principal components of a set, in its standard deviations."""
    mean = of.mean(axis=0)
    _, singular, axes = np.linalg.svd(of - mean, full_matrices=False)
    count = int((singular > 1e-6 * singular[0]).sum())
    return (shapes - mean) @ axes[:count].T / (singular[:count] / np.sqrt(len(of) - 1))


def measure_coverage(real: Shapes, rendered: Shapes) -> ShapeCoverage:
    """Compares two sets of shapes, given in pixels or any other unit."""
    ratios = {}
    frontal = [flat[is_frontal(flat)] for flat in (upright(real), upright(rendered))]
    for name, ratio in RATIOS.items():
        quantiles = [
            np.percentile(ratio(dict(zip(_SCHEME.landmark_names, np.moveaxis(s, 1, 0), strict=True))), _QUANTILES)
            for s in frontal
        ]
        ratios[name] = (quantiles[0], quantiles[1])
    both = aligned(np.concatenate([upright(real), _clicked(upright(rendered))]))
    flat_real, flat_rendered = np.split(both.reshape(len(both), -1), [len(real)])
    among = cdist(flat_rendered, flat_rendered)
    np.fill_diagonal(among, np.inf)
    own, other = among.min(axis=1) / 4, cdist(flat_real, flat_rendered).min(axis=1) / 4  # root of 16 points
    inside = _inside(flat_rendered, flat_real)
    return ShapeCoverage(
        ratios=ratios,
        inside=float(inside.mean()),
        inside_frontal=float(inside[is_frontal(upright(real))].mean()),
        near=float((other <= np.percentile(own, 95)).mean()),
        neighbour_percent=(float(np.median(other)), float(np.median(own))),
        rendered_inside=float(_inside(flat_real, flat_rendered).mean()),
    )


def _clicked(upright_shapes: Shapes) -> Shapes:
    scatter = np.random.default_rng(0).standard_normal(upright_shapes.shape)
    return upright_shapes + _CLICK_DEVIATION_PERCENT * scatter


def _inside(of: np.ndarray, shapes: np.ndarray) -> np.ndarray:
    own, other = (np.linalg.norm(components(of, each), axis=1) for each in (of, shapes))
    return other <= np.percentile(own, 95)


def report_coverage(real: Source, rendered: Source, path: Path) -> ShapeCoverage:
    """Measures how rendered shapes cover real ones, and saves the figure."""
    shapes = [face16_shapes(source) for source in (real, rendered)]
    coverage = measure_coverage(*shapes)
    both = aligned(np.concatenate(shapes))
    flat = both.reshape(len(both), -1)
    scores = components(flat[len(shapes[0]) :], flat)[:, :6]
    path.parent.mkdir(parents=True, exist_ok=True)
    coverage_figure(both, scores, coverage.ratios, len(shapes[0])).savefig(path)
    return coverage


def main(annotations: Path, figure: Path) -> None:
    """Print the table for SF-TL54's ANNOTATIONS (labels.jsonl) and draw the FIGURE."""
    faces = SyntheticFaces(subjects=1500, images_per_subject=2)
    print(report_coverage(Sftl54(annotations=annotations), faces, figure).table())


if __name__ == "__main__":
    typer.run(main)
