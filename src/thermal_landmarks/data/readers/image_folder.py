"""Finding the image that belongs to an annotation file in another folder or with another suffix."""

from collections.abc import Iterable
from pathlib import Path

from thermal_landmarks.data.formats.images import readable_suffixes


class ImageFinder:
    """Images by name without suffix; each folder is listed once."""

    def __init__(self) -> None:
        self._by_folder: dict[Path, dict[str, Path]] = {}

    def find(self, folders: Iterable[Path], stem: str) -> Path | None:
        """The first image of that name, whatever its suffix, in the first folder that has one."""
        for folder in folders:
            if folder not in self._by_folder:
                self._by_folder[folder] = _images_by_stem(folder)
            found = self._by_folder[folder].get(stem)
            if found is not None:
                return found
        return None


def _images_by_stem(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        return {}
    order = {suffix: rank for rank, suffix in enumerate(readable_suffixes())}
    images = [p for p in folder.iterdir() if p.suffix.lower() in order]
    # written last wins: the suffix that is listed first
    return {p.stem: p for p in sorted(images, key=lambda p: (-order[p.suffix.lower()], p.name))}
