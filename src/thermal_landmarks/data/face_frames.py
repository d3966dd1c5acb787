"""The part of an image around a face, found or annotated: upright, at one size, for looking for landmarks in it."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from thermal_landmarks.data.annotation import Annotation
from thermal_landmarks.data.batch import numbers
from thermal_landmarks.data.geometry import similarity_matrix, transform_points
from thermal_landmarks.data.schemes import Scheme, get_scheme

FACE_HEIGHT = 0.6
"""Of a found face in its frame, forehead to chin, as a fraction of the frame's height."""

UPRIGHT_ASPECT = 0.3
"""(h^2 - w^2) / (h^2 + w^2) of an upright face, where its box at 45 degrees doesn't tell."""

FACE_SHAPES = (-0.8, 0.3)
"""(w^2 - h^2) / (h^2 + w^2) of the narrowest and the widest upright face."""

# Mean of rendered near-frontal faces: x and y from the middle of the finder's box, as fractions of its height.
_FACE16_IN_BOX = np.array(
    [
        (-0.203, -0.28), (0.203, -0.28), (-0.237, -0.14), (-0.107, -0.138), (0.107, -0.138), (0.237, -0.14),
        (0, -0.155), (0, 0.028), (-0.077, 0.092), (0, 0.106), (0.077, 0.092), (-0.135, 0.24), (0, 0.171),
        (0.135, 0.24), (0, 0.317), (0, 0.498),
    ]
)  # fmt: skip


def face_frames(
    boxes_px: Float[Tensor, "face 4"], angle: Float[Tensor, " face"], size: tuple[int, int], share: float = FACE_HEIGHT
) -> Float[Tensor, "face 2 3"]:
    """The matrices that bring faces upright into the middle of a frame of `size` (height, width) each; can be exported.

    Angles are in the picture's plane, in radians, clockwise as seen by a person; `share` is that of the face in the
    frame's height.
    """
    scale = share * size[0] / own_height(boxes_px[:, 2:] - boxes_px[:, :2], angle)
    cos, sin = scale * torch.cos(angle), scale * torch.sin(angle)
    linear = torch.stack([cos, sin, -sin, cos], dim=1).unflatten(1, (2, 2))  # turns back, counter-clockwise
    middle = (boxes_px[:, :2] + boxes_px[:, 2:]) / 2
    offset = (numbers(size[::-1], boxes_px) - 1) / 2 - (linear @ middle[:, :, None]).squeeze(2)
    return torch.cat([linear, offset[:, :, None]], dim=2)


def face_frame(
    box_px: Float[np.ndarray, "4"], angle: float, size: tuple[int, int], share: float = FACE_HEIGHT
) -> Float[np.ndarray, "2 3"]:
    """The matrix of `face_frames` for one face."""
    box = torch.from_numpy(np.asarray(box_px, dtype=float))[None]
    matrix: np.ndarray = face_frames(box, box.new_tensor([angle]), size, share)[0].numpy()
    return matrix


def own_height(extent: Float[Tensor, "face 2"], angle: Float[Tensor, " face"]) -> Float[Tensor, " face"]:
    """Height of faces along themselves, whose upright boxes are `extent` (width, height) wide."""
    total, difference = leaning_ellipses(extent, angle)
    return ((total - difference) / 2).sqrt().clamp(min=1e-3)


def leaning_ellipses(
    extent: Float[Tensor, "*face 2"],
    angle: Float[Tensor, "*face"],
    limits: tuple[float | Tensor, ...] = FACE_SHAPES,
) -> tuple[Float[Tensor, "*face"], Float[Tensor, "*face"]]:
    """Faces as ellipses with the axes a (across the face) and b in upright boxes: a^2 + b^2 and a^2 - b^2.

    The boxes, or half of them, are `extent` (width, height) wide, and their width^2 - height^2 is (a^2 - b^2) cos(2
    angle); near 45 degrees, where that tells nothing, faces have their usual aspect. `limits` are the smallest and
    largest (a^2 - b^2) / (a^2 + b^2).
    """
    square, twice = extent.square(), torch.cos(2 * angle)
    total, difference = square.sum(dim=-1), square[..., 0] - square[..., 1]
    tells = twice.abs() > 0.3
    own = torch.where(tells, difference / torch.where(tells, twice, 1.0), -UPRIGHT_ASPECT * total)
    return total, torch.minimum(torch.maximum(own, limits[0] * total), limits[1] * total)


def expected_points(
    scheme: Scheme,
    reference: Sequence[tuple[float, float]] | None,
    size: tuple[int, int],
    share: float = FACE_HEIGHT,
) -> tuple[Float[np.ndarray, "point 2"], Bool[np.ndarray, " point"]]:
    """Where a scheme's landmarks lie in such a frame, about, and of which of them that is known.

    `reference`, their mean shape in any unit, fills in those that `face16` lacks.
    """
    face16 = get_scheme("face16")
    middle = np.array([(size[1] - 1) / 2, (size[0] - 1) / 2])
    points, known = np.zeros((scheme.num_points, 2)), np.zeros(scheme.num_points, dtype=bool)
    for row, number in enumerate(scheme.ibug68):
        if number in face16.ibug68:
            points[row] = middle + _FACE16_IN_BOX[face16.ibug68.index(number)] * share * size[0]
            known[row] = True
    if reference is not None and known.sum() >= 2 and not known.all():
        matrix = similarity_matrix(np.asarray(reference)[known], points[known])
        points[~known] = transform_points(np.asarray(reference), matrix)[~known]
        known[:] = True
    return points, known


def box_around(
    points_px: Float[np.ndarray, "point 2"], scheme: Scheme, reference: Sequence[tuple[float, float]] | None
) -> tuple[Float[np.ndarray, "4"], float]:
    """The box that a finder would give a face with these landmarks (NaN: missing), and its angle in the picture.

    The angle is in radians; `reference` as of `expected_points`.

    Raises:
        ValueError: If fewer than two different landmarks are there of which it is known where they lie in a face.
    """
    expected, known = expected_points(scheme, reference, (1, 1), share=1.0)
    known &= np.isfinite(points_px).all(axis=1)
    if not known.any():
        raise ValueError("No landmark is there of which it is known where it lies in a face.")
    matrix = similarity_matrix(expected[known], np.asarray(points_px, dtype=float)[known])
    height = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    angle = float(np.arctan2(matrix[1, 0], matrix[0, 0]))
    along, across = height**2, height**2 * (1 - UPRIGHT_ASPECT) / (1 + UPRIGHT_ASPECT)
    cos2, sin2 = np.cos(angle) ** 2, np.sin(angle) ** 2
    half = np.sqrt([across * cos2 + along * sin2, across * sin2 + along * cos2]) / 2
    middle = matrix[:, 2]  # the middle of a frame of one pixel is 0
    return np.concatenate([middle - half, middle + half]), angle


def annotated_box(annotation: Annotation, scheme: Scheme) -> tuple[Float[np.ndarray, "4"], float] | None:
    """The box that a finder would give an annotated face, and its angle: by its landmarks, else as annotated."""
    try:
        return box_around(annotation.points_px, scheme, None)
    except ValueError:
        return None if annotation.box_px is None else (np.array(annotation.box_px), 0.0)


def frames_of_faces(
    annotations: Sequence[Annotation], scheme: Scheme, size: tuple[int, int], *, always: bool = False
) -> list[Float[np.ndarray, "2 3"] | None]:
    """Where each face is shown, if a picture of the data set has several: in a frame of its own, as `predict` shows it.

    A frame is `size` (height, width) large; `always`: also where every picture has one face.

    Returns:
        The matrix of `face_frame` for each face; None for all where every picture has one face and is shown whole, and
        for a face of which neither box nor landmarks tell where it is.
    """
    boxes = [annotated_box(annotation, scheme) for annotation in annotations]
    images = [annotation.image for annotation, box in zip(annotations, boxes, strict=True) if box is not None]
    if len({*images}) == len(images) and not always:
        return [None] * len(annotations)
    return [None if found is None else face_frame(*found, size) for found in boxes]
