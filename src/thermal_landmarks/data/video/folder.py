"""A folder of image files as a video, in natural order: `frame2.png` comes before `frame10.png`."""

import re
from collections import Counter
from collections.abc import Generator, Sequence
from pathlib import Path

from thermal_landmarks.data.formats.images import list_images, read_stored
from thermal_landmarks.data.video.frame import StoredFrame
from thermal_landmarks.errors import DataError


class Folder:
    """Image files of any format that `read_image` knows; a damaged one is left out."""

    fps: float | None = None
    live = False

    def __init__(self, path: Path, files: Sequence[Path], unit: str | None) -> None:
        self.path, self.name = path, path.resolve().name
        self._files, self._unit = files, unit
        self.n_frames: int | None = len(files)
        self.unit_beside = files[0]

    @classmethod
    def of_folder(cls, path: Path, unit: str | None) -> "Folder":
        """The images of a folder itself, or of the only one below it that has any.

        Raises:
            DataError: If there are none, or it isn't clear which are the frames.
        """
        try:
            files = list_images(path)
        except DataError as error:
            others = ", ".join(p.name for p in sorted(path.iterdir())[:4] if p.is_file())
            raise DataError(f"{error} It holds: {others}. Name a video by its own path." if others else error) from None
        folders = sorted({file.parent for file in files})
        if path in folders:
            files = [file for file in files if file.parent == path]
        elif len(folders) > 1:
            listed = ", ".join(str(folder.relative_to(path)) for folder in folders[:4])
            raise DataError(f"{path}: has no image itself, but folders of images: {listed}. Name one of them.")
        stem, count = Counter(file.stem for file in files).most_common(1)[0]
        if count > 1:
            kinds = sorted({file.suffix for file in files})
            raise DataError(
                f"{path}: has '{stem}' in several formats ({', '.join(kinds)}). Name one of them by a pattern: "
                f"source='{files[0].parent}/*{kinds[0]}'"
            )
        return cls(path, sorted(files, key=lambda file: natural(file.name)), unit)

    @classmethod
    def matching(cls, pattern: Path, unit: str | None) -> "Folder":
        """The image files whose names match, such as `frames/*.png`.

        Raises:
            DataError: If there are none.
        """
        files = sorted((p for p in pattern.parent.glob(pattern.name) if p.is_file()), key=lambda p: natural(p.name))
        if not files:
            raise DataError(f"{pattern}: no file has such a name. Check the folder and the pattern.")
        return cls(pattern, files, unit)

    def read(self, start: int) -> Generator[StoredFrame]:
        """See `Container`."""
        for index, file in enumerate(self._files[start:], start):
            try:
                frame = StoredFrame(index, None, read_stored(file, unit=self._unit), place=file.name)
            except DataError as error:
                frame = StoredFrame(index, None, None, str(error), file.name)
            yield frame


def natural(name: str) -> list[tuple[bool, int, str]]:
    """A sorting key by which numbers count as numbers."""
    parts = re.findall(r"\d+|\D+", name.lower())
    return [(part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in parts]
