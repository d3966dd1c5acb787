"""What a data set's check finds about images that are there twice, and about images with several faces."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from thermal_landmarks.data.annotation import Annotation, by_image
from thermal_landmarks.data.check_report import Finding, finding_at
from thermal_landmarks.data.face_frames import annotated_box
from thermal_landmarks.data.schemes import Scheme


def duplicated_images(annotations: Sequence[Annotation], digests: Sequence[str | None]) -> Iterator[Finding]:
    """Image files with the same values, by a digest of each annotation's image; None where it can't be read."""
    by_content: dict[str, dict[Path, Annotation]] = defaultdict(dict)
    for annotation, digest in zip(annotations, digests, strict=True):
        if digest is not None:
            by_content[digest].setdefault(annotation.image, annotation)
    for copies in by_content.values():
        first, *others = copies.values()
        for other in others:
            same = f"the same image as {first.image}"
            if other.subject == first.subject:
                yield finding_at("warning", "duplicate", other, f"{same}. It counts twice; remove one.")
            else:
                reason = (
                    f"{same}, but subject '{other.subject}' instead of '{first.subject}'. It could be in the training "
                    "and the test set; remove one or fix the subject."
                )
                yield finding_at("error", "duplicate", other, reason)


def shared_images(annotations: Sequence[Annotation], framed: Scheme | None) -> Iterator[Finding]:
    """Images with several faces: of two subjects, annotated twice, or which can't be shown each in a frame of its own.

    The latter where `framed` is their scheme; see `face_frames.frames_of_faces`.
    """
    for faces in by_image(annotations).values():
        first = faces[0]
        for other in faces[1:]:
            if other.subject != first.subject:
                reason = (
                    f"{other.image} shows subject '{other.subject}', and also '{first.subject}' ({first.location}). It "
                    "could be in the training and the test set; give both faces one subject, or remove one."
                )
                yield finding_at("error", "shared image", other, reason)
        if framed is None or len(faces) == 1:
            continue
        for number, face in enumerate(faces):
            if double := next((f for f in faces[:number] if _is_same_face(f, face)), None):
                reason = f"the same face as {double.location}. It counts twice; remove one."
                yield finding_at("error", "duplicate", face, reason)
            if annotated_box(face, framed) is None:
                reason = (
                    f"one of {len(faces)} faces in {first.image}, without box and with too few landmarks to cut a "
                    "frame around it. Annotate its box, or two landmarks."
                )
                yield finding_at("error", "several faces", face, reason)


def _is_same_face(one: Annotation, other: Annotation) -> bool:
    return one.box_px == other.box_px and np.array_equal(one.points_px, other.points_px, equal_nan=True)
