"""Jitter against motion that is lost, for many parameters of the smoothing filters: where their defaults come from.

`python docs/studies/smoothing_curve.py [people] [figure]`: rendered people who keep still and who nod, tracked by
`thermal_real` as in `tracking_accuracy.py`. Filtered are the same tracked points each time.

* jitter: standard deviation of a point of the still head;
* lost motion: root mean square of what the filter takes away from, or delays of, a nod of 1 Hz and 4 % of the picture's
  height, whose points move by up to an eye distance a second.

Both in per cent of the distance of the outer eye corners. A default is the strongest filter whose lost motion stays
below the limit of its kind: half a frame of lag for `one_euro`, half a per cent for `kalman`, which has the whole
recording.
"""

import io
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import numpy as np
import torch
from matplotlib.figure import Figure
from PIL import Image
from tracking_accuracy import RATE, SEED, SIZE, STILL, eye_distance, tracked

from thermal_faces import SyntheticSequence
from thermal_landmarks.inference.predictor import Predictor
from thermal_landmarks.inference.tracking.smoothing import kalman, one_euro

Filter = Callable[[np.ndarray, np.ndarray], np.ndarray]
SETTLED = 15  # frames at the start that say nothing of a filter
ONE_EURO = {opening: [0.5, 1.0, 2.0, 4.0, 8.0] for opening in (1.0, 5.0, 20.0)}  # Hz of cutoff
KALMAN = {0.006: [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4]}  # acceleration
FIGURE = Path(__file__).parents[1] / "figures" / "smoothing_curve.webp"
DEFAULTS = {"one_euro": (20.0, 1.0), "kalman": (0.006, 0.4)}


def unfiltered(values: np.ndarray, _: np.ndarray) -> np.ndarray:
    """As they were tracked."""
    return values


def still_and_nod(predictor: Predictor, subject: int) -> tuple[np.ndarray, np.ndarray]:
    """Tracked coordinates in eye distances, (frame, coordinate), of a still head and of the same head nodding."""
    sequence = SyntheticSequence(seed=SEED, subject=subject, seconds=2, rate_hz=RATE, size=SIZE, motion=STILL)
    frames = list(sequence)
    eyes = eye_distance(frames[0].points_px)
    by = np.round(0.04 * SIZE[0] * np.sin(2 * np.pi * np.arange(len(frames)) / RATE)).astype(int)
    nodding = [np.roll(frame.temperature_c, step, axis=0) for frame, step in zip(frames, by, strict=True)]
    both = []
    for pictures in ([frame.temperature_c for frame in frames], nodding):
        faces, _ = tracked(predictor, pictures)
        points = np.array([each[0].points_px if each else np.full((16, 2), np.nan) for each in faces])
        both.append(points.reshape(len(points), -1) / eyes)
    return both[0], both[1]


def main() -> None:
    """Draw the curves, and print a row for each filter."""
    torch.set_num_threads(1)
    people = int(sys.argv[1]) if len(sys.argv) > 1 else 6
    path = Path(sys.argv[2]) if len(sys.argv) > 2 else FIGURE
    predictor = Predictor.from_checkpoint("thermal_real", device="cpu", speed="balanced")
    recordings = [still_and_nod(predictor, subject) for subject in range(people)]
    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.subplots()

    def row(name: str, run: Filter) -> tuple[float, float]:
        values = [measured(still, nod, run) for still, nod in recordings]
        jitter, lost, lag = np.mean(values, axis=0)
        print(f"{name}: jitter {jitter:.2f} %, lost motion {lost:.2f} %, lag {lag:.2f} frames")
        return lost, jitter

    for opening, cutoffs in ONE_EURO.items():
        curve = [
            row(
                f"one_euro opening={opening:g} cutoff_hz={cutoff:g}",
                partial(one_euro, cutoff_hz=cutoff, opening=opening),
            )
            for cutoff in cutoffs
        ]
        axes.plot(*np.transpose(curve), "o-", markersize=3, label=f"one_euro, opening {opening:g}")
        if opening == DEFAULTS["one_euro"][0]:
            axes.plot(*curve[cutoffs.index(DEFAULTS["one_euro"][1])], "k*", markersize=12)
    for noise, accelerations in KALMAN.items():
        curve = [
            row(f"kalman acceleration={each:g}", partial(kalman, noise=noise, acceleration=each))
            for each in accelerations
        ]
        axes.plot(*np.transpose(curve), "s-", markersize=3, label="kalman")
        axes.plot(*curve[accelerations.index(DEFAULTS["kalman"][1])], "k*", markersize=12, label="defaults")
    _, jitter = row("none", unfiltered)
    axes.axhline(jitter, color="gray", linewidth=1, linestyle=":", label="none")
    axes.set(
        xlabel="lost motion of a nod, % of the eye distance", ylabel="jitter of a still head, % of the eye distance"
    )
    axes.set_xscale("log")
    axes.set_xticks([0.1, 0.2, 0.5, 1, 2, 5], labels=["0.1", "0.2", "0.5", "1", "2", "5"])
    axes.minorticks_off()
    axes.legend(fontsize=8, frameon=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=110)
    Image.open(drawn).convert("RGB").save(path, quality=85)
    print(path)


def measured(still: np.ndarray, nod: np.ndarray, run: Filter) -> tuple[float, float, float]:
    """Jitter and lost motion in per cent, and the lag in frames, of one person through one filter."""
    time_s = np.arange(len(still)) / RATE
    quiet = np.stack([run(column, time_s) for column in still.T], axis=1)[SETTLED:]
    heights = nod[:, 1::2]
    moved = np.stack([run(column, time_s) for column in heights.T], axis=1)[-int(RATE) :]
    heights, wave = heights[-int(RATE) :], np.exp(-2j * np.pi * time_s[-int(RATE) :])
    phase = np.angle((moved * wave[:, None]).sum(axis=0) / (heights * wave[:, None]).sum(axis=0))
    lost = np.sqrt(np.nanmean((moved - heights) ** 2))
    return (
        100 * float(np.nanstd(quiet, axis=0).mean() * np.sqrt(2)),
        100 * float(lost),
        -phase.mean() / 2 / np.pi * RATE,
    )


if __name__ == "__main__":
    main()
