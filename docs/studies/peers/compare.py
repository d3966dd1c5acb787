"""Ours beside other people's landmarkers, on the same pictures in one run.

    uv run --with dlib-bin --with face_recognition_models python docs/studies/peers/compare.py ../shared/data OUTPUT

OUTPUT keeps the trees and the network that learn from rendered faces; without them they are trained first (15 minutes).
Six real portraits of two cameras and 100 rendered faces. Each method gets the picture alone (dlib, which has no thermal
finder, and the U-Net the true box). Each is measured as it ships and with offsets that `calibrate` learns from the
other people. Writes docs/results/peers.csv and the table of docs/results/peers.md. Milliseconds are CPU time of one
core at 640x480. Nothing is chosen on these pictures but the margin of dlib-68's box.
"""

import csv
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from dlib_shapes import dlib68, train_trees, trees
from pictures import FACE16, MEDIAPIPE, Method, Portrait, meshes, portraits, rendered, thermal54, thermal_real
from unet import train_unet, unet

from thermal_landmarks.building import build
from thermal_landmarks.commands.configs import compose_config
from thermal_landmarks.inference.calibration.leave_one_out import Faces, left_out
from thermal_landmarks.inference.predictor import Predictor
from thermal_landmarks.models.checkpoint import find_checkpoint, load_checkpoint, load_finder
from thermal_landmarks.runtime import ExportedFaces

DOCS = Path(__file__).parents[2]
FINDER = find_checkpoint("thermal_real").parent / "finder" / "face_finder.ckpt"
FACES = 1000  # rendered ones that trees and U-Net learn from
UNET_MINUTES = 8
AS_SEEN = ("data.source.images_per_subject=1", "data.source.size=[240,320]", "data.source.seed=5")
COLUMNS = (
    *("method", "given", "found_of_6", "nme_thermal_real", "nme_thermal54", "five_points", "thermal_real_calibrated"),
    *("found_of_100_rendered", "median_rendered", "parameters", "megabytes", "ms"),
)


def ours(people: list[Portrait], checkpoint: str, speed: Any = "exact", *, find: bool = True) -> Method:
    """The surest face that our finder finds, or without it what the network sees in the whole picture."""
    predictor = Predictor.from_checkpoint(checkpoint, device="cpu", speed=speed)
    look = (
        (lambda image: [face.points_px for face in predictor.faces(image)])
        if find
        else lambda image: [predictor(image)]
    )
    look(people[0].image)
    points, ms = np.full((len(people), 16, 2), np.nan), np.zeros(len(people))
    for row, each in enumerate(people):
        started = time.process_time()
        found = look(each.image)
        ms[row] = 1000 * (time.process_time() - started)
        if found:
            points[row] = found[0]
    networks = [load_checkpoint(checkpoint).network, *([load_finder().network] if find else [])]
    count = sum(p.numel() for network in networks for p in network.parameters())
    size = find_checkpoint(checkpoint).stat().st_size + (FINDER.stat().st_size if find else 0)
    return Method(points, ms, "", count, size)


def exported(people: list[Portrait], name: str = "thermal_real") -> Method:
    """The file for `thermal_landmarks.runtime`, which needs no PyTorch: finder, network and confidence in one."""
    file = ExportedFaces(name, threads=1)
    file.faces(people[0].image)
    points, ms = np.full((len(people), 16, 2), np.nan), np.zeros(len(people))
    for row, each in enumerate(people):
        started = time.process_time()
        found = file.faces(each.image)
        ms[row] = 1000 * (time.process_time() - started)
        if found:
            points[row] = found[0].points_px
    return Method(points, ms, "", None, file.path.stat().st_size)


def mediapipe(people: list[Portrait]) -> dict[str, Method]:
    """The face mesh on pictures, on their negatives, and the mean of both (the one where the other found none)."""
    gray = [each.gray for each in people]
    found, ms, size = meshes(gray + [255 - picture for picture in gray])
    plain, inverted = np.split(found[:, list(MEDIAPIPE)], 2)
    both = np.where(np.isnan(plain), inverted, np.where(np.isnan(inverted), plain, (plain + inverted) / 2))
    first, second = np.split(ms, 2)
    return {
        "MediaPipe 0.10.21 mesh": Method(plain, first, "", None, size),
        "MediaPipe, negative": Method(inverted, second, "", None, size),
        "MediaPipe, both averaged": Method(both, first + second, "", None, size),
    }


def five_points(points: np.ndarray) -> np.ndarray:
    """Middles of both eyes, nose tip, mouth corners."""
    at: Callable[[str], np.ndarray] = lambda name: points[:, FACE16.landmark_names.index(name)]  # noqa: E731
    eyes = [(at(f"eye_{side}_outer") + at(f"eye_{side}_inner")) / 2 for side in ("left", "right")]
    return np.stack([*eyes, at("nose_tip"), at("mouth_left"), at("mouth_right")], axis=1)


def row(name: str, method: Method, people: list[Portrait], real: int) -> list[object]:
    """One line of the table; errors in % of the annotated distance of the outer eye corners."""
    truth = np.stack([each.points_px for each in people])
    length = np.linalg.norm(truth[:, 5] - truth[:, 2], axis=1)
    errors = 100 * np.linalg.norm(method.points - truth, axis=2).mean(axis=1) / length
    right = errors < 30  # else it found something else
    main = 100 * np.linalg.norm(five_points(method.points) - five_points(truth), axis=2).mean(axis=1) / length
    subset = np.arange(len(people)) < real
    first = np.arange(len(people)) < 4  # thermal-real; the annotator of the others means something else
    known = np.flatnonzero(right & first)
    calibrated = np.nan
    if len(known) > 2:
        subjects = [people[i].subject for i in known]
        moved = left_out(Faces(method.points[known], truth[known], subjects, length[known]), FACE16)
        calibrated = float((100 * np.linalg.norm(moved - truth[known], axis=2).mean(axis=1) / length[known]).mean())
    means = [errors[right & part].mean() for part in (first, subset & ~first)]
    shown = [f"{value:.2f}" for value in (*means, main[right & subset].mean(), calibrated)]
    synthetic = right & ~subset
    return [
        *(name, method.given, int((right & subset).sum()), *shown),
        *(int(synthetic.sum()), f"{np.median(errors[synthetic]):.2f}"),
        "" if method.parameters is None else method.parameters,
        "" if method.size is None else f"{method.size / 1e6:.2f}",
        f"{np.median(method.ms[subset]):.1f}",
    ]


def train(output: Path) -> None:
    """Trains what learns from rendered faces, unless it was trained before."""
    if (output / "unet.pt").exists():
        return
    output.mkdir(parents=True, exist_ok=True)
    source = compose_config("train", ["data=synthetic_wild", f"data.source.subjects={FACES}", *AS_SEEN]).data.source
    faces = portraits(build("source", source))
    train_trees(faces, output / "trees.dat")
    train_unet(faces, UNET_MINUTES, output / "unet.pt")


def main(data: Path, output: Path) -> None:
    """Runs all and writes the table."""
    torch.set_num_threads(1)
    train(output)
    people = [*portraits(thermal_real(data)), *portraits(thermal54(data))]
    real = len(people)
    people += portraits(rendered(100))
    methods = {
        "ours, thermal_real, whole picture": ours(people, "thermal_real", find=False),
        "the same, speed=fast": ours(people, "thermal_real", "fast", find=False),
        "ours, thermal_real_large, whole picture": ours(people, "thermal_real_large", find=False),
        "ours, thermal_real, faces found": ours(people, "thermal_real"),
        "ours, exported file, faces found": exported(people),
        **mediapipe(people),
    }
    small, both = methods["ours, thermal_real, whole picture"], methods["MediaPipe, both averaged"]
    methods["ours and MediaPipe averaged"] = Method(
        (small.points + both.points) / 2, small.ms + both.ms, "", None, None
    )
    methods |= dlib68(people)
    methods[f"dlib trees, {FACES:,} rendered faces"] = trees(people, output / "trees.dat")
    methods[f"U-Net, the same faces, {UNET_MINUTES} minutes"] = unet(people, output / "unet.pt")
    rows = [row(name, method, people, real) for name, method in methods.items()]
    target = DOCS / "results" / "peers.csv"
    with target.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([COLUMNS, *rows])
    lines = ["| " + " | ".join(name.replace("_", " ") for name in COLUMNS) + " |", "|" + " --- |" * len(COLUMNS)]
    lines += [
        f"| {' | '.join(f'{cell:,}' if isinstance(cell, int) else str(cell) for cell in each)} |" for each in rows
    ]
    page = DOCS / "results" / "peers.md"
    before, _, rest = page.read_text(encoding="utf-8").partition("<!-- table -->\n")
    after = rest.partition("<!-- end -->")[2]
    page.write_text(f"{before}<!-- table -->\n" + "\n".join(lines) + f"\n<!-- end -->{after}", encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(str(__doc__))
    main(Path(sys.argv[1]), Path(sys.argv[2]))
