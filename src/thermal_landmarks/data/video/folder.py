"""A folder of image files as a video, in natural order: `frame2.png` comes before `frame10.png`."""

import re
from collections.abc import Iterator
from pathlib import Path

from thermal_landmarks.data.formats.images import list_images, read_stored
from thermal_landmarks.data.video.frame import StoredFrame
from thermal_landmarks.errors import DataError


class Folder:
    """Image files of any format that `read_image` knows; a damaged one is an empty frame."""

    fps: float | None = None
    live = False

    def __init__(self, path: Path) -> None:
        self.path, self.name = path, path.resolve().name
        self._files = sorted(list_images(path), key=lambda file: natural(file.relative_to(path).as_posix()))
        self.n_frames: int | None = len(self._files)
        self.unit_beside = self._files[0]

    def read(self, start: int) -> Iterator[StoredFrame]:
        """See `Container`."""
        for index, file in enumerate(self._files[start:], start):
            try:
                frame = StoredFrame(index, None, read_stored(file))
            except DataError as error:
                frame = StoredFrame(index, None, None, str(error))
            yield frame


def natural(name: str) -> list[tuple[bool, int, str]]:
    """A sorting key by which numbers count as numbers."""
    parts = re.findall(r"\d+|\D+", name.lower())
    return [(part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in parts]
