"""Crops for the stages of a cascade: the whole image, then the face that was found, upright and at one size.

A network of few pixels finds a face in a large image but can't place its points well; close to the face the same
network can. Crops are cut from the frame (the stored image) on the device; each has the contrast of what it shows.
`models.cascade` runs the network on them.
"""

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from thermal_landmarks.data.batch import numbers
from thermal_landmarks.data.cascade import Cascade
from thermal_landmarks.data.image_pyramid import ImagePyramid, one_view_each
from thermal_landmarks.data.warping import Padding

_SMALLEST_FACE = 0.02  # of the frame's height; keeps a collapsed prediction from an endless zoom


def reference_px(cascade: Cascade, like: Tensor) -> Float[Tensor, "point 2"]:
    """The reference shape as it lies in a close view, in pixels of the view; device and type of `like`."""
    assert cascade.reference is not None, "filled by the data module"
    shape = like.new_tensor(cascade.reference)
    low, high = shape.amin(dim=0), shape.amax(dim=0)
    height, width = cascade.crop_size
    scale = cascade.face_size * height / (high - low).max()
    return (shape - (low + high) / 2) * scale + like.new_tensor([(width - 1) / 2, (height - 1) / 2])


def whole_crops(frames: Float[Tensor, "batch 1 height width"], cascade: Cascade) -> Float[Tensor, "batch 2 3"]:
    """Maps from frame to view pixels that show each frame whole."""
    return fitting_matrix(frames.shape[-2:], cascade.crop_size, frames).expand(len(frames), 2, 3)


def fitting_matrix(size: Sequence[int], wanted_size: Sequence[int], like: Tensor) -> Float[Tensor, "2 3"]:
    """As `geometry.fit_matrix` of a whole image, for sizes (height, width) that an exporter leaves open."""
    size_px, wanted_px = numbers(size[::-1], like), numbers(wanted_size[::-1], like)
    scale = (wanted_px / size_px).min()
    linear = torch.eye(2, dtype=like.dtype, device=like.device) * scale
    return torch.cat([linear, ((wanted_px - 1) / 2 - scale * (size_px - 1) / 2)[:, None]], dim=1)


def face_crops(
    points_px: Float[Tensor, "batch point 2"],
    mask: Bool[Tensor, "batch point"] | None,
    cascade: Cascade,
    frame_height: int,
) -> Float[Tensor, "batch 2 3"]:
    """Maps from frame to view pixels that bring each face upright into the middle of its view.

    The least-squares similarity from the reference shape to the points (in complex numbers: points = a reference + b),
    inverted. `mask` says which points to use (None: all); a face without any gets the similarity of the smallest face.
    """
    reference = reference_px(cascade, points_px)
    # One row of weights for all faces where all points count: an exporter can compute what follows from it in advance.
    weight = torch.ones_like(reference[:, :1]) if mask is None else mask.to(points_px.dtype)[..., None]
    count = weight.sum(dim=-2, keepdim=True).clamp(min=1)
    middle = (weight * points_px).sum(dim=-2, keepdim=True) / count
    reference_middle = (weight * reference).sum(dim=-2, keepdim=True) / count
    r, p = (reference - reference_middle) * weight, (points_px - middle) * weight
    energy = r.square().sum(dim=(-2, -1)).clamp(min=1e-6)
    real = (r * p).sum(dim=(1, 2)) / energy
    imaginary = (r[..., 0] * p[..., 1] - r[..., 1] * p[..., 0]).sum(dim=1) / energy
    least = _SMALLEST_FACE * frame_height / (cascade.face_size * cascade.crop_size[0])
    size = (real.square() + imaginary.square()).sqrt()
    real, imaginary = torch.where(size < least, least, real), torch.where(size < least, 0.0, imaginary)
    square = real.square() + imaginary.square()
    linear = torch.stack([real, imaginary, -imaginary, real], dim=1).view(-1, 2, 2) / square[:, None, None]
    offset = reference_middle.mT - linear @ middle.mT
    return torch.cat([linear, offset], dim=2)


def cut_crops(
    frames: Float[Tensor, "batch 1 height width"] | ImagePyramid,
    matrices: Float[Tensor, "view 2 3"],
    cascade: Cascade,
    padding: Padding = "border",
) -> Float[Tensor, "view 1 view_height view_width"]:
    """What the network sees: frames resampled by maps from frame to view pixels, each view with its own contrast.

    There are one or more maps for each frame: all first views of the frames, then all second ones, and so on.
    """
    if isinstance(frames, ImagePyramid):
        views = frames.crops(matrices, cascade.crop_size, padding)
    elif len(matrices) == len(frames):
        views = one_view_each(frames, matrices, cascade.crop_size, padding)
    else:
        views = ImagePyramid(frames).crops(matrices, cascade.crop_size, padding)
    return views if cascade.percentiles is None else stretch(views, cascade.percentiles)


def _smallest(values: Float[Tensor, "view n"], rank: int) -> Float[Tensor, " view"]:
    """The value with `rank` smaller ones, from the nearer end."""
    count = values.shape[1]
    from_below = 2 * rank < count
    return values.topk(1 + rank if from_below else count - rank, largest=not from_below).values[:, -1]


def stretch(
    views: Tensor, percentiles: tuple[float, float], *, smallest: Callable[[Tensor, int], Tensor] = _smallest
) -> Tensor:
    """The percentiles of each view (of a sample of its pixels) become -1 and +1; what lies beyond is clipped.

    `smallest` gives of each row of values the one with so many smaller ones.
    """
    step = max(1, min(views.shape[-2:]) // 32)  # a thousand pixels tell the percentiles
    sample = views[:, 0, ::step, ::step].flatten(1)
    ranks = [round(p / 100 * (sample.shape[1] - 1)) for p in percentiles]
    low, high = (smallest(sample, rank)[:, None, None, None] for rank in ranks)
    return ((views - low) * (2 / (high - low).clamp(min=1e-4)) - 1).clamp(-1, 1)
