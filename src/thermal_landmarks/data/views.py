"""Looking twice: first at the whole image, then closely at the face that was found, upright and at one size.

A network of few pixels finds a face in a large image but can't place its points well; close to the face the same
network can. Views are cut from the frame (the stored image) on the device; each has the contrast of what it shows.
"""

from collections.abc import Callable
from dataclasses import replace

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from thermal_landmarks.data.batch import to_pixels, to_unit
from thermal_landmarks.data.geometry import fit_matrix
from thermal_landmarks.data.warping import Padding, warp_batch
from thermal_landmarks.data.zoom import Zoom

_SMALLEST_FACE = 0.02  # of the frame's height; keeps a collapsed prediction from an endless zoom


def reference_px(zoom: Zoom, like: Tensor) -> Float[Tensor, "point 2"]:
    """The reference shape as it lies in a close view, in pixels of the view; device and type of `like`."""
    assert zoom.reference is not None, "filled by the data module"
    shape = like.new_tensor(zoom.reference)
    low, high = shape.amin(dim=0), shape.amax(dim=0)
    height, width = zoom.view_size
    scale = zoom.face_size * height / (high - low).amax()
    return (shape - (low + high) / 2) * scale + like.new_tensor([(width - 1) / 2, (height - 1) / 2])


def whole_views(frames: Float[Tensor, "batch 1 height width"], zoom: Zoom) -> Float[Tensor, "batch 2 3"]:
    """Maps from frame to view pixels that show each frame whole."""
    size = (frames.shape[-2], frames.shape[-1])
    matrix = torch.from_numpy(fit_matrix(size, zoom.view_size)).to(frames)
    return matrix.expand(len(frames), 2, 3)


def face_views(
    points_px: Float[Tensor, "batch point 2"], mask: Bool[Tensor, "batch point"], zoom: Zoom, frame_height: int
) -> Float[Tensor, "batch 2 3"]:
    """Maps from frame to view pixels that bring each face upright into the middle of its view.

    The least-squares similarity from the reference shape to the points (in complex numbers: points = a reference + b),
    inverted.

    Args:
        points_px: In pixels of the frame.
        mask: Which points to use; a face without any gets the similarity of the smallest face.
        zoom: Size of the view and of the face in it.
        frame_height: In pixels.
    """
    reference = reference_px(zoom, points_px)
    weight = mask.to(points_px.dtype)[..., None]
    count = weight.sum(dim=1).clamp(min=1)
    middle = (weight * points_px).sum(dim=1) / count
    reference_middle = (weight * reference).sum(dim=1) / count
    r, p = (reference - reference_middle[:, None]) * weight, (points_px - middle[:, None]) * weight
    energy = r.square().sum(dim=(1, 2)).clamp(min=1e-6)
    real = (r * p).sum(dim=(1, 2)) / energy
    imaginary = (r[..., 0] * p[..., 1] - r[..., 1] * p[..., 0]).sum(dim=1) / energy
    least = _SMALLEST_FACE * frame_height / (zoom.face_size * zoom.view_size[0])
    size = torch.hypot(real, imaginary)
    real, imaginary = torch.where(size < least, least, real), torch.where(size < least, 0.0, imaginary)
    square = real.square() + imaginary.square()
    linear = torch.stack([real, imaginary, -imaginary, real], dim=1).view(-1, 2, 2) / square[:, None, None]
    offset = reference_middle - (linear @ middle[..., None]).squeeze(-1)
    return torch.cat([linear, offset[..., None]], dim=2)


def cut_views(
    frames: Float[Tensor, "batch 1 height width"],
    matrices: Float[Tensor, "batch 2 3"],
    zoom: Zoom,
    padding: Padding = "border",
) -> Float[Tensor, "batch 1 view_height view_width"]:
    """What the network sees: frames resampled by maps from frame to view pixels, each with its own contrast.

    Where a view shrinks the frame by 2 or more, it is taken from averaged pixels, so that nothing aliases.
    """
    shrink = torch.linalg.det(matrices[:, :, :2]).abs().clamp(min=1e-12).rsqrt()
    levels = shrink.log2().floor().clamp(0, 5).long()
    views = frames.new_empty(len(frames), 1, *zoom.view_size)
    for level in levels.unique().tolist():
        rows = (levels == level).nonzero().squeeze(1)
        chosen, maps, cells = frames[rows], matrices[rows], 2**level
        if level:
            chosen = F.avg_pool2d(chosen, cells)
            # pixel centres at integers: old = cells * new + (cells - 1) / 2
            shift = (maps[:, :, :2].sum(dim=2) * (cells - 1) / 2 + maps[:, :, 2])[..., None]
            maps = torch.cat([maps[:, :, :2] * cells, shift], dim=2)
        views[rows] = warp_batch(chosen, maps, padding, size=zoom.view_size)
    return views if zoom.percentiles is None else _stretch(views, zoom.percentiles)


def locate(
    network: Callable[[Float[Tensor, "batch channel height width"]], Float[Tensor, "batch point 2"]],
    frames: Float[Tensor, "batch channel height width"],
    zoom: Zoom,
) -> Float[Tensor, "batch point 2"]:
    """The network's landmarks after all looks, in [0, 1] units of the frame.

    Args:
        network: Views in, landmarks in [0, 1] units of the view out.
        frames: Normalised images; values may exceed [-1, 1], since every view finds its own range.
        zoom: How to look.
    """
    return last_looks(network, frames, zoom).mean(dim=0)


def last_looks(
    network: Callable[[Float[Tensor, "batch channel height width"]], Float[Tensor, "batch point 2"]],
    frames: Float[Tensor, "batch channel height width"],
    zoom: Zoom,
    start_px: Float[Tensor, "batch point 2"] | None = None,
    known: Bool[Tensor, "batch point"] | None = None,
) -> Float[Tensor, "look batch point 2"]:
    """As `locate`, each look of the last stage by itself.

    Args:
        network: As of `locate`; so are the two arguments that follow.
        frames: Normalised images.
        zoom: How to look.
        start_px: About where the landmarks are, in pixels of the frame, where something else has found the face
            already: then nobody looks at the whole frame. None: the first look is at the whole frame.
        known: Which of them say anything. None: all.
    """
    device, channels, single = frames.device.type, frames.shape[1], frames[:, :1]
    mixed_precision = torch.is_autocast_enabled(device)

    def look(matrices: Tensor) -> Tensor:
        """Landmarks in frame pixels."""
        views = cut_views(single, matrices, zoom).expand(-1, channels, -1, -1)
        with torch.autocast(device, enabled=mixed_precision):
            points = network(views)
        points_px = to_pixels(points.float(), zoom.view_size)
        return (points_px - matrices[:, None, :, 2]) @ torch.linalg.inv(matrices[:, :, :2]).transpose(1, 2)

    with torch.autocast(device, enabled=False):  # geometry wants full precision
        looks = (look(whole_views(single, zoom)) if start_px is None else start_px)[None]
        valid = torch.ones(looks.shape[1:3], dtype=torch.bool, device=frames.device)
        used = valid if known is None else known
        for number in range(2, max(zoom.passes, 1 if start_px is None else 2) + 1):
            sizes = zoom.last_sizes if number == zoom.passes else (1.0,)
            closer = [replace(zoom, face_size=size * zoom.face_size) for size in sizes]
            points_px = looks.mean(dim=0)
            looks = torch.stack([look(face_views(points_px, used, each, frames.shape[-2])) for each in closer])
            used = valid
        return to_unit(looks, (frames.shape[-2], frames.shape[-1]))


def locate_both_ways(
    network: Callable[[Float[Tensor, "batch channel height width"]], Float[Tensor, "batch point 2"]],
    images: Float[Tensor, "batch channel height width"],
    mirror_order: Int[Tensor, " point"],
) -> Float[Tensor, "batch point 2"]:
    """The mean of the landmarks in each image and in its mirror image, in [0, 1] image units.

    Args:
        network: Images in, landmarks in [0, 1] image units out.
        images: Normalised.
        mirror_order: Permutation that restores the landmark order in a mirrored image (`Scheme.mirror_order`).
    """
    mirrored = network(images.flip(-1))[:, mirror_order]
    return (network(images) + torch.stack([1 - mirrored[..., 0], mirrored[..., 1]], dim=-1)) / 2


def _stretch(views: Tensor, percentiles: tuple[float, float]) -> Tensor:
    """Each view's percentiles become -1 and +1; what lies beyond is clipped."""
    step = max(1, min(views.shape[-2:]) // 32)  # a thousand pixels tell the percentiles
    sample = views[:, 0, ::step, ::step].flatten(1)
    ranks = [round(p / 100 * (sample.shape[1] - 1)) for p in percentiles]
    ordered = sample.sort(dim=1).values
    low, high = (ordered[:, rank, None, None, None] for rank in ranks)
    return ((views - low) * (2 / (high - low).clamp(min=1e-4)) - 1).clamp(-1, 1)
