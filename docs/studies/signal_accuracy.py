"""How well signals are measured along tracked points: breathing rate and perspiration of rendered people.

Each person is rendered with head motion, talking, blinks and camera noise, tracked by the shipped network, and measured
as `thermal-landmarks signals` does. True points are never used. By default a third of the cameras have fewer pixels
than the picture, which is enlarged; pores don't survive that, so `--enlarged 0` leaves those cameras out.

    uv run python docs/studies/signal_accuracy.py
"""

import time
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
import typer
from tracking_accuracy import settled

from thermal_faces.video.sequence import SyntheticSequence
from thermal_landmarks.data.annotation import ThermalImage
from thermal_landmarks.data.schemes import SCHEMES
from thermal_landmarks.data.video.frame import VideoFrame
from thermal_landmarks.inference.predictor import Predictor
from thermal_landmarks.inference.tracking.tracker import Tracker
from thermal_landmarks.physiology.perspiration import LEAST_QUALITY
from thermal_landmarks.physiology.signals import Recording, measure

WINDOW_S = 15.0
_ZERO_C = 273.15


class Outcome(NamedTuple):
    """What one person's recording gave: rates by window, and the perspiration."""

    true_rate: np.ndarray
    rate: np.ndarray
    flag: list[str]
    correlation: float
    quality: float
    onset_errors_s: list[float]
    events: int
    seen: float
    tracks: int


def tracked(sequence: SyntheticSequence, tracker: Tracker) -> tuple[Iterator[VideoFrame], pd.DataFrame]:
    """The frames of a sequence, as a camera stores them, and the table of its tracks."""
    stored, rows = [], []
    names = tracker.predictor.scheme.landmark_names

    def pictures() -> Iterator[np.ndarray]:
        for frame in sequence:
            stored.append(np.rint((frame.temperature_c + _ZERO_C) * 100).astype(np.uint16))
            yield frame.temperature_c

    for frame in settled(tracker, pictures()):
        for face in frame.faces:
            for name, (x, y), sure in zip(names, face.points_px, face.point_confidence, strict=True):
                rows.append((frame.frame, frame.time_s, face.track, name, x, y, sure, face.flag))
    frames = (
        VideoFrame(index, index / sequence.rate_hz, ThermalImage(values.astype(np.float32) / 100 - _ZERO_C, "celsius"))
        for index, values in enumerate(stored)
    )
    columns = ["frame", "time_s", "track", "point", "x", "y", "confidence", "flag"]
    return frames, pd.DataFrame(rows, columns=columns)


def compared(sequence: SyntheticSequence, recording: Recording) -> Outcome:
    """The longest track's signals beside the true ones."""
    truth = pd.DataFrame([sequence.signals(index) for index in range(len(sequence))])
    truth_s = np.arange(len(sequence)) / sequence.rate_hz
    signals = recording.signals
    track = signals["track"].value_counts().idxmax()
    of_track = signals[signals["track"] == track]
    rates = of_track[of_track["signal"] == "breathing_rate"]
    half = WINDOW_S / 2
    true_rate = np.array(
        [truth["breaths_per_min"][(truth_s >= at - half) & (truth_s < at + half)].mean() for at in rates["time_s"]]
    )
    sweat = of_track[of_track["signal"] == "perspiration"]
    true_level = np.interp(sweat["time_s"], truth_s, truth["perspiration"])
    known = np.isfinite(sweat["value"].to_numpy())
    correlation = float(np.corrcoef(sweat["value"].to_numpy()[known], true_level[known])[0, 1])
    events = recording.events
    onsets = events[(events["event"] == "perspiration") & (events["track"] == track)]["start_s"].to_numpy()
    # The first and last seconds show no rise to its onset or peak.
    true = [e.onset_s for e in sequence.perspiration.events if 2 < e.onset_s < sequence.seconds - 5]
    errors = [float(np.abs(onsets - onset).min()) if len(onsets) else np.inf for onset in true]
    mean = of_track[of_track["signal"] == "breathing"]["value"].to_numpy()
    return Outcome(
        true_rate, rates["value"].to_numpy(), list(rates["flag"]), correlation,
        float(sweat["quality"].max()), errors, len(onsets),
        float(np.isfinite(mean).mean()), int(signals["track"].nunique()),
    )  # fmt: skip


def outcomes(
    people: int, seconds: float, rate_hz: float, size: tuple[int, int], seed: int, checkpoint: str, enlarged: float
) -> Iterator[Outcome]:
    """One person after the other."""
    predictor = Predictor.from_checkpoint(checkpoint, device="cpu", speed="balanced")
    for person in range(people):
        slow = 6 + 24 * person / max(people - 1, 1)
        sequence = SyntheticSequence(
            seed=seed, subject=person, seconds=seconds, rate_hz=rate_hz, size=size,
            physiology={"breaths_per_min": (slow, slow)}, sensor={"interpolated": enlarged},
        )  # fmt: skip
        frames, tracks = tracked(sequence, Tracker(predictor, fps=rate_hz))
        yield compared(sequence, measure(frames, tracks, SCHEMES["face16"]))


def main(
    people: int = 6,
    seconds: float = 40.0,
    rate: float = 10.0,
    height: int = 240,
    width: int = 320,
    seed: int = 5,
    checkpoint: str = "thermal_real",
    enlarged: float = 0.35,
) -> None:
    """Print a line a person, as soon as it is known, and the mean of all."""
    torch.set_num_threads(1)
    found: list[Outcome] = []
    started = time.process_time()
    for person, outcome in enumerate(outcomes(people, seconds, rate, (height, width), seed, checkpoint, enlarged)):
        found.append(outcome)
        error = np.abs(outcome.rate - outcome.true_rate)
        onsets = ", ".join(f"{e:.1f}" for e in outcome.onset_errors_s)
        print(
            f"person {person}: {outcome.true_rate.mean():4.1f} breaths/min, MAE {np.nanmean(error):.2f} in "
            f"{np.isfinite(error).sum()} of {len(error)} windows; perspiration r {outcome.correlation:.2f}, quality "
            f"{outcome.quality:.2f}, onsets off by [{onsets}] s, {outcome.events} found; seen {outcome.seen:.0%}",
            flush=True,
        )
    error = np.concatenate([np.abs(o.rate - o.true_rate) for o in found])
    fine = np.concatenate([np.array(o.flag) == "ok" for o in found])
    onsets = np.array([e for o in found for e in o.onset_errors_s])
    correlations = [outcome.correlation for outcome in found]
    told = [outcome.correlation for outcome in found if outcome.quality >= LEAST_QUALITY]
    print(
        f"Breathing: MAE {np.nanmean(error):.2f} /min over {np.isfinite(error).sum()} windows of {WINDOW_S:.0f} s, "
        f"{np.nanmean(error[fine]):.2f} over the {fine.sum()} flagged ok. Perspiration: r "
        f"{np.nanmean(correlations):.2f} (median {np.nanmedian(correlations):.2f}); {np.mean(told):.2f} of the "
        f"{len(told)} flagged ok; onsets within 3 s: {(onsets <= 3).sum()} of {len(onsets)}, median error "
        f"{np.median(onsets):.1f} s. {time.process_time() - started:.0f} s of CPU."
    )


if __name__ == "__main__":
    typer.run(main)
