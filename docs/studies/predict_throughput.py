"""How much of the network's pace is left in `predict`: `python docs/studies/predict_throughput.py IMAGES FOLDER`.

Each picture lies there eight times, as the few that are compared for marks of the camera would weigh too much in a
folder of a dozen. The bare network (ONNX Runtime's session on arrays that lie in memory, or the predictor on images in
memory) and the whole way from files to `points.csv` without overlays take turns on the same rendered pictures, as many
side by side as there are cores. Ratios are of one run; CPU time tells them on a busy machine.
"""

import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from thermal_landmarks.allocator import keep_freed_memory
from thermal_landmarks.data.formats.palettes import named_palette
from thermal_landmarks.exporting.export import rendered_frames
from thermal_landmarks.inference.face import MIN_SCORE, FindsFaces
from thermal_landmarks.inference.face_files import predict_faces
from thermal_landmarks.inference.picture_reader import PictureReader, Reading
from thermal_landmarks.inference.predictor import Predictor
from thermal_landmarks.runtime.exported import ExportedFaces, cores

ROUNDS, COPIES = 3, 8
IRON = named_palette("iron").colours.astype(np.uint8)


def gray(values: np.ndarray) -> np.ndarray:
    """Bytes, 10 a degree."""
    return ((values - 15) * 10).clip(0, 255).astype(np.uint8)


KINDS: dict[str, Callable[[Path, np.ndarray], None]] = {
    "gray.png": lambda path, values: Image.fromarray(gray(values)).save(path),
    "gray.jpg": lambda path, values: Image.fromarray(gray(values)).save(path, quality=95),
    "iron.png": lambda path, values: Image.fromarray(named_palette("iron").colours.astype(np.uint8)[gray(values)]).save(
        path
    ),
    "celsius.tiff": lambda path, values: Image.fromarray(values).save(path),
    "celsius.npy": lambda path, values: np.save(path, values),
}


def timed(function: Callable[[], object]) -> tuple[float, float]:
    """Clock's and CPU seconds."""
    clock, cpu = time.perf_counter(), time.process_time()
    function()
    return time.perf_counter() - clock, time.process_time() - cpu


def compare(finder: FindsFaces, files: list[Path], out: Path) -> str:
    """Both ways with one engine and one kind of file, in words."""
    workers, read = cores(), PictureReader(files, Reading())
    images = [read(path) for path in files]

    def bare() -> None:
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(lambda image: finder.faces(image, min_score=MIN_SCORE, min_confidence=0.0), images))

    def whole() -> None:
        predict_faces(finder, files, out, overlays=False, workers=workers)

    bare()
    taken = np.array([[timed(bare), timed(whole)] for _ in range(ROUNDS)])  # (round, way, clock and CPU)
    clock, cpu = np.median(taken[:, 0] / taken[:, 1], axis=0)
    ms = 1e3 * taken.min(axis=0) / len(files)
    return (
        f"{100 * cpu:.0f} % of the bare network by CPU time ({ms[0, 1]:.1f} and {ms[1, 1]:.1f} ms an image), "
        f"{100 * clock:.0f} % by the clock ({ms[0, 0]:.1f} and {ms[1, 0]:.1f} ms)"
    )


def main(images: int, folder: Path) -> None:
    """Print a line for each engine and kind of file."""
    torch.set_num_threads(1)
    keep_freed_memory()  # as the command does
    finders: dict[str, FindsFaces] = {
        "onnx": ExportedFaces(),
        "torch": Predictor.from_checkpoint("thermal_real", device="cpu", speed="balanced"),
    }
    frames = list(rendered_frames(images, 31_313))
    for kind, save in KINDS.items():
        files = [folder / kind / f"{number:03}{Path(kind).suffix}" for number in range(COPIES * images)]
        (folder / kind).mkdir(parents=True, exist_ok=True)
        for file, frame in zip(files, frames * COPIES, strict=True):
            save(file, frame.values)
        for name, finder in finders.items():
            print(f"{name}, {kind}: {compare(finder, files, folder / 'out')}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
