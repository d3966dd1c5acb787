"""Two real drivers, tracked: agreement with their labels, lost frames, yawns: `python docs/studies/drivers.py DATA`.

The videos are tracked as `thermal-landmarks track` does, and nothing was trained or tuned on them; the thresholds of
yawns were chosen before they were seen. A network made the labels of the landmarks, so the NME (mean distance of the
points, in distances of the outer eye corners) is agreement, not truth. A found yawn is right if it overlaps a labelled
one. The frame rate is not stated; ten a second are assumed.
"""

import re
from collections import Counter
from pathlib import Path

import numpy as np
import torch
import typer

from thermal_landmarks.data.readers.yolo_pose import YoloPose
from thermal_landmarks.data.schemes import SCHEMES
from thermal_landmarks.data.video import open_video
from thermal_landmarks.inference.predictor import Predictor
from thermal_landmarks.inference.tracking.roll import Late
from thermal_landmarks.inference.tracking.track import TrackedFace
from thermal_landmarks.inference.tracking.tracker import Tracker
from thermal_landmarks.physiology.events import mouth_opening, yawns

RATE_HZ = 10.0


def tracked(predictor: Predictor, frames: Path) -> list[list[TrackedFace]]:
    """The faces of each frame, once it is settled who is who."""
    tracker, faces = Tracker(predictor, fps=RATE_HZ), []
    late = Late(tracker.fps, predictor.scheme.num_points)
    for frame in open_video(frames, fps=RATE_HZ):
        late.add(frame.index, frame.index, frame.time_s, tracker.see(frame.image))
        faces += [each.faces for each in late.settled(tracker.tracklets)]
    tracker.conclude()
    return faces + [each.faces for each in late.settled(tracker.tracklets)]


def labelled_yawns(path: Path, numbers: list[int]) -> list[tuple[float, float]]:
    """When the driver yawns, in seconds."""
    found = re.findall(r"(\d+)\.jpg;(\d)", path.read_text(encoding="utf-8")) if path.is_file() else []
    labels = {int(number): yawn == "1" for number, yawn in found}
    on = np.array([labels.get(number, False) for number in numbers], dtype=int)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], on, [0]]))).reshape(-1, 2)
    return [(float(a / RATE_HZ), float(b / RATE_HZ)) for a, b in edges]


def number_of(path: Path) -> int:
    """Of a frame, from its file's name."""
    return int(re.findall(r"\d+", path.stem)[-1])


def main(data: Path, checkpoint: str = "thermal_real") -> None:
    """Print the agreement and the yawns of each driver, and the F1 of events over all drivers."""
    torch.set_num_threads(1)
    predictor = Predictor.from_checkpoint(checkpoint, device="cpu", speed="balanced")
    index = SCHEMES["sftl54"].index_map(predictor.scheme)
    corners = SCHEMES["sftl54"].outer_eye_corners
    assert corners is not None
    right = wrong = missed = 0
    for folder in sorted((data / "drivers").glob("1_*")):
        labels = YoloPose(folder=folder, scheme="sftl54", images="Jpg", unit="counts").annotations()
        of_number = {number_of(Path(each.image)): each.points_px for each in labels}
        numbers = sorted(number_of(path) for path in (folder / "Jpg").glob("*.jp*g"))
        faces = tracked(predictor, folder / "Jpg")
        points = np.full((len(numbers), predictor.scheme.num_points, 2), np.nan)
        for row, seen in enumerate(faces):
            if seen:
                points[row] = seen[0].points_px
        errors = []
        for number, found in zip(numbers, points, strict=True):
            true = of_number.get(number)
            if true is not None and np.isfinite(found).all():
                distance = np.linalg.norm(true[corners[0]] - true[corners[1]])
                errors.append(np.nanmean(np.linalg.norm(found - true[index], axis=1)) / distance)
        flags = Counter(face.flag for each in faces for face in each)
        people = len({face.track for each in faces for face in each})
        print(
            f"{folder.name}: {len(numbers)} frames, {people} track, without a face "
            f"{int(np.isnan(points).any(axis=(1, 2)).sum())}, flags {dict(flags)}; NME against {len(errors)} labels: "
            f"median {100 * np.median(errors):.1f} %, mean {100 * np.mean(errors):.1f} %"
        )
        opening = mouth_opening(points, predictor.scheme)
        assert opening is not None
        events = [(event.start_s, event.end_s) for event in yawns(np.arange(len(numbers)) / RATE_HZ, opening)]
        true_s = labelled_yawns(folder / "yawning_annotations.txt", numbers)
        print("  yawns labelled", true_s, "found", [(round(a, 1), round(b, 1)) for a, b in events])
        hit = [any(a < d and b > c for c, d in true_s) for a, b in events]
        right, wrong = right + sum(hit), wrong + len(hit) - sum(hit)
        missed += sum(not any(a < d and b > c for a, b in events) for c, d in true_s)
    f1 = 2 * right / max(2 * right + wrong + missed, 1)
    print(f"F1 of yawns {f1:.2f}: {right} right, {wrong} wrong, {missed} missed")


if __name__ == "__main__":
    typer.run(main)
