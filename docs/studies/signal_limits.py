"""Where breathing rates end: their error over the size of the face and the camera's noise, on rendered people.

The same people are rendered in smaller and smaller frames, tracked by the shipped network, and measured as
`thermal-landmarks signals` does. The figure goes to docs/figures/signal_limits.webp.

    uv run python docs/studies/signal_limits.py
"""

import io
from pathlib import Path

import numpy as np
import torch
import typer
from matplotlib.figure import Figure
from PIL import Image
from signal_accuracy import compared, tracked

from thermal_faces.video.sequence import SyntheticSequence
from thermal_landmarks.data.schemes import SCHEMES
from thermal_landmarks.inference.predictor import Predictor
from thermal_landmarks.inference.tracking.tracker import Tracker
from thermal_landmarks.physiology.signals import measure

HEIGHTS = (48, 84, 144, 240)
NOISES_K = (0.05, 0.2)
SEED = 77
FIGURE = Path(__file__).parents[1] / "figures" / "signal_limits.webp"


def outcome(
    predictor: Predictor, person: int, people: int, height: int, noise_k: float, seconds: float, rate_hz: float
) -> tuple[float, float]:
    """Distance of the outer eye corners in pixels, and the mean error a minute; NaN: the face was not found."""
    per_min = 9 + 15 * person / max(people - 1, 1)
    sequence = SyntheticSequence(
        seed=SEED, subject=person, seconds=seconds, rate_hz=rate_hz, size=(height, height * 4 // 3),
        physiology={"breaths_per_min": (per_min, per_min)}, sensor={"noise_k": (noise_k, noise_k), "interpolated": 0.0},
    )  # fmt: skip
    points = sequence.portrait(0).landmarks()[0]
    size_px = float(np.linalg.norm(points[2] - points[5]))
    frames, tracks = tracked(sequence, Tracker(predictor, fps=rate_hz))
    if tracks.empty:
        return size_px, float("nan")
    found = compared(sequence, measure(frames, tracks, SCHEMES["face16"]))
    return size_px, float(np.nanmean(np.abs(found.rate - found.true_rate)))


def main(people: int = 4, seconds: float = 30.0, rate: float = 8.0, checkpoint: str = "thermal_real") -> None:
    """Measure, print and draw."""
    torch.set_num_threads(1)
    predictor = Predictor.from_checkpoint(checkpoint, device="cpu", speed="balanced")
    figure = Figure(figsize=(6, 3.2), dpi=120, layout="constrained")
    axes = figure.subplots()
    for noise_k, colour in zip(NOISES_K, ("#1565c0", "#c62828"), strict=True):
        sizes, errors = [], []
        for height in HEIGHTS:
            rows = [outcome(predictor, person, people, height, noise_k, seconds, rate) for person in range(people)]
            size, error = np.array(rows).T
            missed = int(np.isnan(error).sum())
            sizes.append(float(size.mean()))
            errors.append(float(np.nanmedian(error)) if missed < people else np.nan)
            axes.plot(size, error, ".", color=colour, alpha=0.5)
            print(
                f"noise {noise_k} K, {height} rows, {size.mean():.0f} px: median error {errors[-1]:.2f} /min, "
                f"worst {np.nanmax(error, initial=0):.2f}, not found {missed} of {people}",
                flush=True,
            )
        axes.plot(sizes, errors, color=colour, label=f"{noise_k:g} K of noise")
    axes.axhline(0.5, color="#888", linewidth=0.8, linestyle=":")
    axes.set(
        xscale="log", yscale="log", xlabel="distance of the outer eye corners, pixels", ylabel="error, breaths/min",
        xticks=[10, 15, 20, 30, 45, 65], xticklabels=["10", "15", "20", "30", "45", "65"],
    )  # fmt: skip
    axes.minorticks_off()
    axes.legend(frameon=False)
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png")
    Image.open(drawn).convert("RGB").save(FIGURE, quality=85)


if __name__ == "__main__":
    typer.run(main)
