"""Annotated pictures as scenes: a finder learns from every face of each, and from pictures that show none."""

import hashlib
from collections.abc import Sequence
from typing import Literal, NamedTuple

import lightning as L
import numpy as np

from thermal_landmarks.data.annotation import Annotation, Source, Unit, by_image
from thermal_landmarks.data.face_frames import annotated_box
from thermal_landmarks.data.readers.base import FileReader
from thermal_landmarks.data.schemes import Scheme, get_scheme
from thermal_landmarks.errors import DataError

_SHOWN = 10


class AnnotatedFace(NamedTuple):
    """What a finder learns of a face; see `thermal_faces.SceneFace`."""

    box_px: tuple[float, ...]
    angle_deg: float
    hidden: float = 0.0
    is_face: bool = True


class AnnotatedScene(NamedTuple):
    """A picture and its faces; see `thermal_faces.RenderedScene`."""

    values: np.ndarray
    unit: Unit
    faces: tuple[AnnotatedFace, ...]


class AnnotatedScenes:
    """The pictures of a data set as a `store.SceneSource`.

    A face's box is the one that the shipped finder would give it, by its landmarks; where there are none it is the
    annotated box, and the face upright. Pictures that a reader lists without a face (`FileReader.faceless`) are scenes
    too. Regions that a reader has to ignore (`FileReader.ignored`) are heads that may be found or not. A face of which
    neither box nor landmarks tell where it is is an error, or its whole picture is left out (`skip`), since it must not
    be learned as background.

    Raises:
        DataError: If there is such a face, or no picture is left.
    """

    def __init__(self, source: Source, *, on_bad_item: Literal["error", "skip"] = "error") -> None:
        self.source = source
        scheme = get_scheme(source.scheme)
        annotations = list(source.annotations())
        unknown = [annotation for annotation in annotations if annotated_box(annotation, scheme) is None]
        if unknown:
            listed = "\n".join(f"  {a.image} ({a.location})" for a in unknown[:_SHOWN])
            said = f"{len(unknown)} face(s) with neither a box nor two landmarks:\n{listed}"
            if on_bad_item == "error":
                raise DataError(f"{said}\nAnnotate them, or leave their pictures out by data.on_bad_item=skip.")
            L.pytorch.utilities.rank_zero_warn(said)
        left_out = {annotation.image for annotation in unknown}
        self._scenes = [faces for image, faces in by_image(annotations).items() if image not in left_out]
        self._empty = list(source.faceless) if isinstance(source, FileReader) else []
        self._ignored = source.ignored if isinstance(source, FileReader) else {}
        if not self._scenes:
            raise DataError(f"{type(source).__name__}: no picture with a usable face is left.")

    def __len__(self) -> int:
        return len(self._scenes) + len(self._empty)

    @property
    def subjects(self) -> list[str]:
        """The subject of each scene: that of its first face."""
        return [faces[0].subject for faces in self._scenes] + [empty.subject for empty in self._empty]

    def render(self, index: int) -> AnnotatedScene:
        """A picture and its faces.

        Raises:
            DataError: If the picture can't be read.
        """
        has_faces = index < len(self._scenes)
        annotations = self._scenes[index] if has_faces else [self._empty[index - len(self._scenes)]]
        image = self.source.load(annotations[0])
        faces = _faces(annotations, get_scheme(self.source.scheme)) if has_faces else ()
        regions = (AnnotatedFace(box, 0.0, is_face=False) for box in self._ignored.get(annotations[0].image, ()))
        return AnnotatedScene(image.values, image.unit, (*faces, *regions))

    def fingerprint(self) -> str:
        """Changes with the data set, and with what is left out of it."""
        names = [str(faces[0].image) for faces in self._scenes] + [str(empty.image) for empty in self._empty]
        key = "\0".join([self.source.fingerprint(), *names])
        return hashlib.blake2b(key.encode(errors="surrogatepass"), digest_size=16).hexdigest()


def _faces(annotations: Sequence[Annotation], scheme: Scheme) -> tuple[AnnotatedFace, ...]:
    found = [annotated_box(annotation, scheme) for annotation in annotations]
    return tuple(AnnotatedFace(tuple(box.tolist()), float(np.rad2deg(angle))) for box, angle in filter(None, found))
