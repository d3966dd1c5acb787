"""The annotated faces of a data set with a network's predictions, found as `predict` finds them."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from thermal_landmarks.data.annotation import Annotation, Source, ThermalImage
from thermal_landmarks.data.schemes import Scheme, get_scheme
from thermal_landmarks.errors import ConfigError, DataError
from thermal_landmarks.inference.calibration.leave_one_out import Faces
from thermal_landmarks.inference.predictor import Predictor
from thermal_landmarks.long_work import counting

_NEAR = 0.5  # of the annotated face's extent: so far from its middle lies that of the same face's prediction, at most


class AnnotatedFaces(NamedTuple):
    """What was read of a data set."""

    faces: Faces  # with their predictions
    skipped: list[str]  # why others are not among them


def predict_annotated(predictor: Predictor, source: Source, *, skip_bad_items: bool = False) -> AnnotatedFaces:
    """Predict each annotated face of a data set, whose scheme needs to share landmarks with the network's.

    A network that looks at whole images is shown the faces that the finder finds, and the whole image where it finds
    none at the annotated place; one that was trained on crops is given the annotated boxes.

    `skip_bad_items`: an unreadable image is named instead of ending all.

    Raises:
        ConfigError: If the data's scheme has none of the network's landmarks.
        DataError: If an image can't be read, or no face is annotated.
    """
    theirs, ours = get_scheme(source.scheme), predictor.scheme
    shared = shared_landmarks(theirs, ours)
    predicted, annotated, subjects, lengths, names, skipped = [], [], [], [], [], []
    looked_at: tuple[Path, list[np.ndarray]] | None = None
    annotations = source.annotations()
    with counting("Predicting", len(annotations)) as done:
        for annotation in annotations:
            done(1)
            points = np.full((ours.num_points, 2), np.nan)
            points[shared[:, 1]] = annotation.points_px[shared[:, 0]]
            if not np.isfinite(points).all(axis=1).any():
                skipped.append(f"{annotation.image} ({annotation.location}): no landmark is annotated")
                continue
            try:
                image = source.load(annotation)
                if predictor.preprocessing.crop.mode == "none":
                    if looked_at is None or looked_at[0] != annotation.image:  # several faces in one image
                        looked_at = annotation.image, [face.points_px for face in predictor.faces(image, min_score=0.0)]
                    found = _at_the_place(predictor, image, looked_at[1], points)
                else:
                    found = _in_the_box(predictor, image, annotation)
            except DataError as error:
                if not skip_bad_items:
                    raise
                skipped.append(str(error))
                continue
            predicted.append(found)
            annotated.append(points)
            subjects.append(annotation.subject)
            lengths.append(_length(annotation, theirs, found, ours))
            names.append(str(annotation.image))
    if not predicted:
        raise DataError("The data set has no face with an annotated landmark to calibrate on.")
    faces = Faces(np.stack(predicted), np.stack(annotated), subjects, np.array(lengths), names)
    return AnnotatedFaces(faces, skipped)


def shared_landmarks(theirs: Scheme, ours: Scheme) -> np.ndarray:
    """Indices (landmark, 2) of each landmark that two schemes share, in the first and in the second.

    Raises:
        ConfigError: If they share none.
    """
    pairs = [(theirs.ibug68.index(n), i) for i, n in enumerate(ours.ibug68) if n in theirs.ibug68]
    if not pairs:
        raise ConfigError(
            f"Data in scheme '{theirs.name}' can't calibrate a network of scheme '{ours.name}': they share no landmark."
        )
    return np.array(pairs)


def _at_the_place(
    predictor: Predictor, image: ThermalImage, found: list[np.ndarray], annotated: Float[np.ndarray, "point 2"]
) -> np.ndarray:
    """Of the faces found in an image the annotated one, else what the network sees in the whole image."""
    known = np.isfinite(annotated).all(axis=1)
    middle = annotated[known].mean(axis=0)
    distances = [float(np.linalg.norm(points[known].mean(axis=0) - middle)) for points in found]
    extents = [float(np.ptp(points, axis=0).max()) for points in found]
    near = [d for d, extent in zip(distances, extents, strict=True) if d < _NEAR * extent]
    return found[distances.index(min(near))] if near else predictor(image)


def _in_the_box(predictor: Predictor, image: ThermalImage, annotation: Annotation) -> np.ndarray:
    x, y = annotation.points_px.T
    around = (float(np.nanmin(x)), float(np.nanmin(y)), float(np.nanmax(x)), float(np.nanmax(y)))
    return predictor(image, boxes_px=annotation.box_px or around, five_points_px=annotation.five_points_px)


def _length(annotation: Annotation, theirs: Scheme, found: np.ndarray, ours: Scheme) -> float:
    """The distance of the outer eye corners, as annotated or else as predicted; else the face's extent."""
    for points, scheme in ((annotation.points_px, theirs), (found, ours)):
        if (corners := scheme.outer_eye_corners) is not None:
            distance = float(np.linalg.norm(points[corners[0]] - points[corners[1]]))
            if distance > 0:  # False for NaN
                return distance
    return max(float(np.ptp(found, axis=0).max()), 1e-6)
