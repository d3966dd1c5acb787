"""From coarse to fine: the network sees the whole frame, then crops around the face that it has found (`data.crops`).

The crops of a stage, of all sizes and of the frames' mirror images, pass the network as one batch.
"""

from collections.abc import Callable
from dataclasses import replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from thermal_landmarks.data.batch import to_pixels, to_unit
from thermal_landmarks.data.cascade import Cascade
from thermal_landmarks.data.crops import cut_crops, face_crops, fitting_matrix
from thermal_landmarks.data.image_pyramid import ImagePyramid
from thermal_landmarks.data.warping import inverse

Locate = Callable[[Float[Tensor, "batch channel height width"]], Float[Tensor, "batch point 2"]]
"""Images in, landmarks in [0, 1] image units out."""


def locate(
    network: Locate, frames: Float[Tensor, "batch channel height width"], cascade: Cascade
) -> Float[Tensor, "batch point 2"]:
    """The network's landmarks after all stages, in [0, 1] units of the frame.

    Values of the frames may exceed [-1, 1], since every view finds its own range.
    """
    return last_stage(network, frames, cascade).mean(dim=0)


def last_stage(
    network: Locate,
    frames: Float[Tensor, "batch channel height width"] | ImagePyramid,
    cascade: Cascade,
    start_px: Float[Tensor, "face point 2"] | None = None,
    known: Bool[Tensor, "face point"] | None = None,
) -> Float[Tensor, "crop face point 2"]:
    """As `locate`, each crop of the last stage by itself.

    Args:
        network: Of views.
        frames: Images, of which the network gets as many channels; or their pyramid, of which it gets one.
        cascade: How to look.
        start_px: About where the landmarks are, in pixels of the frame, where something else has found the face
            already: then nobody looks at the whole frame. A frame may have several faces: all first faces of the
            frames, then all second ones, and so on. None: the first look is at the whole frame.
        known: Which of them say anything. None: all.
    """
    pyramid, channels = (
        (frames, 1) if isinstance(frames, ImagePyramid) else (ImagePyramid(frames[:, :1]), frames.shape[1])
    )
    device, size = pyramid.device.type, (pyramid.height, pyramid.width)
    faces = pyramid.number if start_px is None else start_px.shape[0]
    mixed_precision = torch.is_autocast_enabled(device)

    def look(matrices: Float[Tensor, "view 2 3"]) -> Float[Tensor, "crop face point 2"]:
        """Landmarks in frame pixels."""
        views = cut_crops(pyramid, matrices, cascade).expand(-1, channels, -1, -1)
        with torch.autocast(device, enabled=mixed_precision):
            points = network(views)
        points_px = to_pixels(points.float(), cascade.crop_size)
        points_px = (points_px - matrices[:, None, :, 2]) @ inverse(matrices[:, :, :2]).transpose(1, 2)
        return points_px.unflatten(0, (-1, faces))

    with torch.autocast(device, enabled=False):  # geometry wants full precision
        whole = fitting_matrix(size, cascade.crop_size, pyramid.like).expand(faces, 2, 3)
        looks = look(whole) if start_px is None else start_px[None]
        for number in range(2, max(cascade.stages, 1 if start_px is None else 2) + 1):
            sizes = cascade.last_sizes if number == cascade.stages else (1.0,)
            closer = [replace(cascade, face_size=size * cascade.face_size) for size in sizes]
            points_px = looks.mean(dim=0)
            looks = look(torch.cat([face_crops(points_px, known, each, size[0]) for each in closer]))
            known = None
        return to_unit(looks, size)


def locate_both_ways(
    network: Locate, images: Float[Tensor, "batch channel height width"], flip_indices: Int[Tensor, " point"]
) -> Float[Tensor, "batch point 2"]:
    """The mean of the landmarks in each image and in its mirror image, in [0, 1] image units.

    `flip_indices` restores the landmark order in a mirrored image (`Scheme.flip_indices`).
    """
    points, mirrored = network(torch.cat([images, images.flip(-1)])).chunk(2)
    mirrored = mirrored[:, flip_indices]
    return (points + torch.stack([1 - mirrored[..., 0], mirrored[..., 1]], dim=-1)) / 2
