"""What a trained network says of pictures that nobody has annotated, picture by picture in a file that can be gone on
with: each is looked at once, whatever is kept of it later.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32

from thermal_landmarks.data.cache_files import only_one
from thermal_landmarks.errors import ConfigError, DataError
from thermal_landmarks.inference.finder import Finder
from thermal_landmarks.inference.material import Material
from thermal_landmarks.inference.predictor import Predictor
from thermal_landmarks.long_work import counting
from thermal_landmarks.models.checkpoint import find_checkpoint, find_finder

_VERSION = 1  # raise when a teacher would say something else of the same picture


class TaughtFace(NamedTuple):
    """A face as the teacher sees it."""

    points_px: Float32[np.ndarray, "point 2"]  # in pixels of the picture
    point_confidence: Float32[np.ndarray, " point"]  # that each is in the picture, visible and right
    confidence: float  # that this is a face whose landmarks are right


class Seen(NamedTuple):
    """What the teacher says of one picture."""

    file: str  # from which the picture can be loaded; empty where it has no face or can't be read
    faces: tuple[TaughtFace, ...]
    failure: str  # why the picture can't be read, or nothing


class Teacher:
    """A network and a finder that look at each picture from all sides: crops of several sizes, and their mirror images.

    Both are shipped ones by their names, checkpoint files or folders of runs; `finder=None`: the shipped one.
    """

    def __init__(self, checkpoint: str | Path, *, finder: str | Path | None, device: str) -> None:
        self._checkpoint, self._finder, self._device = checkpoint, finder, device

    @property
    def fingerprint(self) -> str:
        """Changes with the weights of the network and of the finder.

        Raises:
            ConfigError: If there is no such network or finder.
        """
        digest = hashlib.blake2b(str(_VERSION).encode(), digest_size=16)
        try:
            files = find_checkpoint(self._checkpoint), find_finder(self._finder)
        except ConfigError as error:
            raise ConfigError(f"data.unlabelled, teacher={self._checkpoint} finder={self._finder}: {error}") from error
        for file in files:
            digest.update(file.read_bytes())
        return digest.hexdigest()

    def look_at(self, material: Material, folder: Path) -> list[Seen]:
        """What it says of every picture; what stands in the folder already is not looked at again.

        Raises:
            OutputError: If the folder can't be written.
        """
        with only_one(folder):
            folder.mkdir(exist_ok=True)
            file = folder / "faces.jsonl"
            seen = _whole_lines(file)
            places = material.places
            if len(seen) < len(places):
                with file.open("a", encoding="utf-8") as lines, counting("Looking for faces", len(places)) as done:
                    done(len(seen))
                    for each in self._looks(material, folder, len(seen)):
                        lines.write(json.dumps(_plain(each)) + "\n")
                        lines.flush()
                        seen.append(each)
                        done(1)
        return seen

    def _looks(self, material: Material, folder: Path, start: int) -> Iterator[Seen]:
        predictor = Predictor.from_checkpoint(self._checkpoint, device=self._device, flip_tta=True, speed="exact")
        if predictor.preprocessing.crop.mode == "align":
            raise ConfigError(
                f"data.unlabelled.teacher={self._checkpoint}: it was trained on faces aligned by five points, which "
                "nobody has for these pictures. Give another network."
            )
        if self._finder is not None:
            predictor.finder = Finder.from_checkpoint(self._finder, device=predictor.device)
        for number, image in enumerate(material.images(start), start):
            try:
                found = [] if isinstance(image, str) else predictor.faces(image)
            except DataError as error:
                image = f"{material.places[number]}: {error}"
            if isinstance(image, str):
                yield Seen("", (), image)
                continue
            faces = tuple(TaughtFace(f.points_px, f.point_confidence, f.confidence) for f in found)
            yield Seen(str(material.keep(number, image, folder)) if faces else "", faces, "")


def _whole_lines(file: Path) -> list[Seen]:
    """What a file holds; a last line that was cut off when the program ended is removed."""
    if not file.exists():
        return []
    seen, whole = [], 0
    for line in file.read_bytes().splitlines(keepends=True):
        try:
            seen.append(_seen(json.loads(line)))
        except (ValueError, KeyError, TypeError):
            break
        whole += len(line)
    os.truncate(file, whole)
    return seen


def _plain(seen: Seen) -> dict[str, object]:
    faces = [
        {
            "points_px": face.points_px.tolist(),  # every digit, so that what is read again is the same
            "point_confidence": face.point_confidence.tolist(),
            "confidence": face.confidence,
        }
        for face in seen.faces
    ]
    return {"file": seen.file, "faces": faces, "failure": seen.failure}


def _seen(plain: dict[str, object]) -> Seen:
    faces = [
        TaughtFace(
            np.array(face["points_px"], dtype=np.float32),
            np.array(face["point_confidence"], dtype=np.float32),
            float(face["confidence"]),
        )
        for face in plain["faces"]  # type: ignore[attr-defined]
    ]
    return Seen(str(plain["file"]), tuple(faces), str(plain["failure"]))
