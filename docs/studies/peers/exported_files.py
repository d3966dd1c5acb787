"""What an exported file costs and reaches: `python docs/studies/peers/exported_files.py ../shared/data OUTPUT`.

Each speed in PyTorch and as an ONNX file, beside MediaPipe's face mesh, all in one run: size, CPU time of one image of
640x480 on one thread (median and quickest), of the finder alone, and the error on rendered people of a seed that
nothing was trained on and on real portraits, in % of the distance of the outer eye corners. With `all` also in 16 bits,
in 8 bits and for OpenVINO. Writes exported_files.json. Nothing is chosen on the portraits.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pictures import MEDIAPIPE, Portrait, meshes, portraits, thermal_real

from thermal_faces import SyntheticFaces
from thermal_landmarks.data.annotation import ThermalImage
from thermal_landmarks.exporting import onnx_file, openvino_file
from thermal_landmarks.exporting.export import CALIBRATION, CALIBRATION_SEED, rendered_frames
from thermal_landmarks.exporting.face_graphs import BestCell, Candidates, FaceLandmarks
from thermal_landmarks.exporting.first_look import with_first_look
from thermal_landmarks.exporting.quantisation import quantise
from thermal_landmarks.inference.face import MIN_SCORE, Face
from thermal_landmarks.inference.finder import FIRST_SIZE
from thermal_landmarks.inference.predictor import Predictor
from thermal_landmarks.runtime.exported import ExportedFaces, as_faces

SEED, PEOPLE, ROUNDS = 40_404, 40, 15
Find = Callable[[ThermalImage], list[Face]]


def error(points: np.ndarray | None, truth: np.ndarray) -> float:
    """In % of the distance of the outer eye corners; NaN where no face was found."""
    if points is None:
        return float("nan")
    return float(100 * np.linalg.norm(points - truth, axis=1).mean() / np.linalg.norm(truth[2] - truth[5]))


def row(
    name: str, size: int | None, sets: dict[str, list[np.ndarray | None]], truths: dict[str, list[Portrait]]
) -> dict[str, Any]:
    """The errors of one way; a face counts as found where its error is below 30 %."""
    table: dict[str, Any] = {"name": name, "bytes": size}
    for where, points in sets.items():
        errors = np.array([error(p, t.points_px) for p, t in zip(points, truths[where], strict=True)])
        right = errors < 30
        table[where] = {"found": int(right.sum()), "of": len(errors), "mean": round(float(errors[right].mean()), 3)}
        table[where]["median"] = round(float(np.median(errors[right])), 3)
    return table


def nearest(faces: list[Face], truth: Portrait) -> np.ndarray | None:
    """Of the found faces that whose middle is nearest to the annotated one's: a picture may show others, too."""
    middle = truth.points_px.mean(axis=0)
    found = sorted((f.points_px for f in faces), key=lambda points: float(np.linalg.norm(points.mean(axis=0) - middle)))
    return found[0] if found else None


class Files:
    """The exported files of the shipped checkpoint at one speed, as `export` writes them; networks are converted once.

    Args:
        speed: `fast` or `balanced`.
        output: Folder for the files.
    """

    def __init__(self, speed: Any, output: Path) -> None:
        self.speed, self.output = speed, output
        predictor = Predictor.from_checkpoint("thermal_real", device="cpu", speed=speed)
        self.find = predictor.finder
        landmarks = FaceLandmarks(predictor, predictor.confidence, self.find.second_look)
        self.all_faces = onnx_file.faces_model(Candidates(self.find), landmarks)
        self.first = onnx_file.first_look_model(Candidates(self.find, FIRST_SIZE, BestCell))
        self.settings = onnx_file.describe(predictor.scheme, speed=speed)

    def __call__(self, form: str, precision: str) -> tuple[Find, int]:
        """A file as a function, and its bytes."""
        path, model = self.output / f"{self.speed}_{precision}.onnx", self.all_faces
        if precision == "int8":
            frames = rendered_frames(CALIBRATION, CALIBRATION_SEED)
            model = quantise(model, [frame for frame in frames if self.find(frame).number])
        model = with_first_look(model, self.first)
        if precision == "16":
            model = onnx_file.half_precision(model)
        if form == "onnx":
            onnx_file.write(model, path, self.settings)
            return ExportedFaces(path).faces, path.stat().st_size
        path = path.with_suffix(".xml")
        openvino_file.convert(model, path)
        run = openvino_file.runner(path, 1)
        size = path.stat().st_size + path.with_suffix(".bin").stat().st_size
        return lambda image: as_faces(run(onnx_file.image_inputs(image)), min_score=MIN_SCORE), size


def main(data: Path, output: Path, *, every: bool) -> None:
    """Make the files, then take turns, so that all see the same machine."""
    torch.set_num_threads(1)
    output.mkdir(parents=True, exist_ok=True)
    people = SyntheticFaces(subjects=PEOPLE, images_per_subject=1, size=(480, 640), seed=SEED)
    truths = {"rendered": portraits(people), "portraits": portraits(thermal_real(data))}
    ways: dict[str, tuple[Find, int | None]] = {}
    exact = Predictor.from_checkpoint("thermal_real", device="cpu")
    for speed in ("exact", "balanced", "fast"):
        ways[f"PyTorch, {speed}"] = (Predictor.from_checkpoint("thermal_real", device="cpu", speed=speed).faces, None)  # type: ignore[arg-type]
    forms = [("onnx", "32"), *([("onnx", "16"), ("onnx", "int8"), ("openvino", "32")] if every else [])]
    for speed in ("balanced", "fast"):
        files = Files(speed, output)
        for form, precision in forms:
            ways[f"{form}, {speed}, {precision}"] = files(form, precision)
    table = []
    for name, (find, size) in ways.items():
        sets = {w: [nearest(find(p.image), p) for p in some] for w, some in truths.items()}
        table.append(row(name, size, sets, truths))
    image = truths["portraits"][0].image
    taken: dict[str, list[float]] = {name: [] for name in ways}
    finder: list[float] = []
    for _ in range(ROUNDS):
        for name, (find, _) in ways.items():
            started = time.process_time()
            find(image)
            taken[name].append(1e3 * (time.process_time() - started))
        started = time.process_time()
        exact.finder(image)
        finder.append(1e3 * (time.process_time() - started))
    for each in table:
        each["ms_median"] = round(float(np.median(taken[each["name"]])), 1)
        each["ms_quickest"] = round(min(taken[each["name"]]), 1)
    gray = {where: [p.gray for p in some] for where, some in truths.items()}
    found, ms, size = meshes(
        [
            *gray["rendered"],
            *gray["portraits"],
            *[255 - p for p in gray["rendered"]],
            *[255 - p for p in gray["portraits"]],
        ]
    )
    parts = np.split(found[:, list(MEDIAPIPE)], 2)
    for name, points in zip(("gray", "inverted"), parts, strict=True):
        places = [None if np.isnan(p).any() else p for p in points]
        sets = {"rendered": places[:PEOPLE][: len(truths["rendered"])], "portraits": places[len(truths["rendered"]) :]}
        mesh = row(f"MediaPipe, {name}", size, sets, truths)
        seen = ms[: len(points)][[p is not None for p in places]]
        mesh |= {"ms_median": round(float(np.median(seen)), 1), "ms_quickest": round(float(seen.min()), 1)}
        table.append(mesh)
    for each in table:
        print(each)
    kept = {"finder_ms_pytorch": round(float(np.median(finder)), 1), "rows": table}
    (output / "exported_files.json").write_text(json.dumps(kept, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), every="all" in sys.argv)
