"""What a camera's marks cost while faces are tracked: `python docs/studies/film_marks.py [people]`.

Films of rendered heads, 240x320 in a palette as JPEG frames: one that keeps still, one whose picture goes up and down
by 4 % of its height at 1 Hz; crosshairs, a number and a green bar over the face, a colour bar, a logo, and a clock that
counts. Tracked as they are, with their marks filled, and without any marks. Jitter is the standard deviation of the
still head's points; distance is that of the points from those in the film without marks. Both in per cent of the
distance of the outer eye corners. What is filled on the still face should be filled in all frames, and change over time
no more than the clean film does.
"""

import sys
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
import torch

sys.path.append(str(Path(__file__).parents[2] / "tests"))

from overlaid import coloured, jpeg, with_marks
from tracking_accuracy import STILL, eye_distance, settled

from thermal_faces import SyntheticSequence
from thermal_landmarks.data.annotation import ThermalImage
from thermal_landmarks.data.formats.palettes import named_palette
from thermal_landmarks.data.video.drawn_marks import DrawnMarks
from thermal_landmarks.inference.predictor import Predictor
from thermal_landmarks.inference.tracking.tracker import Tracker

SEED, RATE, SIZE = 515, 15.0, (240, 320)
LEARNED = slice(0, 30, 3)  # frames, as `open_video` takes them
SETTLED = 10  # frames at the start that say nothing
WAYS = ("clean", "kept", "masked")


def film(levels: list[np.ndarray], palette: str, at: tuple[int, int] | None) -> list[ThermalImage]:
    """Frames as intensity with their colours, marked at a place or not at all."""
    frames = []
    for number, each in enumerate(levels):
        rgb = coloured(each, palette)
        if at is not None:
            rgb = with_marks(rgb, palette, at=at, clock=f"12:00:{10 + number // int(RATE):02}")
        rgb = jpeg(rgb)
        shown = ThermalImage.from_rgb(rgb)
        values = shown.values if palette == "white_hot" else named_palette(palette).read(rgb)[0]
        frames.append(ThermalImage(values, "gray", rgb))
    return frames


def flicker(
    kept: list[ThermalImage], filled: list[ThermalImage], clean: list[ThermalImage], nose: np.ndarray, eyes: float
) -> dict[str, float]:
    """Of the filled pixels of a still face: how many some frames keep, and their change over time to the clean's."""
    before, after, without = (np.array([frame.values for frame in frames]) for frames in (kept, filled, clean))
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    share = (before != after).mean(axis=0) * (np.hypot(x - nose[0], y - nose[1]) < eyes)
    always = share > 0.9  # a fill may equal what was there
    change = after[:, always].std(axis=0).mean() / without[:, always].std(axis=0).mean()
    return {
        "pixels of the face filled": float(always.sum()),
        "filled in some frames": float(((share > 0) & ~always).sum()),
        "change over time to the clean film's": float(change),
    }


def tracked(predictor: Predictor, frames: list[ThermalImage]) -> np.ndarray:
    """(frame, point, 2) of the first face, NaN where none was found."""
    seen = settled(Tracker(predictor, fps=RATE), (frame.values for frame in frames), unit="gray")
    return np.array([each.faces[0].points_px if each.faces else np.full((16, 2), np.nan) for each in seen])


def person(predictor: Predictor, subject: int, palette: str) -> dict[str, list[float]]:
    """Jitter, distance and missing frames of one person, for each way."""
    sequence = SyntheticSequence(seed=SEED, subject=subject, seconds=4, rate_hz=RATE, size=SIZE, motion=STILL)
    frames = list(sequence)
    eyes, nose = eye_distance(frames[0].points_px), frames[0].points_px.mean(axis=0)
    low, high = np.percentile(frames[0].temperature_c, [0.5, 99.8])
    still = [((frame.temperature_c - low) / (high - low) * 255).clip(0, 255) for frame in frames]
    by = np.round(0.04 * SIZE[0] * np.sin(2 * np.pi * np.arange(len(still)) / RATE)).astype(int)
    moving = [np.roll(each, step, axis=0) for each, step in zip(still, by, strict=True)]
    result: dict[str, list[float]] = defaultdict(list)
    for motion, levels in (("still", still), ("moving", moving)):
        points = {}
        for way in WAYS:
            shown = film(levels, palette, None if way == "clean" else (int(nose[0]), int(nose[1])))
            if way == "masked":
                marks = DrawnMarks(shown[LEARNED], SIZE, None if palette == "white_hot" else named_palette(palette))
                started = time.process_time()
                filled = [marks.filled(frame) for frame in shown]
                result["ms a frame"].append(1e3 * (time.process_time() - started) / len(shown))
                if motion == "still":
                    for name, value in flicker(shown, filled, film(levels, palette, None), nose, eyes).items():
                        result[name].append(value)
                shown = filled
            points[way] = tracked(predictor, shown)[SETTLED:]
            off = np.linalg.norm(points[way] - points["clean"], axis=2)
            result[f"{motion} {way}: distance"].append(100 * float(np.nanmean(off)) / eyes)
            result[f"{motion} {way}: lost"].append(100 * float(np.isnan(off).any(axis=1).mean()))
            if motion == "still":
                jitter = np.nanstd(points[way], axis=0).mean() * np.sqrt(2)
                result[f"{motion} {way}: jitter"].append(100 * float(jitter) / eyes)
    return result


def main(people: int) -> None:
    """Print means over people."""
    torch.set_num_threads(1)
    predictor = Predictor.from_checkpoint("thermal_real", device="cpu", speed="balanced")
    for palette in ("white_hot", "iron"):
        of_all: dict[str, list[float]] = defaultdict(list)
        for subject in range(people):
            for name, values in person(predictor, subject, palette).items():
                of_all[name] += values
        print(palette, *(f"{name} {np.mean(values):.2f}" for name, values in of_all.items()), sep="\n  ", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 6)
