"""All faces of an image with their landmarks and confidence: find, cut a frame around each, look closely."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float, Float32

from thermal_landmarks.data.annotation import ThermalImage
from thermal_landmarks.data.face_frames import box_around, expected_points, face_frame
from thermal_landmarks.data.geometry import invert_matrix, transform_points
from thermal_landmarks.inference.confidence import Agreement, Confidence
from thermal_landmarks.inference.face import Face
from thermal_landmarks.models.face_decoding import Detections, box_overlap

if TYPE_CHECKING:
    from thermal_landmarks.inference.predictor import Predictor

SURE = 0.35
"""Score of the finder from which on it needs no second opinion."""
_BOX_SIZES = (0.95, 1.05)
_SAME_FACE = 0.3  # overlap with what the finder suspects
_FILLS = 0.4  # least height of a face that fills a picture, as a fraction of the picture's shorter side
_TWO_OPINIONS = 0.3  # least score where two networks that know nothing of each other see a face in one place


def with_whole_image(predictor: "Predictor", image: ThermalImage, found: Detections) -> Detections:
    """Found faces, corrected by the landmark network where the finder is sure of none.

    A face that fills the picture is what landmark networks are trained on, and a finder, which has to tell faces of
    any size from everything else, is less sure of it. Where the network's own look at the whole image lies on a
    suspected face, that look's box takes its place; whether it is a face is decided by the agreement of all looks,
    as always. A picture in which nothing is suspected costs no look.
    """
    if found.number == 0 or found.score.max() >= SURE or predictor.preprocessing.crop.mode != "none":
        return found
    box, angle = box_around(predictor(image), predictor.scheme, predictor.preprocessing.reference)
    fills = box[3] - box[1] >= _FILLS * min(image.values.shape[-2:])
    same = fills & (box_overlap(box[None], found.boxes_px.astype(float))[0] >= _SAME_FACE)
    if not same.any():
        return found
    score = found.score[same].max(keepdims=True).clip(_TWO_OPINIONS)
    whole = Detections(box[None].astype(np.float32), score, np.array([angle], dtype=np.float32))
    others = found.take(np.flatnonzero(~same))
    return Detections(*(np.concatenate(parts) for parts in zip(whole, others, strict=True)))


def faces_at(
    predictor: "Predictor", image: ThermalImage, found: Detections, confidence: Confidence, *, location: str = "image"
) -> list[Face]:
    """The landmarks of faces that were found, the surest face first."""
    faces = []
    for start in range(0, found.number, predictor.batch_size):
        some = found.take(np.arange(start, min(start + predictor.batch_size, found.number)))
        faces += _batch(predictor, image, some, confidence, location)
    return sorted(faces, key=lambda face: (-face.confidence, -face.score))


def looks_at(
    predictor: "Predictor", image: ThermalImage, found: Detections, *, location: str = "image"
) -> list[Float[np.ndarray, "look point 2"]]:
    """The landmarks of each face in pixels of the image, from several looks at it."""
    if predictor.preprocessing.crop.mode == "none":
        return _looks_at_frames(predictor, image, found, location)
    return _looks_at_boxes(predictor, image, found)


def _batch(
    predictor: "Predictor", image: ThermalImage, found: Detections, confidence: Confidence, location: str
) -> list[Face]:
    faces = []
    for row, (box, looks) in enumerate(
        zip(found.boxes_px, looks_at(predictor, image, found, location=location), strict=True)
    ):
        agreement = Agreement.of(looks, box, float(found.score[row]), image.values.shape[-2:])
        x0, y0, x1, y1 = (float(end) for end in box)
        faces.append(
            Face(
                points_px=looks.mean(axis=0).astype(np.float32),
                confidence=confidence.face(agreement),
                box_px=(x0, y0, x1, y1),
                point_confidence=confidence.points(agreement).astype(np.float32),
                angle_deg=float(np.rad2deg(found.angle[row])),
                score=confidence.found(agreement),
            )
        )
    return faces


def _looks_at_boxes(predictor: "Predictor", image: ThermalImage, found: Detections) -> list[np.ndarray]:
    """For networks that were trained on face boxes: slightly smaller and larger ones."""
    low, high = found.boxes_px[:, :2], found.boxes_px[:, 2:]
    middle, half = (low + high) / 2, (high - low) / 2
    looks = []
    for size in _BOX_SIZES:
        boxes = np.concatenate([middle - size * half, middle + size * half], axis=1)
        looks.append(predictor([image] * len(boxes), boxes_px=boxes))
    return list(np.stack(looks, axis=1))


def _looks_at_frames(predictor: "Predictor", image: ThermalImage, found: Detections, location: str) -> list[np.ndarray]:
    """For networks that were trained on whole images: a frame around each face, or the place of that frame."""
    size = predictor.preprocessing.image_size
    matrices = [face_frame(box, float(angle), size) for box, angle in zip(found.boxes_px, found.angle, strict=True)]
    back = [invert_matrix(matrix) for matrix in matrices]
    if predictor.plan.from_image:
        return list(_straight_looks(predictor, image, back, location).transpose(1, 0, 2, 3))
    frames = predictor.frames(image, matrices, location=location)
    looks = predictor.cascade.at_face_frames(frames).cpu().numpy()  # (look, face, point, 2) in frame pixels
    return [np.stack([transform_points(look[row], back[row]) for look in looks]) for row in range(len(back))]


def _straight_looks(
    predictor: "Predictor", image: ThermalImage, back: Sequence[np.ndarray], location: str
) -> Float32[np.ndarray, "look face point 2"]:
    start, known = expected_points(
        predictor.scheme, predictor.preprocessing.reference, predictor.preprocessing.image_size
    )
    start_px = np.stack([transform_points(start, matrix) for matrix in back])
    pixels = predictor.tensor(image, location=location)
    looks: np.ndarray = (
        predictor.cascade.at_images(
            pixels, torch.from_numpy(start_px).to(pixels), torch.from_numpy(known).to(pixels.device)
        )
        .cpu()
        .numpy()
    )
    return looks


def as_detections(boxes_px: Sequence[tuple[float, float, float, float]]) -> Detections:
    """Boxes that a person gave, as upright faces that are surely there."""
    boxes = np.array(boxes_px, dtype=np.float32).reshape(-1, 4)
    return Detections(boxes, np.ones(len(boxes), dtype=np.float32), np.zeros(len(boxes), dtype=np.float32))
