"""How well faces are tracked, on rendered video with the truth: `python docs/studies/tracking_accuracy.py`.

* jitter: a head that keeps still; the standard deviation of each point over the frames, from the camera's noise alone;
* lag: a still moved up and down at 1 Hz by 4 % of its height; the phase of the points behind that motion;
* crossing: three people who walk past each other, one of whom leaves the picture and comes back, cut out of stills and
  laid over a room; identity switches, and frames in which a track has points on no face or on another person's.

All are tracked as `thermal-landmarks track` does, by `thermal_real` at speed=balanced. Smoothing is applied to the
same points. Times are CPU seconds of one core for network and tracking, without rendering.
"""

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator

import numpy as np
import torch
import typer
from scipy.ndimage import gaussian_filter, shift

from thermal_faces import SyntheticFaces, SyntheticSequence
from thermal_landmarks.data.annotation import ThermalImage, Unit
from thermal_landmarks.inference.predictor import Predictor
from thermal_landmarks.inference.tracking.roll import Late, Settled
from thermal_landmarks.inference.tracking.smoothing import smooth
from thermal_landmarks.inference.tracking.track import TrackedFace
from thermal_landmarks.inference.tracking.tracker import Tracker

SEED, RATE, SIZE = 4242, 30.0, (480, 640)
STILL = {
    **dict.fromkeys(("yaw_deg", "pitch_deg", "roll_deg", "shift_mm", "approach_mm", "turns_per_min"), (0.0, 0.0)),
    "blinks_per_min": (0.0, 0.0),
    "silence_s": (1000.0, 1000.0),
}
WRONG = 0.35  # mean distance from the true points, in eye distances, from which on a face is nobody's
METHODS = ("none", "one_euro", "kalman")


def tracked(predictor: Predictor, frames: list[np.ndarray]) -> tuple[list[list[TrackedFace]], float]:
    """The faces of each frame, and CPU milliseconds a frame."""
    started = time.process_time()
    images = (values.astype(np.float32) for values in frames)
    faces = [frame.faces for frame in settled(Tracker(predictor, fps=RATE), images)]
    return faces, 1e3 * (time.process_time() - started) / len(frames)


def eye_distance(points: np.ndarray) -> float:
    """Between the outer corners of the eyes."""
    return float(np.linalg.norm(points[2] - points[5]))


def still_and_nod(predictor: Predictor, subject: int) -> dict[str, list[float]]:
    """Jitter of a still head and lag of a nod, for each way of smoothing."""
    sequence = SyntheticSequence(seed=SEED, subject=subject, seconds=4, rate_hz=RATE, size=SIZE, motion=STILL)
    frames = list(sequence)
    eyes = eye_distance(frames[0].points_px)
    found, milliseconds = tracked(predictor, [frame.temperature_c for frame in frames])
    points = np.array([each[0].points_px if each else np.full((16, 2), np.nan) for each in found])
    time_s = np.arange(len(points)) / RATE
    times = np.arange(90) / RATE
    up_down = 0.04 * SIZE[0] * np.sin(2 * np.pi * times)
    rng = np.random.default_rng(subject)
    moved = [
        shift(frames[0].temperature_c, (by, 0), order=1, mode="nearest") + rng.normal(0, 0.04, SIZE) for by in up_down
    ]
    nods, _ = tracked(predictor, moved)
    heights = np.array([each[0].points_px[:, 1] if each else np.full(16, np.nan) for each in nods])
    result = defaultdict(list)
    result["milliseconds"].append(milliseconds)
    for method in METHODS:
        smoothed = smooth(points.reshape(len(points), -1), time_s, method, size=eyes)[30:]
        result[f"jitter {method}"].append(100 * float(np.nanstd(smoothed, axis=0).mean() * np.sqrt(2)) / eyes)
        nod = smooth(heights, times, method, size=eyes)[30:]  # two whole periods
        wave = np.exp(-2j * np.pi * times[30:])
        phase = np.angle((nod * wave[:, None]).sum(axis=0) / (up_down[30:] * wave).sum())
        result[f"lag {method}"].append(float(-np.nanmean(phase) / (2 * np.pi) * RATE))
    return result


def crossing(predictor: Predictor, group: int, seed: int = SEED, frames: int = 240) -> tuple[int, list[int], float]:
    """Three people: identity switches, the frames in which a face is wrong, and the largest error of the others."""
    pose = {"face_height": (0.3, 0.38), "position_x": (0.45, 0.55), "position_y": (0.4, 0.45), "yaw_deg": (-10, 10)}
    faces = SyntheticFaces(subjects=3, images_per_subject=1, size=SIZE, seed=seed + group, pose=pose)
    stills = [faces.render(subject, 0) for subject in range(3)]
    points = [faces.annotations()[subject].points_px for subject in range(3)]
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    masks = []
    for known in points:
        centre, eyes = known.mean(axis=0), eye_distance(known)
        head = ((x - centre[0]) / (1.05 * eyes)) ** 2 + ((y - centre[1]) / (1.5 * eyes)) ** 2 < 1
        body = (np.abs(x - centre[0]) < 1.7 * eyes) & (y > centre[1] + 1.3 * eyes)
        masks.append(gaussian_filter((head | body).astype(float), 1.5))
    rng = np.random.default_rng(group)
    room = 22 + gaussian_filter(rng.normal(0, 40, SIZE), 40)
    when = np.linspace(0, 1, frames)
    ways = [  # of the face's middle, across the picture
        0.15 + 0.7 * when,
        0.85 - 0.7 * when,
        np.interp(when, [0, 0.3, 0.5, 0.75, 1], [0.5, 1.35, 1.35, 0.55, 0.5]),  # leaves and comes back
    ]
    truths: list[list[np.ndarray]] = []

    def pictures() -> Iterator[np.ndarray]:
        for index in range(frames):
            picture = room.copy()
            truths.append([])
            for person in (2, 1, 0):  # the first is in front
                by = (ways[person][index] * SIZE[1] - points[person].mean(axis=0)[0], 20.0 * person)
                mask = shift(masks[person], (by[1], by[0]), order=1)
                picture = picture * (1 - mask) + shift(stills[person], (by[1], by[0]), order=1, mode="nearest") * mask
                truths[-1].insert(0, points[person] + by)
            yield (picture + rng.normal(0, 0.05, SIZE)).astype(np.float32)

    person_of: dict[int, int] = {}
    switches, wrong, worst = 0, [], 0.0
    for frame in settled(Tracker(predictor, fps=RATE), pictures()):
        for face in frame.faces:
            if face.flag != "ok":
                continue
            errors = [
                np.linalg.norm(face.points_px - true, axis=1).mean() / eye_distance(true)
                for true in truths[frame.frame]
            ]
            nearest = int(np.argmin(errors))
            if errors[nearest] > WRONG:
                wrong.append(frame.frame)
                continue
            worst = max(worst, float(errors[nearest]))
            if person_of.setdefault(face.track, nearest) != nearest:
                switches += 1
                person_of[face.track] = nearest
    switches += max(0, len(person_of) - 3)  # a person who got a second track
    return switches, wrong, worst


def settled(tracker: Tracker, pictures: Iterable[np.ndarray], unit: Unit = "celsius") -> Iterator[Settled]:
    """The faces of each frame once it is decided who they are, as `track` writes them."""
    late = Late(tracker.fps, 16)
    for index, values in enumerate(pictures):
        late.add(index, index, index / tracker.fps, tracker.see(ThermalImage(values, unit)))
        yield from late.settled(tracker.tracklets)
    tracker.conclude()
    yield from late.settled(tracker.tracklets)


def main(people: int = 6, groups: int = 3, first_group: int = 0, seed: int = SEED) -> None:
    """Print the figures of so many people alone, and of so many groups of three who cross."""
    torch.set_num_threads(1)
    predictor = Predictor.from_checkpoint("thermal_real", device="cpu", speed="balanced")
    results: dict[str, list[float]] = defaultdict(list)
    for subject in range(people):
        for key, values in still_and_nod(predictor, subject).items():
            results[key] += values
    if people:
        print(f"{people} people, 480 x 640: {np.mean(results['milliseconds']):.1f} ms a frame")
    for method in METHODS if people else ():
        jitter, lag = results[f"jitter {method}"], results[f"lag {method}"]
        print(
            f"smoothing={method}: jitter {np.mean(jitter):.2f} % of the eyes' distance (worst {max(jitter):.2f}), "
            f"lag of a 1 Hz nod {np.mean(lag):.2f} frames (worst {max(lag, key=abs):.2f})"
        )
    for group in range(first_group, first_group + groups):
        switches, wrong, worst = crossing(predictor, group, seed)
        print(
            f"three people, group {group}: {switches} identity switches, wrong faces in frames {wrong}, largest error "
            f"of the others {100 * worst:.0f} %",
            flush=True,
        )


if __name__ == "__main__":
    typer.run(main)
