"""Finding the image that an annotation means: in another folder, with another suffix, or named by another machine."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from thermal_landmarks.data.formats.images import readable_suffixes
from thermal_landmarks.data.readers.annotation_files import shortened
from thermal_landmarks.errors import DataError


class MissingImageError(DataError):
    """Why an annotation's image isn't there.

    Attributes:
        image: Where it would be, for a list of findings.
    """

    def __init__(self, message: str, image: Path) -> None:
        super().__init__(message)
        self.image = image


class ImageFinder:
    """Images by name without suffix; each folder is listed once."""

    def __init__(self) -> None:
        self._by_folder: dict[Path, dict[str, Path]] = {}

    def find(self, folders: Sequence[Path], name: str, remedy: str) -> Path | MissingImageError:
        """The first image of that name, whatever its suffix, in the first folder that has one; else why there is none.

        `remedy` is the message's sentence on what to do.
        """
        for folder in folders:
            if folder not in self._by_folder:
                self._by_folder[folder] = _images_by_stem(folder)
            if found := self._by_folder[folder].get(name):
                return found
        places = " or ".join(map(str, folders))
        return MissingImageError(f"no image named {name} in {places}. {remedy}", folders[0] / name)


class NamedImages:
    """Images by the names that an annotation file gives them, in the folders that annotation tools use.

    A name may have been written under Windows (`C:\\faces\\a.png`) or for a browser (`my%20face.png`,
    `/data/local-files/?d=faces/a.png`); a folder of another machine in front of it is left out where that leads to a
    file. Without a folder, images are beside the file, in `images` beside it (Label Studio), the same one folder up
    (COCO, CVAT), each also with the subset that the file's name ends with (`person_keypoints_default.json`).
    """

    def __init__(self, file: Path, folder: Path | None) -> None:
        self.folders = [folder] if folder is not None else list(dict.fromkeys(_usual_folders(file)))
        self._by_tail: dict[Path, str] = {}

    def find(self, name: str) -> Path | MissingImageError:
        """The image of that name, or why there is none.

        Raises:
            DataError: If its file has been found for another name, too.
        """
        spellings = list(dict.fromkeys(_spellings(name)))
        for spelling in spellings:
            if found := self._existing(spelling):
                return found
        for spelling in spellings:
            parts = [part for part in spelling.split("/") if part not in ("", ".", "..")]
            for start in range(1 - (spelling.startswith(("/", "."))), len(parts)):
                if found := self._existing("/".join(parts[start:])):
                    other = self._by_tail.setdefault(found, name)
                    if other != name:
                        raise DataError(
                            f"{found}: is found both for the name '{shortened(other)}' and for '{shortened(name)}'. "
                            "Set data.source.image_dir to the folder that these names start from."
                        )
                    return found
        places = ", ".join(str(folder) for folder in self.folders if folder.is_dir()) or self.folders[0]
        return MissingImageError(
            f"no image '{shortened(name)}'. Looked in {places}.", self.folders[0] / shortened(name)
        )

    def _existing(self, name: str) -> Path | None:
        for folder in self.folders:
            try:
                if (folder / name).is_file():
                    return folder / name
            except (OSError, ValueError):  # a name that no file can have
                continue
        return None


def _usual_folders(file: Path) -> Iterator[Path]:
    subset = file.stem.rpartition("_")[2]
    for folder in (file.parent, file.parent.parent):
        yield from (folder, folder / "images", folder / "images" / subset, folder / subset)


def _spellings(name: str) -> Iterator[str]:
    yield name
    slashed = name.replace("\\", "/")
    if len(slashed) > 2 and slashed[1] == ":":
        slashed = slashed[2:]
    yield slashed
    yield unquote(slashed)
    try:
        address = urlsplit(slashed)
    except ValueError:
        return
    yield from parse_qs(address.query).get("d", [])
    if address.scheme or address.query:
        yield unquote(address.path)


def _images_by_stem(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        return {}
    order = {suffix: rank for rank, suffix in enumerate(readable_suffixes())}
    images = [p for p in folder.iterdir() if p.suffix.lower() in order]
    # written last wins: the suffix that is listed first
    return {p.stem: p for p in sorted(images, key=lambda p: (-order[p.suffix.lower()], p.name))}
