"""A rendered sequence as files: `frames.tif`, `points.csv`, `signals.csv`, `sequence.json` and `preview.gif`.

Frames are 16-bit pages in centi-kelvin (degrees Celsius = value / 100 - 273.15), rendered by several processes and
written in order, one at a time, so that an hour needs no more memory than a second. Every file appears when it is
complete, `sequence.json` last.
"""

import csv
import json
import platform
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np
import tifffile
from jaxtyping import UInt16
from PIL import Image

from thermal_faces.faces import RENDERER_VERSION
from thermal_faces.landmarks import LANDMARKS
from thermal_faces.video.sequence import SIGNALS, SequenceFrame, SyntheticSequence

UNIT = "centi_kelvin"
_KELVIN_PER_STEP, _ZERO_C = 0.01, 273.15
_CHUNK = 8
_CLASSIC_TIFF_BYTES = 2**32 - 2**25
_PREVIEW_HZ = 10.0
_PREVIEW_C = (24.0, 37.0)
_PREVIEW_WIDTH = 320


class _Stored(NamedTuple):
    pixels: UInt16[np.ndarray, "height width"]
    frame: SequenceFrame


def write_sequence(
    sequence: SyntheticSequence,
    folder: Path,
    *,
    pool: Executor | None = None,
    ahead: int = 2,
    preview_s: float = 5.0,
    provenance: Mapping[str, object] | None = None,
    advance: Callable[[], None] = lambda: None,
) -> bool:
    """Renders a sequence into a folder; one that holds this very sequence stays as it is.

    The processes of `pool`, if there is one, get `ahead` pieces of work before the first is done. `provenance` is what
    `sequence.json` says besides of where the files come from; `preview_s=0` makes no preview; `advance` is called after
    each frame.

    Returns:
        Whether it had to be rendered.
    """
    if _fingerprint(folder) == sequence.fingerprint():
        return False
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sequence.json").unlink(missing_ok=True)
    names = ["frames.tif", "points.csv", "signals.csv"]
    partial = {name: folder / f"{name}.partial" for name in names}
    previews: list[Image.Image] = []
    try:
        with ExitStack() as stack:
            tables = [stack.enter_context(partial[name].open("w", newline="", encoding="utf-8")) for name in names[1:]]
            stored = _in_order(sequence, pool, ahead)
            pages = _pages(stored, sequence, tables, previews, preview_s, advance)
            _write_pages(partial["frames.tif"], pages, (len(sequence), *sequence.faces.size))
        for name in names:
            partial[name].replace(folder / name)
    finally:
        for path in partial.values():
            path.unlink(missing_ok=True)
    if previews:
        milliseconds = round(1000 * _preview_step(sequence) / sequence.rate_hz)
        first, *others = previews
        first.save(folder / "preview.gif", save_all=True, append_images=others, duration=milliseconds, loop=0)
    description = json.dumps(_description(sequence) | dict(provenance or {}), indent=1, allow_nan=False)
    partial_json = folder / "sequence.json.partial"
    partial_json.write_text(description + "\n", encoding="utf-8")
    partial_json.replace(folder / "sequence.json")
    return True


def _fingerprint(folder: Path) -> str | None:
    path = folder / "sequence.json"
    return json.loads(path.read_text(encoding="utf-8"))["fingerprint"] if path.exists() else None


def _description(sequence: SyntheticSequence) -> dict[str, object]:
    return {
        "frames": len(sequence),
        "unit": UNIT,
        "celsius": f"value * {_KELVIN_PER_STEP} + {-_ZERO_C}",
        "scheme": sequence.scheme,
        "landmarks": list(LANDMARKS),
        "settings": sequence.settings(),
        "constants": sequence.constants(),
        "events": sequence.events(),
        "fingerprint": sequence.fingerprint(),
        "renderer": RENDERER_VERSION,
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in ("numpy", "scipy")},
        },
    }


def _render(sequence: SyntheticSequence, start: int, stop: int) -> list[_Stored]:
    frames = [sequence[index] for index in range(start, min(stop, len(sequence)))]
    return [_Stored(_stored(frame.temperature_c), frame) for frame in frames]


def _stored(temperature_c: np.ndarray) -> UInt16[np.ndarray, "height width"]:
    steps = (temperature_c.astype(np.float64) + np.float32(_ZERO_C)) / np.float32(_KELVIN_PER_STEP)
    return np.rint(steps).clip(0, 65535).astype(np.uint16)


def _in_order(sequence: SyntheticSequence, pool: Executor | None, ahead: int) -> Iterator[_Stored]:
    starts = range(0, len(sequence), _CHUNK)
    if pool is None:
        for start in starts:
            yield from _render(sequence, start, start + _CHUNK)
        return
    waiting: deque[Future[list[_Stored]]] = deque()
    try:
        for start in starts:
            waiting.append(pool.submit(_render, sequence, start, start + _CHUNK))
            if len(waiting) > ahead:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()


def _pages(
    stored: Iterator[_Stored],
    sequence: SyntheticSequence,
    tables: Sequence[IO[str]],
    previews: list[Image.Image],
    preview_s: float,
    advance: Callable[[], None],
) -> Iterator[UInt16[np.ndarray, "height width"]]:
    """The pixels of each frame; what else is to be written of it goes its way."""
    points, signals = (csv.writer(table, lineterminator="\n") for table in tables)
    points.writerow(
        ["frame", "time_s", *(f"{name}{i}" for i in range(len(LANDMARKS)) for name in ("x", "y", "visible"))]
    )
    signals.writerow(["frame", "time_s", *SIGNALS])
    for pixels, frame in stored:
        start = [frame.index, f"{frame.time_s:.6f}"]
        places = [
            value
            for (x, y), seen in zip(frame.points_px, frame.visible, strict=True)
            for value in (f"{x:.4f}", f"{y:.4f}", int(seen))
        ]
        points.writerow([*start, *places])
        signals.writerow([*start, *(f"{frame.signals[name]:.6g}" for name in SIGNALS)])
        if frame.time_s < preview_s and frame.index % _preview_step(sequence) == 0:
            previews.append(_preview(frame.temperature_c))
        advance()
        yield pixels


def _write_pages(path: Path, pages: Iterator[np.ndarray], shape: tuple[int, int, int]) -> None:
    with tifffile.TiffWriter(path, bigtiff=2 * np.prod(shape, dtype=float) > _CLASSIC_TIFF_BYTES) as file:
        file.write(
            pages,
            shape=shape,
            dtype=np.uint16,
            photometric="minisblack",
            compression="zlib",
            compressionargs={"level": 1},  # higher levels take eight times as long for the same size
            predictor=True,
            maxworkers=1,
            metadata={"axes": "TYX", "unit": UNIT},
        )


def _preview_step(sequence: SyntheticSequence) -> int:
    return max(round(sequence.rate_hz / _PREVIEW_HZ), 1)


def _preview(temperature_c: np.ndarray) -> Image.Image:
    low, high = _PREVIEW_C
    gray = ((temperature_c - low) * (255 / (high - low))).clip(0, 255).astype(np.uint8)
    picture = Image.fromarray(gray)
    return picture.reduce(max(picture.width // _PREVIEW_WIDTH, 1))
