"""Error over milliseconds of every way to look: `python docs/studies/speed_curve.py images=120 [real=FOLDER]`.

Rendered faces of a seed that was never trained on, 640x480; each is found by the finder, and looked at with one or two
stages, one or three sizes, with and without the mirror image, through the training's frame or straight at the picture;
the same from the whole picture without the finder. Milliseconds are CPU seconds of one core for the landmarks alone
(the finder's look is counted apart). `fast` and `balanced` of `inference/speed.py` are chosen on the rendered faces;
`real` (a folder with `annotations.json` in COCO's form) is reported beside them and chosen on never.
"""

import itertools
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from thermal_faces import SyntheticFaces
from thermal_landmarks.data.annotation import Source, ThermalImage
from thermal_landmarks.data.readers.coco import CocoKeypoints
from thermal_landmarks.data.schemes import SCHEMES, get_scheme
from thermal_landmarks.inference.faces import as_detections, looks_at
from thermal_landmarks.inference.finder import Finder
from thermal_landmarks.inference.predictor import Predictor
from thermal_landmarks.inference.speed import CascadePlan
from thermal_landmarks.models.face_decoding import Detections, box_overlap

SIZES = {1: (1.0,), 2: (0.94, 1.06), 3: (0.9, 1.0, 1.13)}
SEED = 40_404
EYES = (2, 5)  # outer eye corners of face16


def cases(source: Source, scheme: str) -> Iterator[tuple[ThermalImage, np.ndarray]]:
    """Images with the landmarks of `face16` that they have."""
    rows = [SCHEMES[scheme].ibug68.index(number) for number in get_scheme("face16").ibug68]
    for annotation in source.annotations():
        yield source.load(annotation), annotation.points_px[rows]


def place(finder: Finder, image: ThermalImage, truth: np.ndarray) -> tuple[Detections, bool]:
    """Where the finder sees the face; a missed one has the rectangle around its points, enlarged."""
    found = finder(image)
    low, high = np.nanmin(truth, axis=0), np.nanmax(truth, axis=0)
    around = as_detections([(*(low - 0.3 * (high - low)), *(high + 0.05 * (high - low)))])
    overlap = box_overlap(found.boxes_px, around.boxes_px)[:, 0]
    hit = bool(len(overlap)) and overlap.max() > 0.2
    return (found.take(overlap.argmax()[None]) if hit else around), hit


def _crops(plan: CascadePlan) -> int:
    ways = 1 + plan.flip_tta
    return (plan.stages - 2) * (1 if plan.from_image else ways) + len(plan.last_sizes) * ways


def main(images: int, real: Path | None, checkpoint: str, output: Path) -> None:
    """Print and keep a row for each way to look."""
    torch.set_num_threads(1)
    finder = Finder.from_checkpoint()
    sets: dict[str, Source] = {
        "rendered": SyntheticFaces(subjects=images, images_per_subject=1, size=(480, 640), seed=SEED)
    }
    if real is not None:
        sets["real"] = CocoKeypoints(annotation_file=real / "annotations.json", scheme="face16")
    loaded, missed = {}, {}
    for name, source in sets.items():
        faces = [(image, truth, *place(finder, image, truth)) for image, truth in cases(source, source.scheme)]
        loaded[name] = [face for face in faces if np.isfinite(face[1]).all()]
        missed[name] = sum(not face[3] for face in faces)
    predictors = {}
    for stages, sizes, flip, straight in itertools.product((2, 3), SIZES, (False, True), (False, True)):
        if not straight and not flip:
            continue  # looks at frames are always looks at their mirror images, too
        plan = CascadePlan(stages=stages, last_sizes=SIZES[sizes], flip_tta=flip, from_image=straight)
        predictors[plan] = Predictor.from_checkpoint(checkpoint, device="cpu", speed=plan)
    rows = []
    for plan, predictor in predictors.items():
        row: dict[str, object] = {
            "crops": _crops(plan),
            "stages": plan.stages - 1,
            "sizes": len(plan.last_sizes),
            "flip_tta": plan.flip_tta,
            "from_image": plan.from_image,
        }
        for name, faces in loaded.items():
            errors, seconds = [], []
            for image, truth, found, _ in faces:
                started = time.process_time()
                points = looks_at(predictor, image, found)[0].mean(axis=0)
                seconds.append(time.process_time() - started)
                eyes = np.linalg.norm(truth[EYES[0]] - truth[EYES[1]])
                errors.append(100 * np.linalg.norm(points - truth, axis=1).mean() / eyes)
            row[f"{name}_ms"] = round(1e3 * float(np.median(seconds)), 2)
            row[f"{name}_mean_error"] = round(float(np.mean(errors)), 3)
            row[f"{name}_median_error"] = round(float(np.median(errors)), 3)
        rows.append(row)
        print(row, flush=True)
    output.mkdir(parents=True, exist_ok=True)
    kept = {"checkpoint": checkpoint, "images": {k: len(v) for k, v in loaded.items()}, "missed": missed, "rows": rows}
    (output / "speed_curve.json").write_text(json.dumps(kept, indent=1), encoding="utf-8")


if __name__ == "__main__":
    options = dict(argument.split("=", 1) for argument in sys.argv[1:])
    main(
        int(options.get("images", 120)),
        Path(options["real"]) if "real" in options else None,
        options.get("checkpoint", "thermal_real"),
        Path(options.get("output", "outputs/speed_curve")),
    )
