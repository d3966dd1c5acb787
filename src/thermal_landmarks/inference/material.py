"""Pictures to look at that nobody has annotated: the files of a folder, or frames of a video."""

import glob
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Protocol
from zipfile import BadZipFile

import numpy as np

from thermal_landmarks.data.annotation import ThermalImage
from thermal_landmarks.data.normalisation import encode, encoding_of
from thermal_landmarks.data.video import Video, is_camera, open_video
from thermal_landmarks.errors import ConfigError, DataError
from thermal_landmarks.inference.ahead import reason_of
from thermal_landmarks.inference.image_files import find_images
from thermal_landmarks.inference.picture_reader import PictureReader, Reading

KEPT = ".npz"
"""Suffix of a frame that was taken out of a video."""


class Material(Protocol):
    """Some pictures in a fixed order, each with a number from 0 on."""

    @property
    def places(self) -> list[str]:
        """What each picture is called in messages."""

    def facts(self) -> str:
        """Changes when a file does."""

    def images(self, start: int) -> Iterator[ThermalImage | str]:
        """The pictures from a number on, one for each place, or the reason why there is none."""

    def keep(self, number: int, image: ThermalImage, folder: Path) -> Path:
        """The file from which `load` reads the picture again; where there is none it is written into the folder."""

    def load(self, path: Path) -> ThermalImage:
        """A picture that was kept."""


def find_material(source: str | Path, *, most: int, unit: str | None, palette: str, marks: str) -> Material:
    """What a person names: a folder of pictures with its subfolders, a pattern of names, or a video.

    `most` pictures are taken, evenly spread over all. Unit, palette and marks: see `read_image` and `as_heat`.

    Raises:
        ConfigError: If it is a camera, which can't be read twice.
        DataError: If there is nothing, or nothing that can be read.
    """
    if is_camera(str(source)):
        raise ConfigError(
            f"data.unlabelled.source={source}: a camera can't be looked at twice. Record it first: "
            f"thermal-landmarks track source={source} output=FOLDER, then give FOLDER/recording.mkv."
        )
    path = Path(source).expanduser()
    if path.is_file():
        return VideoFrames(path, most=most, unit=unit, palette=palette, marks=marks)
    if not path.exists() and not glob.has_magic(str(source)):
        raise DataError(f"data.unlabelled.source={source}: no such file or folder.")
    files = find_images(str(source))
    files = [files[number] for number in _spread(len(files), most)]
    return PictureFiles(files, unit=unit, palette=palette, marks=marks)


class PictureFiles:
    """Image files; see `Material`."""

    def __init__(self, files: list[Path], *, unit: str | None, palette: str, marks: str) -> None:
        self._files = files
        self._reader = PictureReader(files, Reading(unit=unit, palette=palette, marks=marks))

    @property
    def places(self) -> list[str]:
        return [str(file) for file in self._files]

    def facts(self) -> str:
        return "\0".join(_facts(file) for file in self._files)

    def images(self, start: int) -> Iterator[ThermalImage | str]:
        for file in self._files[start:]:
            try:
                yield self.load(file)
            except Exception as error:
                yield reason_of(error, file, debug=False)

    def keep(self, number: int, image: ThermalImage, folder: Path) -> Path:
        del image, folder
        return self._files[number]

    def load(self, path: Path) -> ThermalImage:
        return self._reader(path)


class VideoFrames:
    """Frames of a video; see `Material`. Those that are kept are written once, since a film is read from its start."""

    def __init__(self, path: Path, *, most: int, unit: str | None, palette: str, marks: str = "masked") -> None:
        self._path, self._most = path, most
        self._unit, self._palette, self._marks = unit, palette, marks

    @property
    def places(self) -> list[str]:
        return [f"{self._path}, frame {number}" for number in self._numbers]

    def facts(self) -> str:
        return _facts(self._path)

    def images(self, start: int) -> Iterator[ThermalImage | str]:
        wanted = self._numbers[start:]
        if not wanted:
            return
        found = 0
        try:
            for frame in self._open().frames(wanted[0]):
                while found < len(wanted) and wanted[found] < frame.index:
                    yield f"{self._path}: frame {wanted[found]} can't be decoded."
                    found += 1
                if found == len(wanted):
                    return
                if frame.index == wanted[found]:
                    yield frame.image
                    found += 1
            reason = "is not there: the video ends before."
        except DataError as error:
            reason = f"can't be read: {error}"
        for number in wanted[found:]:
            yield f"{self._path}: frame {number} {reason}"

    def keep(self, number: int, image: ThermalImage, folder: Path) -> Path:
        path = folder / f"frame_{self._numbers[number]:06d}{KEPT}"
        encoding = encoding_of(image, (float(image.values.min()), float(image.values.max())))
        np.savez(path, values=encode(image.values, encoding), encoding=np.array(encoding), unit=np.array(image.unit))
        return path

    def load(self, path: Path) -> ThermalImage:
        try:
            with np.load(path, allow_pickle=False) as kept:
                scale, offset = kept["encoding"].astype(np.float32)
                return ThermalImage(kept["values"].astype(np.float32) * scale + offset, str(kept["unit"]))  # type: ignore[arg-type]
        except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
            raise DataError(
                f"{path}: this frame of {self._path} can't be read again ({type(error).__name__}). Remove the folder "
                f"{path.parent}: the teacher looks at the video once more."
            ) from error

    @cached_property
    def _numbers(self) -> list[int]:
        video = self._open()
        length = video.n_frames or sum(1 for _ in video)
        return _spread(length, self._most)

    def _open(self) -> Video:
        return open_video(self._path, unit=self._unit, palette=self._palette, marks=self._marks)


def _spread(length: int, most: int) -> list[int]:
    if length <= most:
        return list(range(length))
    return [int(number) for number in np.linspace(0, length - 1, most).round()]


def _facts(file: Path) -> str:
    found = file.stat()
    return f"{file.absolute()}\0{found.st_size}\0{found.st_mtime_ns}"
