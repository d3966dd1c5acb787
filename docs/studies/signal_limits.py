"""Where breathing rates end: how many are right over the size of the face and the camera's noise, on rendered people.

The same people are rendered in smaller and smaller frames, tracked by the shipped network, and measured as
`thermal-landmarks signals` does. Counted are all windows of 15 s, also those of faces that were not found: which of
them have a rate within two breaths a minute of the truth. A mean error would mislead: a rate that says nothing lies
among usual rates, a few breaths from the truth, and a face that isn't found has no error at all. The dashed line is
what the best single answer, given to everybody, would reach. The figure goes to docs/figures/signal_limits.webp.

    uv run python docs/studies/signal_limits.py

Each recording is a row of `table`; those that are there already are not measured again.
"""

import io
from pathlib import Path

import numpy as np
import pandas as pd
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

HEIGHTS = (36, 60, 100, 180)
NOISES_K = (0.05, 0.2)
RATES_PER_MIN = (7.0, 29.0, 18.0, 12.0, 23.0)  # of each person, the extremes first
SEED = 77
RIGHT_PER_MIN = 2.0
FIGURE = Path(__file__).parents[1] / "figures" / "signal_limits.webp"
COLUMNS = ("person", "height", "noise_k", "size_px", "per_min", "windows", "right", "ok", "ok_right")


def outcome(
    predictor: Predictor, person: int, per_min: float, height: int, noise_k: float, seconds: float, rate_hz: float
) -> tuple[float, int, int, int, int]:
    """Distance of the outer eye corners in pixels; how many windows there are, are right, are `ok`, and are both."""
    sequence = SyntheticSequence(
        seed=SEED, subject=person, seconds=seconds, rate_hz=rate_hz, size=(height, height * 4 // 3),
        physiology={"breaths_per_min": (per_min, per_min)}, sensor={"noise_k": (noise_k, noise_k), "interpolated": 0.0},
    )  # fmt: skip
    points = sequence.portrait(0).landmarks()[0]
    size_px = float(np.linalg.norm(points[2] - points[5]))
    windows = int(seconds - 15) + 1
    frames, tracks = tracked(sequence, Tracker(predictor, fps=rate_hz))
    if not np.isfinite(tracks["x"]).any():
        return size_px, windows, 0, 0, 0
    found = compared(sequence, measure(frames, tracks, SCHEMES["face16"]))
    right = np.abs(found.rate - found.true_rate) <= RIGHT_PER_MIN
    ok = np.array(found.flag) == "ok"
    return size_px, max(windows, len(right)), int(right.sum()), int(ok.sum()), int((right & ok).sum())


def figure(rows: pd.DataFrame) -> Figure:
    """Share of right rates over the size of the face."""
    drawn = Figure(figsize=(6, 3.4), dpi=120, layout="constrained")
    axes = drawn.subplots()
    for (noise_k, of_noise), colour in zip(rows.groupby("noise_k"), ("#1565c0", "#c62828"), strict=True):
        sizes = of_noise.groupby("height").agg({"size_px": "mean", "right": "sum", "windows": "sum"})
        share = 100 * sizes["right"] / sizes["windows"]
        axes.plot(sizes["size_px"], share, "o-", color=colour, label=f"{noise_k:g} K of noise")
        axes.plot(of_noise["size_px"], 100 * of_noise["right"] / of_noise["windows"], ".", color=colour, alpha=0.4)
    rates = rows.drop_duplicates("person")["per_min"].to_numpy()
    guessed = max(np.mean(np.abs(rates - each) <= RIGHT_PER_MIN) for each in np.arange(5, 31, 0.5))
    axes.axhline(100 * guessed, color="#888", linewidth=0.8, linestyle="--", label="one answer for all")
    axes.set(
        xscale="log", ylim=(-3, 103), xlabel="distance of the outer eye corners, pixels",
        ylabel="rates within 2 breaths/min, %",
        xticks=[8, 12, 18, 27, 40, 60], xticklabels=["8", "12", "18", "27", "40", "60"],
    )  # fmt: skip
    axes.minorticks_off()
    axes.legend(frameon=False)
    return drawn


def main(
    people: int = len(RATES_PER_MIN),
    seconds: float = 30.0,
    rate: float = 6.0,
    checkpoint: str = "thermal_real",
    table: Path = Path("outputs/signal_limits.csv"),
) -> None:
    """Measure, print and draw."""
    torch.set_num_threads(1)
    predictor = Predictor.from_checkpoint(checkpoint, device="cpu", speed="balanced")
    table.parent.mkdir(parents=True, exist_ok=True)
    if not table.exists():
        table.write_text(",".join(COLUMNS) + "\n")
    known = {tuple(row) for row in pd.read_csv(table)[["person", "height", "noise_k"]].itertuples(index=False)}
    for person, per_min in enumerate(RATES_PER_MIN[:people]):
        for height in HEIGHTS:
            for noise_k in NOISES_K:
                if (person, height, noise_k) not in known:
                    found = outcome(predictor, person, per_min, height, noise_k, seconds, rate)
                    row = (person, height, noise_k, found[0], per_min, *found[1:])
                    with table.open("a") as file:
                        file.write(",".join(f"{value:g}" for value in row) + "\n")
    rows = pd.read_csv(table)
    total = rows.groupby(["noise_k", "height"])[["windows", "right", "ok", "ok_right"]].sum()
    print(total.join(rows.groupby(["noise_k", "height"])["size_px"].mean().round(1)).to_string())
    picture = io.BytesIO()
    figure(rows).savefig(picture, format="png")
    Image.open(picture).convert("RGB").save(FIGURE, quality=85)


if __name__ == "__main__":
    typer.run(main)
