"""Peak memory of `track` on a short and on a long recording: `python docs/studies/tracking_memory.py [frames]`.

* following: the command itself, in a process of its own, gets small raw frames of one rendered face through standard
  input: so many frames, and six times as many;
* tables: what the command makes of the tables after the last frame, for 10 and 60 minutes of 30 frames a second.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from thermal_faces import SyntheticFaces
from thermal_landmarks.csv_table import CsvTable
from thermal_landmarks.data.schemes import get_scheme
from thermal_landmarks.inference.tracking.files import FACE_COLUMNS, POINT_COLUMNS
from thermal_landmarks.runs import PROGRESS

SIZE = (96, 128)
TABLES = """
import resource, sys
from pathlib import Path
from thermal_landmarks.data.schemes import get_scheme
from thermal_landmarks.inference.tracking.table import read_pieces, smoothed_pieces, write_parquet
from thermal_landmarks.reporting.tracking_figure import tracking_figure
folder, frames = Path(sys.argv[1]), int(sys.argv[2])
pieces = smoothed_pieces(folder / "tracks.csv", get_scheme("face16"), "none")
write_parquet(pieces, folder / "tracks.parquet", smooth=False)
tracking_figure(read_pieces(folder / "faces.csv"), folder / "tracks.png", title="", frames=frames)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
PEAK = "import resource, atexit; atexit.register(lambda: print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss))"


def following(frames: int, folder: Path) -> float:
    """Peak megabytes of the command on so many frames."""
    still = SyntheticFaces(subjects=1, images_per_subject=1, size=SIZE, seed=1, pose={"face_height": (0.5, 0.6)})
    values = still.render(0, 0).astype(np.float32)
    settings = [f"size=[{SIZE[0]},{SIZE[1]}]", "dtype=float32", "unit=celsius", "fps=30", "device=cpu"]
    entry = f"{PEAK}; from thermal_landmarks.commands.track import main; main()"
    command = [sys.executable, "-c", entry, "source=-", f"output={folder}", *settings]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as job:
        assert job.stdin is not None
        assert job.stdout is not None
        rng = np.random.default_rng(0)
        for _ in range(frames):
            job.stdin.write((values + rng.normal(0, 0.05, SIZE)).astype(np.float32).tobytes())
        job.stdin.close()
        said = job.stdout.read().decode().split()
    kept = (folder / PROGRESS).stat().st_size
    print(
        f"{frames} frames: {int(said[-1]) / 1024:.0f} MB; what is kept to go on from: {kept / 1024:.0f} kB", flush=True
    )
    return int(said[-1]) / 1024


def tables(frames: int, folder: Path) -> float:
    """Peak megabytes of making parquet and picture from so many frames."""
    names = get_scheme("face16").landmark_names
    with CsvTable(folder / "tracks.csv") as points, CsvTable(folder / "faces.csv") as faces:
        points.add(POINT_COLUMNS)
        faces.add(FACE_COLUMNS)
        for frame in range(frames):
            faces.add([frame, frame / 30, 0, 0.9, "ok", 1, 2, 3, 4])
            for name in names:
                points.add([frame, frame / 30, 0, name, 1.25, 2.5, 0.9, "ok"])
    said = subprocess.run(
        [sys.executable, "-c", TABLES, str(folder), str(frames)], capture_output=True, text=True, check=True
    )
    print(f"tables of {frames} frames: {int(said.stdout) / 1024:.0f} MB", flush=True)
    return int(said.stdout) / 1024


def main() -> None:
    """Print the peaks and their ratios."""
    frames = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    with tempfile.TemporaryDirectory() as place:
        for what, short in ((tables, 18_000), (following, frames)):
            peaks = []
            for number in (short, 6 * short):
                folder = Path(place) / f"{what.__name__}{number}"
                folder.mkdir()
                peaks.append(what(number, folder))
            print(f"{what.__name__}: {peaks[1] / peaks[0]:.3f} times the memory for six times the length", flush=True)


if __name__ == "__main__":
    main()
