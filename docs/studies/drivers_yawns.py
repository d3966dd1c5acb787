"""Yawns of two real drivers beside their labels: `python docs/studies/drivers_yawns.py ../shared/data`.

The videos are tracked by the shipped network; thresholds were chosen before they were seen. A found yawn is right if it
overlaps a labelled one. The frame rate is not stated; ten a second are assumed.
"""

import re
from pathlib import Path

import numpy as np
import torch
import typer

from thermal_landmarks.data.annotation import ThermalImage
from thermal_landmarks.data.formats.images import read_image
from thermal_landmarks.data.schemes import SCHEMES
from thermal_landmarks.inference.predictor import Predictor
from thermal_landmarks.inference.tracking.tracker import Tracker
from thermal_landmarks.physiology.events import mouth_opening, yawns

RATE_HZ = 10.0


def labelled(path: Path) -> dict[int, bool]:
    """Whether the driver yawns in the frame of each number."""
    found = re.findall(r"(\d+)\.jpg;(\d)", path.read_text(encoding="utf-8")) if path.is_file() else []
    return {int(number): yawn == "1" for number, yawn in found}


def main(data: Path, checkpoint: str = "thermal_real") -> None:
    """Print labelled and found yawns in seconds, and the F1 of events over all drivers."""
    torch.set_num_threads(1)
    predictor = Predictor.from_checkpoint(checkpoint, device="cpu", speed="balanced")
    right = wrong = missed = 0
    for folder in sorted((data / "drivers").glob("1_*")):
        labels = labelled(folder / "yawning_annotations.txt")
        files = sorted(folder.glob("Jpg/*.jp*g"), key=lambda path: int(re.findall(r"\d+", path.stem)[-1]))
        tracker, points = Tracker(predictor, fps=RATE_HZ), np.full((len(files), 16, 2), np.nan)
        for row, file in enumerate(files):
            image = read_image(file, unit="counts")
            values = image.values if image.values.ndim == 2 else image.values.mean(axis=-1)
            for face in tracker.update(ThermalImage(values, "gray"))[:1]:
                points[row] = face.points_px
        time_s = np.arange(len(files)) / RATE_HZ
        opening = mouth_opening(points, SCHEMES["face16"])
        assert opening is not None
        found = [(event.start_s, event.end_s) for event in yawns(time_s, opening)]
        numbers = [int(re.findall(r"\d+", file.stem)[-1]) for file in files]
        on = np.array([labels.get(number, False) for number in numbers], dtype=int)
        edges = np.flatnonzero(np.diff(np.concatenate([[0], on, [0]]))).reshape(-1, 2)
        true = [(float(a / RATE_HZ), float(b / RATE_HZ)) for a, b in edges]
        print(folder.name, "labelled", true, "found", [(round(a, 1), round(b, 1)) for a, b in found])
        hit = [any(a < d and b > c for c, d in true) for a, b in found]
        right, wrong = right + sum(hit), wrong + len(hit) - sum(hit)
        missed += sum(not any(a < d and b > c for a, b in found) for c, d in true)
    f1 = 2 * right / max(2 * right + wrong + missed, 1)
    print(f"F1 of events {f1:.2f}: {right} right, {wrong} wrong, {missed} missed")


if __name__ == "__main__":
    typer.run(main)
