"""Where each convention puts the landmarks of `face16`: `python docs/studies/landmark_definitions.py ../shared/data`.

Draws docs/figures/landmarks.webp, writes docs/results/landmark_ratios.csv (distances in near-frontal faces), and puts
both tables of docs/landmarks.md in their places: those distances, and each scheme's point numbers from the code's own
schemes. MediaPipe runs in a process of its own (docs/studies/peers); of pictures only those that it sees are read.
"""

import csv
import sys
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from peers.pictures import FACE16, MEDIAPIPE, meshes, portraits, thermal54, thermal_real
from shape_coverage import RATIOS, face16_shapes, is_frontal, upright

from thermal_faces import SyntheticFaces
from thermal_landmarks.data.readers.coco import CocoKeypoints
from thermal_landmarks.data.readers.dlib_xml import DlibXml
from thermal_landmarks.data.readers.sftl54 import Sftl54
from thermal_landmarks.data.schemes import SCHEMES, get_scheme

DOCS = Path(__file__).parents[1]
SHOWN = ("ibug68", "sftl54", "wflw98", "jd106", "tfake70", "cofw29")
COLOURS = ("#d55e00", "#0072b2", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#666666")


def conventions(data: Path) -> dict[str, np.ndarray]:
    """Upright near-frontal shapes (face, 16, 2) by who placed the points."""
    samples = data / "mmpose-samples" / "tests" / "data"
    ibug = [
        *(
            DlibXml(annotation_file=path)
            for path in sorted((data / "dlib-faces" / "faces").glob("*with_face_landmarks.xml"))
        ),
        CocoKeypoints(annotation_file=samples / "300w" / "test_300w.json", scheme="ibug68"),
        CocoKeypoints(annotation_file=samples / "300wlp" / "test_300wlp.json", scheme="ibug68"),
        CocoKeypoints(annotation_file=samples / "300vw" / "anno_300vw.json", scheme="ibug68"),
    ]
    people = [*portraits(thermal_real(data)), *portraits(thermal54(data))]
    found, _, _ = meshes([each.gray for each in people] + [255 - each.gray for each in people])
    both = np.nanmean(np.split(found[:, list(MEDIAPIPE)], 2), axis=0)
    shapes = {
        "iBUG-68 (visible)": np.concatenate([face16_shapes(source) for source in ibug]),
        "WFLW-98 (visible)": face16_shapes(
            CocoKeypoints(annotation_file=samples / "wflw" / "test_wflw.json", scheme="wflw98")
        ),
        "SF-TL54 (thermal)": face16_shapes(Sftl54(annotations=data / "sftl54-annotations" / "labels.jsonl")),
        "our annotators (thermal)": face16_shapes(thermal_real(data)),
        "MediaPipe on the six portraits": both,
        "rendered": face16_shapes(SyntheticFaces(subjects=1000, images_per_subject=1)),
    }
    flat = {name: upright(points) for name, points in shapes.items()}
    frontal = {name: points[is_frontal(points)] for name, points in flat.items()}
    return {name: points for name, points in frontal.items() if len(points)}


def numbers() -> str:
    """Markdown: the number of each landmark of `face16` in each scheme."""
    lines = [f"| landmark | {' | '.join(SHOWN)} | MediaPipe-478 | perinasal6 |", "|" + " --- |" * (len(SHOWN) + 3)]
    inner = SCHEMES["perinasal6"].ibug68
    for row, (name, number) in enumerate(zip(FACE16.landmark_names, FACE16.ibug68, strict=True)):
        schemes = [get_scheme(scheme).ibug68 for scheme in SHOWN]
        cells = [str(each.index(number)) if number in each else "-" for each in schemes]
        cells += [str(MEDIAPIPE[row]), str(inner.index(number)) if number in inner else "-"]
        lines.append(f"| `{name}` | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def ratios(shapes: dict[str, np.ndarray]) -> list[list[object]]:
    """A row for each distance: median and middle half of each convention, in % of the outer eye distance."""
    rows: list[list[object]] = [["distance", *(f"{name}, n={len(points)}" for name, points in shapes.items())]]
    inner = {"inner eye distance": lambda p: p["eye_right_inner"][:, 0] - p["eye_left_inner"][:, 0]}
    for name, ratio in {**inner, **RATIOS}.items():
        cells = []
        for points in shapes.values():
            values = ratio(dict(zip(FACE16.landmark_names, np.moveaxis(points, 1, 0), strict=True)))
            low, median, high = np.percentile(values, (25, 50, 75))
            cells.append(f"{median:.1f} ({low:.1f} to {high:.1f})")
        rows.append([name, *cells])
    return rows


def draw(shapes: dict[str, np.ndarray], path: Path) -> None:
    """Left: the landmarks by name and number, on the mean rendered face. Right: where each convention has them."""
    figure = Figure(figsize=(13, 9), layout="constrained")
    named, compared = figure.subplots(1, 2)
    inside = set(SCHEMES["perinasal6"].ibug68)
    for name, number, (x, y) in zip(FACE16.landmark_names, FACE16.ibug68, shapes["rendered"].mean(axis=0), strict=True):
        named.plot(x, y, "o", ms=8, color="#d55e00" if number in inside else "#0072b2")
        below = "eye" in name or "mouth" in name
        if name in ("subnasale", "upper_lip"):
            named.annotate(f"{name}  {number}", (x + 2.5, y), fontsize=9, va="center")
            continue
        place = {"ha": "center", "va": "top" if below else "bottom"}
        sideways = {"ala_left": -6, "ala_right": 6, "eye_left_inner": 4, "eye_right_inner": -4}.get(name, 0)
        named.annotate(f"{name}\n{number}", (x + sideways, y + (2.5 if below else -2.5)), fontsize=9, **place)
    named.plot([], [], "o", color="#d55e00", label="also in perinasal6")
    named.plot([], [], "o", color="#0072b2", label="face16 alone")
    named.set_title("face16: name, and number in iBUG-68")
    for (label, points), colour, mark in zip(shapes.items(), COLOURS, "os^Dv*P", strict=False):
        mean = points.mean(axis=0)
        compared.plot(
            *mean.T, mark, ms=8, color=colour, alpha=0.85, label=f"{label}: {len(points)}", mec="white", mew=0.5
        )
    compared.set_title("Mean place, by who placed the points, and number of near-frontal faces")
    for axis in (named, compared):
        axis.set_aspect("equal")
        axis.set(xlim=(-62, 62), ylim=(142, -38), xticks=range(-50, 51, 25), yticks=range(-25, 126, 25))
        axis.set_xlabel("% of the distance of the outer eye corners")
        axis.grid(alpha=0.2)
        axis.legend(loc="lower left", fontsize=9, frameon=False)
        axis.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=85, pil_kwargs={"quality": 85})


def main(data: Path) -> None:
    """Writes all of it."""
    shapes = conventions(data)
    draw(shapes, DOCS / "figures" / "landmarks.webp")
    rows = ratios(shapes)
    (DOCS / "results").mkdir(exist_ok=True)
    with (DOCS / "results" / "landmark_ratios.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    lines = [f"| {' | '.join(map(str, row))} |" for row in rows]
    page = DOCS / "landmarks.md"
    text = page.read_text(encoding="utf-8")
    for name, table in (
        ("numbers", numbers()),
        ("distances", "\n".join([lines[0], "|" + " --- |" * len(rows[0]), *lines[1:]]) + "\n"),
    ):
        before, _, rest = text.partition(f"<!-- {name} -->\n")
        _, _, after = rest.partition("<!-- end -->")
        text = f"{before}<!-- {name} -->\n{table}<!-- end -->{after}"
    page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(str(__doc__))
    main(Path(sys.argv[1]))
