"""`calibrate`, `experiment=recipes/fine_tune` or both, over the number of annotated faces, for another annotator.

`python docs/studies/calibrate_or_fine_tune.py [FACES ...]`: rendered faces of a seed that no shipped network was
trained on, placed by an annotator whose landmarks lie elsewhere by 3 % (standard deviation of each coordinate, in
percent of the distance of the outer eye corners) and who clicks with a scatter of 0.9 %. Each number of faces is drawn
twice, with another annotator each time; errors are those of 150 other people. Adds to
docs/results/calibrate_or_fine_tune.csv and docs/figures/calibrate_or_fine_tune.png.
"""

import csv
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from peers.pictures import FACE16
from PIL import Image

from thermal_faces import SyntheticFaces
from thermal_landmarks.data.annotation import ThermalImage
from thermal_landmarks.inference.calibration.leave_one_out import Faces, calibrate
from thermal_landmarks.inference.calibration.offsets import as_complex, as_points, in_frame, reference_face
from thermal_landmarks.inference.predictor import Predictor

DOCS = Path(__file__).parents[1]
NUMBERS, DRAWS, OTHERS = (3, 5, 10, 20, 50), 2, 150
OFFSET, SCATTER = 0.03, 0.009
WAYS = ("as shipped", "calibrate", "fine_tune", "fine_tune, then calibrate")


def annotate(points: np.ndarray, annotator: int) -> np.ndarray:
    """True points as this annotator clicks them."""
    generator = np.random.default_rng(annotator)
    offset = generator.normal(0, OFFSET, (16, 2))
    offset = (offset + offset[FACE16.flip_indices] * [-1, 1]) / 2**0.5
    clicks = offset + generator.normal(0, SCATTER, points.shape)
    scale = in_frame(points, reference_face(points, FACE16), FACE16).scale
    return as_points(as_complex(points) + scale[:, None] * as_complex(clicks))


def write_coco(folder: Path, images: list[ThermalImage], points: np.ndarray) -> Path:
    """Pictures and annotations as `data=coco` reads them."""
    listed, annotations = [], []
    for i, (image, places) in enumerate(zip(images, points, strict=True)):
        zero, unit = (-273.15, "centi_kelvin") if image.unit == "celsius" else (0.0, "counts")
        stored = np.clip((image.values - zero) * 100, 0, 65535).round().astype(np.uint16)
        Image.fromarray(stored).save(folder / f"{i}.png")
        height, width = stored.shape
        size = {"width": width, "height": height}
        listed.append({"id": i, "file_name": f"{i}.png", **size, "subject": f"s{i}", "unit": unit})
        keypoints = np.column_stack([places, np.full(16, 2)]).ravel().tolist()
        annotations.append({"id": i, "image_id": i, "category_id": 1, "keypoints": keypoints})
    file = folder / "annotations.json"
    category = {"id": 1, "name": "face", "keypoints": list(FACE16.landmark_names)}
    file.write_text(json.dumps({"images": listed, "annotations": annotations, "categories": [category]}))
    return file


def fine_tuned(file: Path, folder: Path) -> Path:
    """The run of README's command on these faces."""
    settings = ["experiment=recipes/fine_tune", "data=coco", f"data.source.annotation_file={file}", "data.split.test=0"]
    command = [sys.executable, "-m", "thermal_landmarks", "train", *settings, "logger=none", f"output={folder / 'run'}"]
    subprocess.run(command, check=True, cwd=folder, capture_output=True)
    return folder / "run"


def predicted(checkpoint: Path | str, images: list[ThermalImage]) -> np.ndarray:
    """What a network sees in whole pictures."""
    return Predictor.from_checkpoint(checkpoint, device="cpu")(images)


def measure(number: int, draw: int, others: list[ThermalImage], truth: np.ndarray, shipped: np.ndarray) -> list[float]:
    """Median error of each way on the other people, in percent."""
    annotator = 100 * number + draw
    source = SyntheticFaces(subjects=number, images_per_subject=1, size=(240, 320), seed=10_000 + annotator)
    images = [source.load(each) for each in source.annotations()]
    clicked = annotate(np.array([each.points_px for each in source.annotations()]), annotator)
    target = annotate(truth, annotator)
    subjects = [str(i) for i in range(number)]

    def length(points: np.ndarray) -> np.ndarray:
        return np.linalg.norm(points[:, 5] - points[:, 2], axis=1)

    def error(points: np.ndarray) -> float:
        each = np.linalg.norm(points - target, axis=2).mean(axis=1) / length(truth)
        return float(100 * np.median(each))

    def calibrated(checkpoint: Path | str, points: np.ndarray) -> np.ndarray:
        faces = Faces(predicted(checkpoint, images), clicked, subjects, length(clicked))
        return calibrate(faces, FACE16).calibration.apply(points, FACE16)

    with tempfile.TemporaryDirectory() as name:
        run = fine_tuned(write_coco(Path(name), images, clicked), Path(name))
        tuned = predicted(run, others)
        ways = (shipped, calibrated("thermal_real", shipped), tuned, calibrated(run, tuned))
    return [error(points) for points in ways]


def draw_figure(rows: list[tuple[float, ...]], path: Path) -> None:
    """Error over the number of faces, a line for each way."""
    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axis = figure.subplots()
    table = np.array(rows)
    numbers = np.unique(table[:, 0])
    for column, way in enumerate(WAYS, 2):
        means = [table[table[:, 0] == number, column].mean() for number in numbers]
        (line,) = axis.plot(numbers, means, "o-", label=way)
        axis.plot(table[:, 0], table[:, column], ".", color=line.get_color(), alpha=0.5)
    axis.set_xscale("log")
    axis.set_xticks(numbers, [f"{number:.0f}" for number in numbers], minor=False)
    axis.minorticks_off()
    axis.set_ylim(bottom=0)
    axis.set(xlabel="annotated faces of different people", ylabel="median error on other people, %")
    axis.grid(alpha=0.3)
    axis.legend()
    axis.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=110)


def main(numbers: tuple[int, ...]) -> None:
    """Measures all and draws."""
    source = SyntheticFaces(subjects=OTHERS, images_per_subject=1, size=(240, 320), seed=9_999)
    others = [source.load(each) for each in source.annotations()]
    truth = np.array([each.points_px for each in source.annotations()], dtype=float)
    shipped = predicted("thermal_real", others)
    file = DOCS / "results" / "calibrate_or_fine_tune.csv"
    if not file.is_file():
        file.write_text(",".join(("faces", "draw", *WAYS[:3], f'"{WAYS[3]}"')) + "\n", encoding="utf-8")
    for number in numbers:
        for draw in range(DRAWS):
            if (number, draw) in [row[:2] for row in read(file)]:
                continue  # what is measured already stays
            errors = measure(number, draw, others, truth, shipped)
            with file.open("a", newline="", encoding="utf-8") as table:
                csv.writer(table, lineterminator="\n").writerow([number, draw, *(f"{each:.2f}" for each in errors)])
    draw_figure(read(file), DOCS / "figures" / "calibrate_or_fine_tune.png")


def read(file: Path) -> list[tuple[float, ...]]:
    """The rows that are measured."""
    with file.open(newline="", encoding="utf-8") as table:
        return [tuple(map(float, row)) for row in list(csv.reader(table))[1:]]


if __name__ == "__main__":
    main(tuple(map(int, sys.argv[1:])) or NUMBERS)
