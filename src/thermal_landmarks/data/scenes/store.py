"""Scenes in one memory-mapped file, rendered once by many processes, with a table of their faces."""

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float

from thermal_landmarks.data.cache_files import reserve, see_to
from thermal_landmarks.data.geometry import fit_matrix, warp_image
from thermal_landmarks.data.rows_on_disk import RowsOnDisk
from thermal_landmarks.data.scenes.gray import to_bytes
from thermal_landmarks.errors import DataError
from thermal_landmarks.long_work import counting, processes

if TYPE_CHECKING:
    from thermal_faces import RenderedScene
    from thermal_landmarks.data.scenes.annotated import AnnotatedScene

_VERSION = 1  # raise when the layout or the meaning of a stored array changes
_CHUNK = 16
MOST_FACES = 24
"""In one scene; the smallest beyond that are left out."""

_ALL_HIDDEN = 0.92  # share of a face from which on there is nothing to see: background, not a face to be ignored


@runtime_checkable
class SceneSource(Protocol):
    """Where scenes come from, as `thermal_faces.SyntheticScenes`."""

    def __len__(self) -> int: ...
    def render(self, index: int) -> "RenderedScene | AnnotatedScene": ...
    def fingerprint(self) -> str: ...


@dataclass(frozen=True)
class StoredScenes:
    """Scenes; row i of every array is one."""

    images: RowsOnDisk  # uint8 (n, height, width), on the disk
    # float32 (n, MOST_FACES, 4): x_min, y_min, x_max, y_max in pixels of the image; NaN where no face is
    boxes_px: Float[np.ndarray, "n face 4"]
    angle_deg: Float[np.ndarray, "n face"]  # float32 (n, MOST_FACES): the face's in-plane angle
    # bool (n, MOST_FACES): False for what is neither to be found nor to count as a mistake
    is_face: Bool[np.ndarray, "n face"]

    def __len__(self) -> int:
        return len(self.images)


def load_or_render(
    source: SceneSource, size: tuple[int, int], folder: Path, *, workers: int = 0, minutes: float | None = None
) -> StoredScenes:
    """The stored scenes of a source, made on the first call, and again where they are damaged.

    They lie below `folder`, named by a hash of source and settings; scenes of another size are fitted into `size`
    (height, width). `workers` processes (0: one a core) render for so many minutes, or all scenes (None).

    Raises:
        DataError: If not a single scene was ready in time.
        OutputError: If the store can't be written; says how much space is missing.
    """
    key = json.dumps([_VERSION, source.fingerprint(), list(size), minutes], sort_keys=True)
    home = folder / f"scenes-{hashlib.blake2b(key.encode(), digest_size=8).hexdigest()}"
    see_to(home, lambda partial: _render_all(source, size, partial, workers or os.cpu_count() or 1, minutes))
    with np.load(home / "faces.npz") as table:
        rendered = range(len(table["is_face"]))
        return StoredScenes(RowsOnDisk(home / "images.npy", rendered), **table)


def _render_all(source: SceneSource, size: tuple[int, int], folder: Path, workers: int, minutes: float | None) -> None:
    images = folder / "images.npy"
    reserve(images, (len(source), *size), np.uint8)
    chunks = [range(i, min(i + _CHUNK, len(source))) for i in range(0, len(source), _CHUNK)]
    rows = list(_in_order(source, images, chunks, workers, minutes))
    if not rows:
        raise DataError(f"No scene was ready within data.render_minutes={minutes}. Allow more time.")
    boxes, angles, faces = (np.stack(column) for column in zip(*rows, strict=True))
    np.savez(folder / "faces.npz", boxes_px=boxes, angle_deg=angles, is_face=faces)


_Row = tuple[np.ndarray, np.ndarray, np.ndarray]


def _in_order(
    source: SceneSource, path: Path, chunks: Sequence[range], workers: int, minutes: float | None
) -> Iterator[_Row]:
    """The faces of each scene, up to the first that wasn't ready in time."""
    with counting("Rendering scenes", len(source)) as done, ExitStack() as stack:
        over: Callable[..., Iterable[Any]] = map
        if workers > 1 and len(chunks) > 1:
            over = stack.enter_context(processes(workers)).map
            list(over(_start, [source] * workers))  # imports and compilation don't count
        until = None if minutes is None else time.time() + 60 * minutes
        jobs = [(source, path, chunk, until) for chunk in chunks]
        for chunk, rows in zip(chunks, over(_render_chunk, jobs), strict=True):
            done(len(chunk))
            yield from rows
            if len(rows) < len(chunk):
                return


def _start(source: SceneSource) -> None:
    source.render(0)


def _render_chunk(job: tuple[SceneSource, Path, range, float | None]) -> list[_Row]:
    source, path, indices, until = job
    images = np.load(path, mmap_mode="r+")
    rows = []
    for index in indices:
        if until is not None and time.time() > until:
            break
        images[index], row = _stored(source.render(index), images.shape[1:])
        rows.append(row)
    images.flush()
    return rows


def _stored(scene: "RenderedScene | AnnotatedScene", size: tuple[int, ...]) -> tuple[np.ndarray, _Row]:
    height, width = size
    image, scale, shift = to_bytes(scene.values, scene.unit), 1.0, np.zeros(2)
    if image.shape != (height, width):
        matrix = fit_matrix((image.shape[0], image.shape[1]), (height, width))
        image = np.rint(warp_image(image, matrix, (height, width))).astype(np.uint8)
        scale, shift = float(matrix[0, 0]), matrix[:, 2]
    boxes = np.full((MOST_FACES, 4), np.nan, dtype=np.float32)
    angle = np.zeros(MOST_FACES, dtype=np.float32)
    is_face = np.zeros(MOST_FACES, dtype=bool)
    seen = (face for face in scene.faces if face.hidden < _ALL_HIDDEN)
    largest_first = sorted(seen, key=lambda face: face.box_px[1] - face.box_px[3])
    for row, face in enumerate(largest_first[:MOST_FACES]):
        boxes[row] = np.asarray(face.box_px) * scale + np.tile(shift, 2)
        angle[row], is_face[row] = face.angle_deg, face.is_face
    return image, (boxes, angle, is_face)
