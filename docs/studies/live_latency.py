"""From a camera's frame to its landmarks: `python docs/studies/live_latency.py SECONDS`.

A rendered person of 640x480 who sways, 30 frames a second as a camera would give them: milliseconds from the moment a
frame is there until the tracker has told its faces, and how many frames `latest_frames` left because the one before
took longer. One thread; beside the clock's time the CPU time, which other work on the machine doesn't lengthen as much.
"""

import sys
import time
from collections.abc import Iterator

import numpy as np
import torch

from thermal_faces import SyntheticFaces
from thermal_landmarks import Predictor, Tracker, latest_frames
from thermal_landmarks.data.annotation import ThermalImage
from thermal_landmarks.data.video import VideoFrame

RATE = 30
SWAY_PX, SWAYS_HZ = 12, 0.5


def camera(seconds: float, given: dict[int, float]) -> Iterator[VideoFrame]:
    """Frames when they are due; notes when each was given."""
    source = SyntheticFaces(subjects=3, images_per_subject=1, size=(480, 640), seed=40_404)
    values, rng = source.load(source.annotations()[0]).values, np.random.default_rng(0)
    noise = rng.normal(0, 0.05, values.shape).astype(np.float32)
    started = time.perf_counter()
    for index in range(round(seconds * RATE)):
        shift = round(SWAY_PX * np.sin(2 * np.pi * SWAYS_HZ * index / RATE))
        image = ThermalImage(np.roll(values, shift, axis=1) + np.roll(noise, 37 * index), "celsius")
        time.sleep(max(0.0, started + index / RATE - time.perf_counter()))
        given[index] = time.perf_counter()
        yield VideoFrame(index, index / RATE, image)


def main(seconds: float) -> None:
    """Print a line for each speed."""
    torch.set_num_threads(1)
    for speed in ("fast", "balanced", "exact"):
        tracker = Tracker(Predictor.from_checkpoint("thermal_real", device="cpu", speed=speed), fps=RATE)  # type: ignore[arg-type]
        given: dict[int, float] = {}
        waits, work, passed = [], [], 0
        for frame in latest_frames(camera(seconds, given)):
            before = time.thread_time()
            tracker.update(frame.image, passed=frame.passed)
            work.append(1e3 * (time.thread_time() - before))
            waits.append(1e3 * (time.perf_counter() - given[frame.index]))
            passed += frame.passed
        late, cpu = (np.percentile(times[RATE // 2 :], [50, 95]) for times in (waits, work))
        print(
            f"{speed}: {late[0]:.0f} ms (95 % within {late[1]:.0f}), CPU {cpu[0]:.0f} ({cpu[1]:.0f}); "
            f"{passed} of {len(given)} frames left",
            flush=True,
        )


if __name__ == "__main__":
    main(float(sys.argv[1]))
