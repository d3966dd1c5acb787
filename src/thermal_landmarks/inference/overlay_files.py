"""Pictures of images with their points, drawn and written beside the network."""

import errno
import logging
import os
from collections import Counter, deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType

import numpy as np
from jaxtyping import Float

from thermal_landmarks.data.annotation import ThermalImage
from thermal_landmarks.evaluation.drawing import draw_boxes, draw_points, in_few_colours, to_rgb
from thermal_landmarks.runs import unwritable

_log = logging.getLogger(__name__)

_WRITERS = 2
_SMALLEST_SIDE = 400  # of a picture with boxes, in pixels
_WAITING, _WAITING_BYTES = 8, 256 * 2**20  # each keeps its image in memory


class OverlayFiles:
    """Overlays of image files in a folder of their own; `debug`: an error of the program in drawing is raised.

    One that can't be written (a name that is too long with its suffix) is named in a warning; a full or read-only disk
    ends all.
    """

    def __init__(self, folder: Path, files: Sequence[Path], *, debug: bool = False) -> None:
        self._targets = {file: folder / name for file, name in _overlay_names(files).items()}
        self._pool = ThreadPoolExecutor(_WRITERS)
        self._pending: deque[tuple[Path, int, Future[None]]] = deque()
        self._waiting_bytes = 0
        self._debug = debug

    def add(
        self,
        path: Path,
        image: ThermalImage,
        points_px: Float[np.ndarray, "point 2"],
        *,
        boxes_px: Sequence[tuple[float, float, float, float]] | None = None,
        labels: Sequence[str] = (),
    ) -> None:
        """Draw and write one, soon; with boxes a small picture is enlarged, so that its faces can be looked at."""
        needed = image.values.nbytes
        while self._pending and (len(self._pending) >= _WAITING or self._waiting_bytes + needed > _WAITING_BYTES):
            self._finish_first()
        self._waiting_bytes += needed
        drawn = self._pool.submit(_write, self._targets[path], image, points_px, boxes_px, labels)
        self._pending.append((path, needed, drawn))

    def _finish_first(self) -> None:
        path, size, written = self._pending.popleft()
        self._waiting_bytes -= size
        try:
            written.result()
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES):
                raise unwritable(self._targets[path], error) from error
            _log.warning("%s: no overlay could be written (%s).", path, error.strerror or error)
        except Exception as error:  # the points are there; the picture of them must not end the others
            if self._debug:
                raise
            _log.warning("%s: no overlay could be drawn (%s: %s).", path, type(error).__name__, error)

    def __enter__(self) -> "OverlayFiles":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            while error is None and self._pending:
                self._finish_first()
        finally:
            self._pool.shutdown()


def _write(
    path: Path,
    image: ThermalImage,
    points_px: Float[np.ndarray, "point 2"],
    boxes_px: Sequence[tuple[float, float, float, float]] | None,
    labels: Sequence[str],
) -> None:
    picture = to_rgb(image.values)
    if boxes_px is not None:
        times = min(16, -(-_SMALLEST_SIDE // min(picture.shape[:2])))
        picture = picture.repeat(times, axis=0).repeat(times, axis=1)
        points_px = (points_px + 0.5) * times - 0.5
        x_min, y_min, x_max, y_max = (np.asarray(boxes_px, dtype=float).reshape(-1, 4).T + 0.5) * times - 0.5
        picture = draw_boxes(picture, list(zip(x_min, y_min, x_max, y_max, strict=True)), labels)
    path.parent.mkdir(parents=True, exist_ok=True)
    in_few_colours(draw_points(picture, points_px)).save(path, compress_level=1)


def _overlay_names(files: Sequence[Path]) -> dict[Path, Path]:
    """Where each file's overlay goes: its path below the folder that all files share, as a PNG of the same name.

    Where `a.jpg` and `a.png` (or `a.tif`) would meet, those that are no PNG keep their ending: `a.jpg.png`. Capitals
    make no difference, as on some disks.
    """
    if not files:
        return {}
    shared = Path(os.path.commonpath([file.parent for file in files]))
    short = {file: file.relative_to(shared).with_suffix(".png") for file in files}
    met = Counter(str(name).lower() for name in short.values())
    names: dict[Path, Path] = {}
    taken: set[str] = set()
    for file in sorted(files, key=lambda file: file.suffix.lower() != ".png"):
        name = short[file]
        if met[str(name).lower()] > 1 and file.suffix.lower() != ".png":
            name = name.with_name(f"{file.name}.png")
        while str(name).lower() in taken:
            name = name.with_name(f"{name.name}.png")
        names[file] = name
        taken.add(str(name).lower())
    return names
