"""Pictures without labels as training data: a trained network, the teacher, writes the landmarks.

Data distillation (Radosavovic et al. 2018, arXiv 1712.04440): the teacher's predictions on several views of a picture
are averaged, those that it isn't sure of are left out, and a student learns from them beside labelled pictures. There
the threshold on the score keeps as many faces a picture as labelled ones have; here it is a probability that was
calibrated on rendered faces (`confidence`).
"""

import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from thermal_landmarks.data.annotation import Annotation, ThermalImage
from thermal_landmarks.errors import ConfigError, DataError
from thermal_landmarks.inference.material import Material, find_material

_log = logging.getLogger(__name__)

_LEAST_POINTS = 3  # of a face that is kept: fewer say too little of where it is and how it is turned


@dataclass(kw_only=True)
class UnlabelledPictures:
    """Faces that a teacher is sure of, as a `Source`; settings: `conf/experiment/recipes/fine_tune_unlabelled.yaml`."""

    source: str | Path
    teacher: str | Path
    cache_dir: str | Path
    min_confidence: float = 0.8
    min_point_confidence: float = 0.5
    most: int = 1000
    finder: str | Path | None = None
    unit: str | None = None
    palette: str = "auto"
    marks: str = "masked"
    device: str = "auto"

    framed = True
    """Each face is shown in a frame of its own, as `predict` shows it to the network."""

    def __post_init__(self) -> None:
        for name in ("min_confidence", "min_point_confidence"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(f"data.unlabelled.{name}={getattr(self, name)} is a probability, from 0 to 1.")
        if self.most < 1:
            raise ConfigError(f"data.unlabelled.most={self.most} must be at least 1.")

    @cached_property
    def scheme(self) -> str:
        """Of the teacher's landmarks."""
        from thermal_landmarks.models.checkpoint import load_checkpoint  # processes that load pictures do without torch

        return load_checkpoint(self.teacher).scheme.name

    def annotations(self) -> Sequence[Annotation]:
        """The faces that the teacher is sure of.

        Raises:
            DataError: If no picture can be read, or in none of them there is a face that the teacher is sure of.
        """
        from thermal_landmarks.inference.teacher import Seen, Teacher

        teacher = Teacher(self.teacher, finder=self.finder, device=self.device)
        key = [teacher.fingerprint, self._material.facts(), self._looked_at()]
        seen = teacher.look_at(self._material, Path(self.cache_dir) / f"taught-{_digest(key)}")

        name = Path(self.teacher).name  # folders of this machine don't belong in a checkpoint

        def kept(place: str, of: Seen) -> list[Annotation]:
            faces = []
            for number, face in enumerate(of.faces):
                sure = face.point_confidence >= self.min_point_confidence
                if face.confidence >= self.min_confidence and sure.sum() >= min(_LEAST_POINTS, len(sure)):
                    points = np.where(sure[:, None], face.points_px, np.float32(np.nan))
                    says: dict[str, str | float | bool] = {"teacher": name, "confidence": face.confidence}
                    where = f"{place}, face {number + 1}"
                    faces.append(Annotation(Path(of.file), points, "unlabelled", location=where, attributes=says))
            return faces

        found = [face for place, of in zip(self._material.places, seen, strict=True) for face in kept(place, of)]
        self._tell(found, sum(len(of.faces) for of in seen), [of.failure for of in seen if of.failure], len(seen))
        return found

    def load(self, annotation: Annotation) -> ThermalImage:
        """The picture of a face."""
        return self._material.load(annotation.image)

    def fingerprint(self) -> str:
        """Changes with the pictures, the teacher, the finder and the settings that say what is kept."""
        from thermal_landmarks.inference.teacher import Teacher

        teacher = Teacher(self.teacher, finder=self.finder, device=self.device).fingerprint
        bounds = [self.min_confidence, self.min_point_confidence]
        return _digest([teacher, self._material.facts(), self._looked_at(), bounds])

    @cached_property
    def _material(self) -> Material:
        return find_material(self.source, most=self.most, unit=self.unit, palette=self.palette, marks=self.marks)

    def _looked_at(self) -> list[object]:
        return [self.most, self.unit, self.palette, self.marks]

    def _tell(self, kept: Sequence[Annotation], found: int, failures: Sequence[str], pictures: int) -> None:
        """Say how much there is.

        Raises:
            DataError: If it is nothing.
        """
        if failures:
            _log.warning(
                "data.unlabelled: %d of %d pictures can't be read, first: %s", len(failures), pictures, failures[0]
            )
        if len(failures) == pictures:
            raise DataError(f"data.unlabelled.source={self.source}: none of its {pictures} picture(s) can be read.")
        if not found:
            raise DataError(
                f"data.unlabelled.source={self.source}: no face is found in any of {pictures} picture(s). Look at "
                "them with `thermal-landmarks predict` (a video: `track`); are unit= and palette= right?"
            )
        if not kept:
            raise DataError(
                f"data.unlabelled.source={self.source}: {found} face(s) are found, but the teacher is sure of none. "
                f"Lower data.unlabelled.min_confidence={self.min_confidence}, or give another teacher."
            )
        if len(kept) < found:
            unsure = found - len(kept)
            _log.warning("data.unlabelled: %d of %d faces are left out: the teacher is unsure.", unsure, found)


def _digest(key: Sequence[object]) -> str:
    return hashlib.blake2b(json.dumps(key).encode(errors="surrogatepass"), digest_size=8).hexdigest()
