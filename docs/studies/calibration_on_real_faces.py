"""What `calibrate` gains on real faces: `python docs/studies/calibration_on_real_faces.py ../shared/data`.

Reported and never chosen on. Four portraits with each person left out; their offsets on another camera and annotator;
ten frames of one driver for the other driver, whose labels a network made: agreement with it, not truth. Writes
docs/results/calibration_real.csv and the table of docs/calibration.md.
"""

import csv
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from peers.pictures import FACE16, thermal54, thermal_real

from thermal_landmarks.data.annotation import Annotation, ThermalImage
from thermal_landmarks.data.readers.yolo_pose import YoloPose
from thermal_landmarks.inference.calibration.annotated import predict_annotated
from thermal_landmarks.inference.calibration.learning import learn
from thermal_landmarks.inference.calibration.leave_one_out import Faces, left_out
from thermal_landmarks.inference.calibration.offsets import Calibration
from thermal_landmarks.inference.predictor import Predictor

DOCS = Path(__file__).parents[1]
CHECKPOINTS = ("thermal_real", "thermal_real_large")
HEAD = ("network", "learned from", "measured on", "faces", "before", "after")


class Frames:
    """A `Source`: some frames of one driver."""

    scheme = "sftl54"

    def __init__(self, folder: Path, count: int) -> None:
        self._all = YoloPose(folder=folder, scheme="sftl54", images="Jpg")
        self._driver = folder.name
        self._count = count

    def annotations(self) -> list[Annotation]:
        """Evenly over the drive."""
        frames = self._all.annotations()
        return [
            replace(frames[i], subject=self._driver)
            for i in np.linspace(0, len(frames) - 1, self._count).round().astype(int)
        ]

    def load(self, annotation: Annotation) -> ThermalImage:
        """As the file has it."""
        return self._all.load(annotation)

    def fingerprint(self) -> str:
        """Of all frames."""
        return self._all.fingerprint()


def learned(faces: Faces) -> Calibration:
    """From all faces of a set."""
    return learn(faces.predicted_px, faces.annotated_px, faces.subjects, FACE16)


def percent(faces: Faces, points: np.ndarray, how: str = "mean") -> str:
    """The mean or median error over faces."""
    each = 100 * np.nanmean(faces.errors(points), axis=1)
    return f"{np.mean(each) if how == 'mean' else np.median(each):.2f}"


def main(data: Path) -> None:
    """Measures all and writes the table."""
    rows: list[tuple[object, ...]] = []
    drives = sorted((data / "drivers").glob("1_*"))
    for checkpoint in CHECKPOINTS:
        predictor = Predictor.from_checkpoint(checkpoint, device="cpu")
        four, two = (predict_annotated(predictor, source(data)).faces for source in (thermal_real, thermal54))
        count = len(four.subjects)
        moved = left_out(four, FACE16)
        rows.append(
            (
                checkpoint,
                "the other people",
                "thermal-real",
                count,
                percent(four, four.predicted_px),
                percent(four, moved),
            )
        )
        moved = learned(four).apply(two.predicted_px, FACE16)
        rows.append(
            (checkpoint, "thermal-real's four", "thermal54", 2, percent(two, two.predicted_px), percent(two, moved))
        )
        many = [predict_annotated(predictor, Frames(folder, 50)).faces for folder in drives]
        ten = [predict_annotated(predictor, Frames(folder, 10)).faces for folder in drives]
        for few, others, first, second in ((0, 1, "man", "woman"), (1, 0, "woman", "man")):
            faces = many[others]
            moved = learned(ten[few]).apply(faces.predicted_px, FACE16)
            before, after = percent(faces, faces.predicted_px, "median"), percent(faces, moved, "median")
            rows.append(
                (
                    checkpoint,
                    f"ten frames of the {first} (drivers)",
                    f"the {second}, median",
                    len(faces.subjects),
                    before,
                    after,
                )
            )
    with (DOCS / "results" / "calibration_real.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([HEAD, *rows])
    lines = [f"| {' | '.join(HEAD)} |", "|" + " --- |" * len(HEAD), *(f"| {' | '.join(map(str, r))} |" for r in rows)]
    page = DOCS / "calibration.md"
    before, _, rest = page.read_text(encoding="utf-8").partition("<!-- real -->\n")
    table = "\n".join(lines)
    page.write_text(
        f"{before}<!-- real -->\n{table}\n<!-- end -->{rest.partition('<!-- end -->')[2]}", encoding="utf-8"
    )
    print(table)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(str(__doc__))
    main(Path(sys.argv[1]))
