"""Augmentation of a whole batch on the device that trains: geometry first, then values.

Left-handed image coordinates: a positive angle turns the picture counter-clockwise as seen by a person.
"""

import math
from dataclasses import dataclass, replace
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Generator, Tensor

from thermal_landmarks.data.cascade import Cascade
from thermal_landmarks.data.crops import cut_crops, face_crops, whole_crops
from thermal_landmarks.data.draws import Draws, per_picture
from thermal_landmarks.data.warping import Padding, compose, warp_batch
from thermal_landmarks.errors import require_choice

Range = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class AugmentationSettings:
    """Ranges of the random changes; a probability of 0 or a range of zero switches one off."""

    # `triple` is the paper's: every training image once as it is, once turned left, once turned right by an angle from
    # `rotation_range_deg`, the same angles in every epoch. `random` draws a new angle from [-rotation_max_deg,
    # rotation_max_deg] each time. `none` leaves images upright.
    rotation: Literal["none", "triple", "random"] = "triple"
    rotation_range_deg: Range = (20.0, 30.0)  # smallest and largest angle of `triple`
    rotation_max_deg: float = 30.0  # largest angle of `random`
    scale: Range = (1.0, 1.0)  # relative size, e.g. (0.9, 1.1).
    shift: float = 0.0  # largest shift as a fraction of height and width
    hflip: float = 0.0  # probability of mirroring left and right (landmarks change places with their partners)
    # What appears beyond the border: the nearest pixel (`border`), the mirrored image (`reflection`) or the coldest
    # input value (`cold`)
    padding: Padding = "border"
    # Share of crops around the face among the training images of a cascade (`cascade.Cascade`); the others show the
    # whole image, turned, scaled and shifted as above
    crop_share: float = 0.5
    crop_rotation_max_deg: float = 15.0  # largest tilt of the face in a crop
    crop_scale: Range = (0.8, 1.25)  # its relative size
    crop_shift: float = 0.08  # its largest distance from the middle, as a fraction of height and width
    gamma: Range = (1.0, 1.0)  # exponents of a random tone curve, e.g. (0.7, 1.4).
    invert: float = 0.0  # probability of exchanging cold and warm
    gain: Range = (1.0, 1.0)  # relative contrast, e.g. (0.8, 1.25), about the middle of the input range.
    offset: float = 0.0  # largest shift of all values, as a fraction of the input range
    noise: float = 0.0  # largest standard deviation of white noise, as a fraction of the input range
    blur: float = 0.0  # largest standard deviation of a Gaussian blur, in pixels
    # Of pictures in colour, the largest relative change of the saturation, and the largest shift of each channel as a
    # fraction of the input range
    colour: float = 0.0
    occlusion: float = 0.0  # probability of a patch of one temperature over the image
    occlusion_size: Range = (0.1, 0.25)  # smallest and largest side of that patch, as a fraction of the image's height

    @property
    def moves_points(self) -> bool:
        """Whether any of the geometric changes is on."""
        still = self.rotation == "none" and self.scale == (1.0, 1.0) and self.shift == 0 and self.hflip == 0
        return not still

    @property
    def of_crops(self) -> "AugmentationSettings":
        """The same changes with the geometry of crops."""
        return replace(
            self,
            rotation="random",
            rotation_max_deg=self.crop_rotation_max_deg,
            scale=self.crop_scale,
            shift=self.crop_shift,
        )

    def __post_init__(self) -> None:
        require_choice("data.augmentation.rotation", self.rotation, ("none", "triple", "random"))
        require_choice("data.augmentation.padding", self.padding, ("border", "reflection", "cold"))


def affine_matrices(
    settings: AugmentationSettings,
    stored_rotation_deg: Float[Tensor, " batch"],
    size: tuple[int, int],
    generator: Generator,
) -> tuple[Float[Tensor, "batch 2 3"], Bool[Tensor, " batch"]]:
    """Random maps from input pixels to augmented pixels about the image centre, and which of them mirror."""
    height, width = size
    angle_deg = stored_rotation_deg
    draws = Draws(len(angle_deg), generator)
    if settings.rotation == "random":
        angle_deg = angle_deg + draws.uniform(-settings.rotation_max_deg, settings.rotation_max_deg)
    angle = torch.deg2rad(angle_deg)
    scale = draws.uniform(*settings.scale)
    shift = torch.stack([draws.uniform(-1, 1) * width, draws.uniform(-1, 1) * height], dim=1) * settings.shift
    mirrored = draws.chance(settings.hflip)
    flip = torch.where(mirrored, -1.0, 1.0)
    cosine, sine = torch.cos(angle) * scale, torch.sin(angle) * scale
    linear = torch.stack([cosine * flip, sine, -sine * flip, cosine], dim=1).view(-1, 2, 2)
    centre = scale.new_tensor([(width - 1) / 2, (height - 1) / 2])
    translation = centre + shift - linear @ centre
    return torch.cat([linear, translation[:, :, None]], dim=2), mirrored


def augment_values(
    images: Float[Tensor, "batch channel height width"], settings: AugmentationSettings, generator: Generator
) -> Float[Tensor, "batch channel height width"]:
    """Blur, patch, tone, colour, contrast, shift and noise of images in [-1, 1].

    What contrast and shift move beyond [-1, 1] stays there: clipped again, a face near +1 would be a white spot.
    """
    draws = Draws(len(images), generator)

    def uniform(low: float, high: float) -> Float[Tensor, "batch 1 1 1"]:
        return per_picture(draws.uniform(low, high))

    if settings.blur > 0:
        images = _blur(images, uniform(0, settings.blur))
    if settings.occlusion > 0:
        images = _occlude(images, settings, draws)
    if settings.gamma != (1.0, 1.0):
        # In place after the first step: new memory for each of five steps takes as long as the steps.
        shares = images.clamp(-1, 1).add_(1).mul_(0.5)
        images = shares.pow_(uniform(*settings.gamma)).mul_(2).sub_(1)
    if settings.invert > 0:
        images = images * torch.where(per_picture(draws.chance(settings.invert)), -1.0, 1.0)
    if settings.colour > 0 and images.shape[1] == 3:
        gray = images.mean(dim=1, keepdim=True)
        shift = draws.rand(len(images), 3, 1, 1) * 2 - 1  # the input range is 2 wide
        saturation = uniform(1 - settings.colour, 1 + settings.colour)
        images = gray + (images - gray) * saturation + 2 * settings.colour * shift
    if settings.gain != (1.0, 1.0):
        images = images * uniform(*settings.gain)
    if settings.offset > 0:
        images = images + uniform(-2, 2) * settings.offset  # the input range is 2 wide
    if settings.noise > 0:
        images = torch.addcmul(images, draws.randn(*images.shape), uniform(0, 2 * settings.noise))
    return images


def _blur(images: Tensor, sigma_px: Tensor) -> Tensor:
    radius = max(1, math.ceil(2.5 * float(sigma_px.max())))
    offsets = torch.arange(-radius, radius + 1, device=images.device)
    weights = torch.exp(-0.5 * (offsets / sigma_px.clamp(min=1e-3)) ** 2)  # (batch, 1, 1, taps)
    weights = weights / weights.sum(dim=-1, keepdim=True)
    count = len(images)
    rows = F.pad(images.transpose(0, 1), (radius, radius, radius, radius), mode="replicate")
    rows = F.conv2d(rows, weights, groups=count)
    return F.conv2d(rows, weights.transpose(2, 3), groups=count).transpose(0, 1)


def _occlude(images: Tensor, settings: AugmentationSettings, draws: Draws) -> Tensor:
    height, width = images.shape[-2:]
    drawn = draws.rand(6, draws.count, 1, 1)
    covered = (drawn[0, :, 0, 0] < settings.occlusion).nonzero()[:, 0]
    centre_x, centre_y, side_x, side_y, value = drawn[1:, covered]
    low, high = (fraction * height for fraction in settings.occlusion_size)
    inside_x = _inside(width, centre_x, low + (high - low) * side_x)
    inside_y = _inside(height, centre_y, low + (high - low) * side_y).transpose(1, 2)
    patch = (inside_x & inside_y)[:, None]
    return images.index_copy(0, covered, torch.where(patch, (2 * value - 1)[:, None], images[covered]))


def _inside(length: int, centre: Tensor, side_px: Tensor) -> Tensor:
    positions = torch.arange(length, device=centre.device)
    return (positions - centre * length).abs() < side_px / 2


@dataclass(frozen=True)
class Augmentation:
    """Random changes of whole batches."""

    settings: AugmentationSettings  # what is changed, and how much
    flip_indices: Tensor  # (N,) permutation that restores the landmark order in a mirrored image
    cascade: Cascade | None = None  # how a cascade looks at images; the results are single crops of its `crop_size`

    def __call__(
        self,
        images: Float[Tensor, "batch channel height width"],
        points_px: Float[Tensor, "batch point 2"],
        mask: Bool[Tensor, "batch point"],
        stored_rotation_deg: Float[Tensor, " batch"],
        generator: Generator,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Images, points and mask after the change, and the relative scale of each image."""
        if self.cascade is None:
            size = (images.shape[-2], images.shape[-1])
            matrices, mirrored = affine_matrices(self.settings, stored_rotation_deg, size, generator)
            if self.settings.moves_points:
                images = warp_batch(images, matrices, self.settings.padding)
        else:
            matrices, mirrored = self._looks(images, points_px, mask, stored_rotation_deg, generator)
            images = cut_crops(images, matrices, self.cascade, self.settings.padding)
        linear = matrices[:, :, :2]
        points_px = points_px @ linear.transpose(1, 2) + matrices[:, None, :, 2]
        order = self.flip_indices.to(points_px.device)
        points_px = torch.where(mirrored[:, None, None], points_px[:, order], points_px)
        mask = torch.where(mirrored[:, None], mask[:, order], mask)
        images = augment_values(images, self.settings, generator)
        return images, points_px, mask, torch.linalg.det(linear).abs().sqrt()

    def _looks(
        self, frames: Tensor, points_px: Tensor, mask: Tensor, stored_rotation_deg: Tensor, generator: Generator
    ) -> tuple[Tensor, Tensor]:
        """Maps from frames to looks, some at the whole, some at the face, and which of them mirror."""
        assert self.cascade is not None
        size = self.cascade.crop_size
        whole, whole_mirrored = affine_matrices(self.settings, stored_rotation_deg, size, generator)
        upright = torch.zeros_like(stored_rotation_deg)
        close, close_mirrored = affine_matrices(self.settings.of_crops, upright, size, generator)
        chosen = Draws(len(frames), generator).chance(self.settings.crop_share)
        chosen &= mask.sum(dim=1) >= 2  # a single point has neither size nor direction
        whole = compose(whole, whole_crops(frames, self.cascade))
        close = compose(close, face_crops(points_px, mask, self.cascade, frames.shape[-2]))
        return torch.where(chosen[:, None, None], close, whole), torch.where(chosen, close_mirrored, whole_mirrored)
