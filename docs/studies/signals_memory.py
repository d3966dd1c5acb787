"""Peak memory of `signals` on a short and on a long recording: `python docs/studies/signals_memory.py [minutes]`.

A few frames of one rendered face, 640 x 480 in hundredths of a kelvin, are repeated for so many minutes, and for six
times as many, at 30 frames a second; so are their true points, with what a tracker trembles. The command runs in a
process of its own, on a source that makes the frames as they are read. `--every 3` measures every third frame only,
and with `--drawn` what is measured in a frame is drawn at random, so that only what follows on it takes time.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from thermal_faces.landmarks import LANDMARKS
from thermal_faces.video.sequence import SyntheticSequence

RATE = 30.0
COMMAND = """
import atexit, resource, sys
import numpy as np
from thermal_landmarks.data.annotation import ThermalImage
from thermal_landmarks.data.video.frame import VideoFrame
import thermal_landmarks.data.video as video
stored, rate, drawn = np.load(sys.argv.pop(1)), float(sys.argv.pop(1)), sys.argv.pop(1) == "True"
class Repeated:
    def __init__(self, *args, **settings): pass
    def frames(self, start=0, end=None):
        for index in range(start, end):
            values = stored[index % len(stored)].astype(np.float32) / 100 - 273.15
            yield VideoFrame(index, index / rate, ThermalImage(values, "celsius"))
video.open_video = Repeated
if drawn:
    from thermal_landmarks.physiology.face import Face
    rng = np.random.default_rng(0)
    def measure(self, number, time_s, values, *, temperatures):
        if self._first_second is None:
            self._first_second = self._second = int(time_s)
        breath = 0.3 * np.sin(1.5 * time_s)
        self.measured.append(34 + rng.normal(0, 0.1, len(self.names)))
        self.cells.append(34 + breath + rng.normal(0, 0.1, len(self.nostrils.offsets)))
        self._add_to_second(int(time_s), 34 + rng.normal(0, 0.1, self._shape), 0.1)
        return 0.9
    Face.measure = measure
atexit.register(lambda: print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss))
from thermal_landmarks.commands.signals import main
main()
"""


def measured(minutes: float, folder: Path, stored: Path, points: np.ndarray, rate: float, drawn: bool) -> float:
    """Peak megabytes of the command."""
    rng, frames = np.random.default_rng(0), round(60 * minutes * rate)
    with (folder / "tracks.csv").open("w", encoding="utf-8") as table:
        table.write("frame,time_s,track,point,x,y,confidence,flag\n")
        for frame in range(frames):
            now = points[frame % len(points)] + rng.normal(0, 0.1, (len(LANDMARKS), 2))
            for name, (x, y) in zip(LANDMARKS, now, strict=True):
                table.write(f"{frame},{frame / rate:.4f},0,{name},{x:.3f},{y:.3f},0.9,ok\n")
    (folder / "landmarks.json").write_text(json.dumps({"scheme": "face16"}))
    (folder / "tracking.json").write_text(json.dumps({"source": "repeated.npy", "settings": {}}))
    started = time.perf_counter()
    settings = [f"tracks={folder}", f"output={folder / 'out'}"]
    command = [sys.executable, "-c", COMMAND, str(stored), str(rate), str(drawn), *settings]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    page = (folder / "out" / "recording.html").stat().st_size
    print(
        f"{minutes:g} minutes, {frames} frames: {int(said[-1]) / 1024:.0f} MB, {time.perf_counter() - started:.0f} s; "
        f"recording.html {page / 1024:.0f} kB",
        flush=True,
    )
    return int(said[-1]) / 1024


def main(
    minutes: Annotated[float, typer.Argument()] = 10,
    height: int = 480,
    width: int = 640,
    every: int = 1,
    drawn: bool = False,
) -> None:
    """Print the peaks and their ratio."""
    sequence = SyntheticSequence(seed=1, seconds=12, rate_hz=5, size=(height, width))
    frames = list(sequence)
    with tempfile.TemporaryDirectory() as place:
        stored = Path(place) / "frames.npy"
        np.save(stored, np.stack([np.rint((f.temperature_c + 273.15) * 100).astype(np.uint16) for f in frames]))
        points, peaks = np.stack([frame.points_px for frame in frames]), []
        for length in (minutes, 6 * minutes):
            folder = Path(place) / f"{length:g}"
            folder.mkdir()
            peaks.append(measured(length, folder, stored, points, RATE / every, drawn))
        print(f"{peaks[1] / peaks[0]:.3f} times the memory for six times the length")


if __name__ == "__main__":
    typer.run(main)
