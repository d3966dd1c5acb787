"""What all file readers share: loading images, the fingerprint, subjects, and records that can't be used."""

import hashlib
import json
import logging
import os
import re
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from thermal_landmarks.data.annotation import Annotation, ThermalImage
from thermal_landmarks.data.formats.fluke import find_counts_table
from thermal_landmarks.data.formats.images import read_image
from thermal_landmarks.data.paths import PATHS
from thermal_landmarks.data.readers.annotation_files import shortened
from thermal_landmarks.data.readers.image_folder import MissingImageError
from thermal_landmarks.data.schemes import get_scheme, schemes_of
from thermal_landmarks.errors import ConfigError, DataError, UserError

_log = logging.getLogger(__name__)

_FARTHEST_PX = 1e7
_LONGEST_NAME = 255  # bytes of a file's name, on every usual file system
_FAULT, _UNIT, _WIDTH, _HEIGHT = "fault", "unit", "image_width", "image_height"  # keys of Annotation.attributes

Attributes = dict[str, str | float | bool]
Box = tuple[float, float, float, float]  # x_min, y_min, x_max, y_max in pixels
WHOLE_PICTURE: Box = (-_FARTHEST_PX, -_FARTHEST_PX, _FARTHEST_PX, _FARTHEST_PX)


class Marks(NamedTuple):
    """What a record says of one face."""

    points_px: np.ndarray  # (N, 2), x and y in pixels, pixel centres at integers; NaN where missing
    box_px: Box | None = None
    visible: np.ndarray | None = None  # bool (N,)
    attributes: Attributes | None = None


@dataclass(kw_only=True, eq=False)
class FileReader(ABC):
    """A `Source` that reads annotation files; a new format is a dataclass of its settings that implements `_parse`.

    A file that can't be read at all is an error in `annotations`; whatever goes wrong in `_parse`, it is a `DataError`
    that names the place last given to `_at`. A single record that can't be used (a wrong number of points, an
    unreadable line, a name that no file can have) stays in the list, without points, and is an error when its image is
    loaded, so that the data check lists it and training refuses it or skips it, as its settings say.

    Raises:
        ConfigError: If there is no such scheme, or the pattern is no regular expression with a group.
    """

    scheme: str  # landmark scheme of the annotations, its points in its order
    unit: str | None = None  # what the stored image values mean (`images.UNITS`, `counts`); None: what the files say
    # Regular expression, searched in the image's path below the data set's folder; its first group is the subject.
    # None: what the format says about subjects
    subject_pattern: str | None = None
    _place = "the data set"  # what is read next, see `_at`

    def __post_init__(self) -> None:
        self.scheme = get_scheme(self.scheme).name
        for name, value in self._settings.items():
            if name in PATHS and value is not None:
                setattr(self, name, Path(value))
        self._pattern = _compiled(self.subject_pattern)

    @property
    def _settings(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if not name.startswith("_")}

    @property
    def _num_points(self) -> int:
        return get_scheme(self.scheme).num_points

    @abstractmethod
    def _parse(self) -> list[Annotation]:
        """Read the annotation files; a record becomes an annotation by `_face`."""

    def annotations(self) -> Sequence[Annotation]:
        """All annotations, in a stable order; read once."""
        return self._annotations

    @property
    def faceless(self) -> Sequence[Annotation]:
        """The pictures that are listed without a face, as annotations without points and box."""
        assert self._annotations  # reading them finds these, too
        return self._faceless

    @property
    def ignored(self) -> Mapping[Path, Sequence[Box]]:
        """Regions that are neither face nor background: crowds, and faces that were marked as not to be judged."""
        assert self._annotations  # reading them finds these, too
        return self._ignored

    def load(self, annotation: Annotation) -> ThermalImage:
        """The image of one annotation."""
        stated = annotation.attributes
        if _FAULT in stated:
            raise DataError(str(stated[_FAULT]))
        try:
            image = read_image(annotation.image, unit=str(stated[_UNIT]) if _UNIT in stated else self.unit)
        except ConfigError as error:
            if _UNIT not in stated:  # the setting is wrong, not this record
                raise
            raise DataError(f"{annotation.location}: {error}") from error
        height, width = image.values.shape
        expected = (stated.get(_WIDTH, width), stated.get(_HEIGHT, height))
        if expected != (width, height):
            raise DataError(
                f"{annotation.image}: {width} x {height} pixels, but {annotation.location} is for "
                f"{expected[0]:g} x {expected[1]:g}. Give the image that was annotated, or scale the points."
            )
        return image

    def fingerprint(self) -> str:
        """Hash of settings, annotations, and path, size and time of change of images and their temperature tables."""
        settings = {name: str(value) for name, value in self._settings.items()}
        digest = hashlib.blake2b(json.dumps([type(self).__name__, settings]).encode(), digest_size=16)
        for annotation in self._annotations:
            digest.update(annotation.points_px.astype(np.float32).tobytes())
            digest.update(repr((annotation.subject, annotation.box_px, annotation.attributes)).encode())
            if annotation.visible is not None:
                digest.update(np.packbits(annotation.visible).tobytes())
        if self._ignored:
            digest.update(repr(sorted(self._ignored.items())).encode(errors="surrogatepass"))
        images = dict.fromkeys(annotation.image for annotation in self._annotations)
        tables = dict.fromkeys(find_counts_table(image) for image in images if image.suffix.lower() == ".is2")
        for file in [*images, *filter(None, tables)]:
            try:
                found = file.stat()
                facts = f"{found.st_size}\0{found.st_mtime_ns}"
            except OSError:
                facts = "missing"
            digest.update(f"{file}\0{facts}".encode(errors="surrogatepass"))
        return digest.hexdigest()

    def __getstate__(self) -> dict[str, Any]:
        # worker processes load images; they need no copy of all annotations
        return {k: v for k, v in self.__dict__.items() if k not in ("_annotations", "_faceless", "_ignored", "_place")}

    @cached_property
    def _annotations(self) -> list[Annotation]:
        self._faceless: list[Annotation] = []
        self._ignored: defaultdict[Path, list[Box]] = defaultdict(list)
        try:
            found = self._parse()
        except UserError:
            raise
        except Exception as error:
            raise DataError(
                f"{self._place}: can't be read ({type(error).__name__}: {shortened(error)}). Fix or remove it."
            ) from error
        if not found:
            settings = ", ".join(f"{name}={value}" for name, value in self._settings.items() if value is not None)
            raise DataError(f"{type(self).__name__} ({settings}): no annotation found. Check the paths.")
        faults = [str(a.attributes[_FAULT]) for a in found if _FAULT in a.attributes]
        if faults:
            _log.warning("%d of %d annotations can't be used, first: %s", len(faults), len(found), faults[0])
        return found

    def _at(self, place: str | Path) -> str:
        """Keep which file or record is read next, for the message of a failure; gives it back as text."""
        self._place = str(place)
        return self._place

    def _face(
        self, image: Path | MissingImageError, subject: str, location: str | Path, read: Callable[[], Marks]
    ) -> Annotation:
        """The annotation of a record; a faulty one, which `load` refuses, if reading fails or it can't be a face's.

        A `DataError` of `read`, which gives what the record says, is the finding, as it stands or behind `location`.
        """
        place = _encodable(self._at(location))
        subject = _encodable(subject)
        try:
            if isinstance(image, MissingImageError):
                raise image
            if impossible := _impossible_name(image):
                image = Path(shortened(image))
                raise DataError(f"{impossible} ({image}). Fix it.")
            marks = read()
            points = self._checked(marks)
        except DataError as error:
            finding = str(error).removeprefix(place).lstrip(":, ")
        except ValueError as error:
            finding = f"{shortened(error)}. Fix or remove the record."
        else:
            return Annotation(image, points, subject, marks.visible, marks.box_px, place, marks.attributes or {})
        image = Path(_encodable(str(image.image))) if isinstance(image, MissingImageError) else image
        return Annotation(image, self._no_points(), subject, None, None, place, {_FAULT: f"{place}: {finding}"})

    def _checked(self, marks: Marks) -> np.ndarray:
        """The points in float32, if they and the box can be those of a face."""
        with np.errstate(over="ignore"):  # what float32 can't hold becomes infinite
            points = np.asarray(marks.points_px, dtype=np.float32).reshape(-1, 2)
        if len(points) != self._num_points:
            raise DataError(
                f"{len(points)} landmarks, but scheme '{self.scheme}' has {self._num_points}. Set data.source.scheme "
                f"to that which the data set is annotated in, or fix the record.{schemes_of(len(points))}"
            )
        farthest = np.abs(points[~np.isnan(points)]).max(initial=0)
        if farthest > _FARTHEST_PX:
            raise DataError(f"a coordinate of {farthest:.4g} pixels is in no image. Fix or remove it.")
        present = np.isfinite(points).all(axis=1, keepdims=True)  # half a point is no point
        if marks.box_px is None and not present.any():
            raise DataError("no landmark is annotated. Annotate or remove it.")
        if marks.box_px is not None and not _has_area(marks.box_px):
            raise DataError("the face box has no area. Fix it.")
        return np.where(present, points, np.float32(np.nan))

    def _without_face(self, image: Path, subject: str, location: str, attributes: Attributes | None = None) -> None:
        """Keep a picture that is listed without a face."""
        self._faceless.append(Annotation(image, self._no_points(), subject, None, None, location, attributes or {}))

    def _ignore(self, image: Path, box_px: Box | None) -> None:
        """Keep a region that is not to be judged; without a box it may be anywhere in the picture."""
        self._ignored[image].append(box_px if box_px is not None and _has_area(box_px) else WHOLE_PICTURE)

    def _no_points(self) -> np.ndarray:
        return np.full((self._num_points, 2), np.nan, dtype=np.float32)

    def _subject(self, relative: str, default: str) -> str:
        """The subject that `subject_pattern` finds in an image's path, or the default without a pattern.

        Raises:
            DataError: If the pattern doesn't match.
        """
        if self._pattern is None:
            return default
        match = self._pattern.search(relative)
        if match is None:
            raise DataError(
                f"{relative}: subject_pattern '{self.subject_pattern}' doesn't match this image's path. "
                "Widen the pattern."
            )
        return match[1]

    def _warn_each_image_its_own_subject(self, count: int, remedy: str) -> None:
        if count and self._pattern is None:
            _log.warning(
                "%s: no subject is given for %d image(s); each counts as a person of its own, so that the same person "
                "may be in the training and the test set. %s",
                type(self).__name__,
                count,
                remedy,
            )


def stated_size(width: object, height: object) -> Attributes:
    """Attributes that let `FileReader.load` compare the image with the size that its annotation states."""
    sizes = [v for v in (width, height) if isinstance(v, int | float) and not isinstance(v, bool) and 0 < v < 1e9]
    return {_WIDTH: float(sizes[0]), _HEIGHT: float(sizes[1])} if len(sizes) == 2 else {}


def stated_unit(unit: object) -> Attributes:
    """Attributes that let `FileReader.load` read the image in a unit of its own."""
    return {_UNIT: shortened(unit, 40)} if isinstance(unit, str) and unit else {}


def _impossible_name(image: Path) -> str:
    """Why no file can have this name; nothing where one can."""
    if "\0" in str(image):
        return "the image's name has a NUL character"
    try:
        longest = max((len(os.fsencode(part)) for part in image.parts), default=0)
    except UnicodeEncodeError:
        return "the image's name is no text"
    return f"a part of the image's name has {longest} bytes, more than 255" if longest > _LONGEST_NAME else ""


def _encodable(text: str) -> str:
    return text.replace("\0", "\\0").encode("utf-8", "backslashreplace").decode()


def _has_area(box_px: Box) -> bool:
    left, top, right, bottom = box_px
    return bool(np.isfinite(box_px).all()) and left < right and top < bottom


def _compiled(pattern: str | None) -> re.Pattern[str] | None:
    if pattern is None:
        return None
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise ConfigError(f"subject_pattern '{pattern}' is not a regular expression ({error}).") from error
    if compiled.groups < 1:
        raise ConfigError(f"subject_pattern '{pattern}' has no group. Put parentheses around the subject's part.")
    return compiled
