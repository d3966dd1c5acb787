"""Portraits with annotated and predicted landmarks: `python docs/studies/portraits_figure.py ../shared/data FILE`."""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from peers.pictures import FACE16, portraits, thermal_real

from thermal_landmarks.inference.predictor import Predictor

ANNOTATED, PREDICTED = "#21e021", "#ff2d2d"
_MARGIN = 0.25  # around the landmarks, of their height


def main(data: Path, file: Path, checkpoint: str = "thermal_real") -> None:
    """Draw the portraits side by side, each cut around its face."""
    predictor = Predictor.from_checkpoint(checkpoint, device="cpu")
    people = portraits(thermal_real(data))
    figure, axes = plt.subplots(1, len(people), figsize=(3 * len(people), 3.3), layout="constrained")
    left, right = FACE16.landmark_names.index("eye_left_outer"), FACE16.landmark_names.index("eye_right_outer")
    for axis, person in zip(axes, people, strict=True):
        annotated, predicted = person.points_px, predictor(person.image)
        between = np.linalg.norm(annotated[right] - annotated[left])
        error = np.linalg.norm(predicted - annotated, axis=1).mean() / between
        low, high = annotated.min(axis=0), annotated.max(axis=0)
        half, middle = (0.5 + _MARGIN) * (high - low).max() * np.ones(2), (low + high) / 2
        (x0, y0), (x1, y1) = np.maximum(middle - half, 0).astype(int), np.ceil(middle + half).astype(int)
        part = person.image.values[y0:y1, x0:x1]
        axis.imshow(
            part,
            cmap="gray",
            vmax=np.percentile(part, 99.8),
            extent=(x0 - 0.5, x0 + part.shape[1] - 0.5, y0 + part.shape[0] - 0.5, y0 - 0.5),
        )
        axis.plot(*annotated.T, "o", mfc="none", mec=ANNOTATED, ms=6, label="by hand")
        axis.plot(*predicted.T, "+", color=PREDICTED, ms=7, label="predicted")
        axis.set(
            title=f"NME {100 * error:.1f} %",
            xlim=(middle[0] - half[0], middle[0] + half[0]),
            ylim=(middle[1] + half[1], middle[1] - half[1]),
        )
        axis.axis("off")
    axes[0].legend(loc="lower left", fontsize=9)
    figure.savefig(file, dpi=100, pil_kwargs={"quality": 85})


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:])
