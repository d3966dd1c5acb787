"""A batch of pictures with any number of faces, and how its boxes follow a change of the picture."""

from typing import NamedTuple, TypedDict

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from thermal_landmarks.data.face_frames import FACE_SHAPES, leaning_ellipses


class Faces(NamedTuple):
    """Where the faces of each picture are; rows without a face have neither `wanted` nor `ignored`."""

    # x_min, y_min, x_max, y_max in pixels of the picture, pixel centres at integers; (b, face, 4)
    boxes_px: Float[Tensor, "b face 4"]
    # In-plane, in radians; positive where the face leans clockwise as seen by a person; (b, face)
    angle: Float[Tensor, "b face"]
    wanted: Bool[Tensor, "b face"]  # faces to be found; (b, face)
    ignored: Bool[Tensor, "b face"]  # faces that may be found or not; (b, face)


class SceneBatch(TypedDict):
    """What the finder's network and loss see."""

    image: Float[Tensor, "b 1 h w"]  # in [-1, 1]
    faces: Faces


def move_faces(faces: Faces, matrices: Float[Tensor, "b 2 3"]) -> Faces:
    """Faces after their pictures were mapped by similarities, mirrored or not.

    A box is the rectangle around an ellipse that leans by the face's angle; the ellipse is turned, and its new
    rectangle taken.
    """
    linear, offset = matrices[:, None, :, :2], matrices[:, None, :, 2]
    low, high = faces.boxes_px[..., :2], faces.boxes_px[..., 2:]
    centre = (linear @ ((low + high) / 2)[..., None]).squeeze(-1) + offset
    # Regions that are ignored have any shape.
    limits = tuple(torch.where(faces.wanted, face, any_) for face, any_ in zip(FACE_SHAPES, (-1.0, 1.0), strict=True))
    total, difference = leaning_ellipses((high - low) / 2, faces.angle, limits)
    scale = torch.linalg.det(matrices[:, :, :2]).abs()[:, None]
    up = torch.stack([faces.angle.sin(), -faces.angle.cos()], dim=-1)  # from the chin to the forehead
    up = (linear @ up[..., None]).squeeze(-1)
    angle = torch.atan2(up[..., 0], -up[..., 1])
    moved = difference * (2 * angle).cos()
    new_half = torch.stack([(total + moved) / 2, (total - moved) / 2], dim=-1).mul(scale[..., None]).sqrt()
    return Faces(torch.cat([centre - new_half, centre + new_half], dim=-1), angle, faces.wanted, faces.ignored)


def sort_out(faces: Faces, size: tuple[int, int], smallest_px: float | Tensor) -> Faces:
    """Faces whose middle is outside the picture, or which are too small or too large, are ignored instead of wanted.

    A wanted face is on average at least `smallest_px` wide and high: (b, 1), or one number for all.
    """
    boxes = faces.boxes_px
    centre, extent = (boxes[..., :2] + boxes[..., 2:]) / 2, boxes[..., 2:] - boxes[..., :2]
    inside = ((centre >= 0) & (centre <= centre.new_tensor([size[1] - 1, size[0] - 1]))).all(dim=-1)
    mean = extent.mean(dim=-1)
    wanted = faces.wanted & inside & (mean >= smallest_px) & (mean <= 1.2 * max(size))
    return faces._replace(wanted=wanted, ignored=faces.ignored | (faces.wanted & ~wanted))
