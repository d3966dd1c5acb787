"""What an exported file costs and reaches: `python docs/studies/peers/exported_files.py ../shared/data OUTPUT`.

Both speeds in 32 bits, 16 bits, 8 bits and for OpenVINO, beside the network in PyTorch and MediaPipe's face mesh, all
in one run: size, CPU time of one image of 640x480 on one thread (median and quickest), of its finder alone, and the
error on rendered people of a seed that nothing was trained on and on real portraits, in % of the distance of the outer
eye corners. Writes exported_files.json. Nothing is chosen on the portraits.
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
from thermal_landmarks.exporting.export import CALIBRATION_SEED, rendered_frames
from thermal_landmarks.exporting.face_graphs import Candidates, FaceLandmarks
from thermal_landmarks.exporting.onnx_file import describe, faces_model, half_precision, write
from thermal_landmarks.exporting.openvino_file import OpenVinoFaces, convert
from thermal_landmarks.exporting.quantisation import quantise
from thermal_landmarks.inference.face import Face
from thermal_landmarks.inference.predictor import Predictor
from thermal_landmarks.runtime.exported import ExportedFaces

SEED, PEOPLE, ROUNDS = 40_404, 60, 25
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


def main(data: Path, output: Path) -> None:
    """Make the files, then take turns, so that all see the same machine."""
    torch.set_num_threads(1)
    output.mkdir(parents=True, exist_ok=True)
    people = SyntheticFaces(subjects=PEOPLE, images_per_subject=1, size=(480, 640), seed=SEED)
    truths = {"rendered": portraits(people), "portraits": portraits(thermal_real(data))}
    ways: dict[str, tuple[Find, int | None]] = {}
    exact = Predictor.from_checkpoint("thermal_real", device="cpu")
    ways["PyTorch, exact"] = (exact.faces, None)
    for speed in ("balanced", "fast"):
        predictor = Predictor.from_checkpoint("thermal_real", device="cpu", speed=speed)
        ways[f"PyTorch, {speed}"] = (predictor.faces, None)
        model = faces_model(Candidates(predictor.finder), FaceLandmarks(predictor, predictor.confidence))
        shown = [f for f in rendered_frames(24, CALIBRATION_SEED) if predictor.finder(f).number]
        for precision, made in (("32", model), ("16", half_precision(model)), ("int8", quantise(model, shown))):
            path = output / f"{speed}_{precision}.onnx"
            write(made, path, describe(predictor.scheme, speed=speed, precision=precision))
            ways[f"ONNX, {speed}, {precision}"] = (ExportedFaces(path, threads=1).faces, path.stat().st_size)
        path = output / f"{speed}.xml"
        convert(model, path)
        size = path.stat().st_size + path.with_suffix(".bin").stat().st_size
        vino = OpenVinoFaces(path, threads=1)
        ways[f"OpenVINO, {speed}, 32"] = ((lambda image, vino=vino: vino.faces(image, min_score=0.65)), size)
    table = []
    for name, (find, size) in ways.items():
        sets = {w: [next((f.points_px for f in find(p.image)), None) for p in some] for w, some in truths.items()}
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
    main(Path(sys.argv[1]), Path(sys.argv[2]))
