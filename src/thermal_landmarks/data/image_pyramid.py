"""Images at full, half, quarter, ... resolution, from which any number of views are cut by one bilinear sample.

The levels lie side by side in one image, so that views of different levels need no call each. A view that shrinks its
image by 2 or more is taken from averaged pixels, so that nothing aliases.
"""

import copy

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from thermal_landmarks.data.batch import numbers
from thermal_landmarks.data.warping import Padding, determinant, inverse, sampling_grid, warp_batch

LEVELS = 6


class ImagePyramid:
    """A batch of images in [-1, 1], or wider, and their averages over squares of 2, 4, 8, 16 and 32 pixels.

    `mirrored`: views are cut from mirror images, too, which are then as many more images.

    Attributes:
        number: Of images, mirror images included.
        height: Of each, in pixels.
        width: Of each, in pixels.
        like: A tensor of their type and device.
    """

    def __init__(self, images: Float[Tensor, "batch 1 height width"], *, mirrored: bool = False) -> None:
        self.mirrored = mirrored
        self.number = len(images) * (1 + mirrored)
        self.height, self.width = images.shape[-2:]
        self.like = images
        levels = [images]
        while len(levels) < LEVELS and min(levels[-1].shape[-2:]) >= 2:
            levels.append(halved(levels[-1]))
        self.count = len(levels)
        self._keep(levels)

    def _keep(self, levels: list[Float[Tensor, "batch 1 level_height level_width"]]) -> None:
        """Put the levels where `_views` samples them."""
        images = levels[0]
        # The first level at the left; the others in a column beside it, one below the other.
        column = self.width // 2
        parts = [F.pad(level, (0, column - level.shape[-1])) for level in levels[1:]]
        parts.append(images.new_zeros(len(images), 1, self.height, column))  # all levels add up to less
        self._atlas = torch.cat([images, torch.cat(parts, dim=2)[:, :, : self.height]], dim=3)
        # Of each level: left-most, top-most, right-most and lowest pixel in the atlas.
        sizes = self._sizes()
        beside = (torch.arange(self.count, device=images.device) > 0).to(images.dtype)
        tops = (beside * sizes[:, 1]).cumsum(dim=0) - beside * sizes[:, 1]
        first = torch.stack([beside * sizes[0, 0], tops], dim=1)
        self._boxes = torch.cat([first, first + sizes - 1], dim=1)

    def _sizes(self) -> Float[Tensor, "level 2"]:
        """(width, height) of each level."""
        level = torch.arange(self.count, dtype=self.like.dtype, device=self.device)
        return torch.floor(numbers([self.width, self.height], self.like) / torch.exp2(level)[:, None])

    def without_mirror_images(self) -> "ImagePyramid":
        """The same images; nothing is copied."""
        plain = copy.copy(self)
        plain.mirrored, plain.number = False, len(self.like)
        return plain

    @property
    def device(self) -> torch.device:
        """That the images lie on."""
        return self.like.device

    def crops(
        self, matrices: Float[Tensor, "view 2 3"], size: tuple[int, int], padding: Padding = "border"
    ) -> Float[Tensor, "view 1 view_height view_width"]:
        """Parts of the images, each resampled by a map from pixels of its image to pixels of the view.

        There are one or more maps for each image: all first views of the images, then all second ones, and so on.
        """
        if self.mirrored:
            matrices = self._of_mirror_images(matrices)
        shrink = determinant(matrices[:, :, :2]).abs().clamp(min=1e-12).rsqrt()
        level = shrink.log2().floor().clamp(0, self.count - 1)
        # From the view's pixels to the level's (centres at integers: image = cells * level + (cells - 1) / 2).
        cells = torch.exp2(level)[:, None]
        linear = inverse(matrices[:, :, :2])
        offset = -(linear @ matrices[:, :, 2:]).squeeze(2)
        return self._views(level.long(), linear / cells[:, None], (offset - (cells - 1) / 2) / cells, size, padding)

    def _views(
        self,
        level: Int[Tensor, " view"],
        linear: Float[Tensor, "view 2 2"],
        offset: Float[Tensor, "view 2"],
        size: tuple[int, int],
        padding: Padding,
    ) -> Float[Tensor, "view 1 view_height view_width"]:
        """Views by maps from their pixels to those of a level."""
        height, width = size
        box = self._boxes[level]
        # In grid_sample's unit, in which the atlas spans -1 to 1.
        unit = 2 / numbers(self._atlas.shape[:-3:-1], box)
        low, high = (corner * unit + unit / 2 - 1 for corner in (box[:, :2], box[:, 2:]))
        linear = linear * unit[:, None]
        offset = low + offset * unit
        grid = sampling_grid(linear, offset, size)

        def row(values: Float[Tensor, "view 2"]) -> Float[Tensor, "view 1 twice_width"]:
            return values[:, None].expand(-1, width, -1).flatten(1)[:, None]

        low, high, unit = row(low), row(high), row(unit[None])
        if padding == "reflection":
            span, start = high - low + unit, low - unit / 2
            there = (grid - start).remainder(2 * span)
            grid = start + torch.minimum(there, 2 * span - there)
        inside = torch.clamp(grid, low, high)  # beyond lies another level
        joined = inside.unflatten(0, (-1, len(self._atlas))).transpose(0, 1).flatten(1, 2).unflatten(2, (width, 2))
        sampled = F.grid_sample(self._atlas, joined, align_corners=False)
        views = sampled.unflatten(2, (-1, height)).permute(2, 0, 1, 3, 4).flatten(0, 1)
        if padding == "cold":
            away = (grid - inside).abs() / unit
            covered = (1 - away).clamp(min=0).unflatten(2, (width, 2)).prod(dim=3)
            views = (views + 1) * covered[:, None] - 1
        return views

    def _of_mirror_images(self, matrices: Float[Tensor, "view 2 3"]) -> Float[Tensor, "view 2 3"]:
        """The same maps from pixels of the images themselves: x becomes width - 1 - x for the second half of images."""
        images = matrices.unflatten(0, (-1, 2, len(self.like)))
        itself, mirror = images[:, 0], images[:, 1]
        x, y, shift = mirror.unbind(-1)
        turned = torch.stack([-x, y, shift + (self.width - 1) * x], dim=-1)
        return torch.stack([itself, turned], dim=1).flatten(0, 2)


def one_view_each(
    images: Float[Tensor, "batch 1 height width"],
    matrices: Float[Tensor, "batch 2 3"],
    size: tuple[int, int],
    padding: Padding = "border",
) -> Float[Tensor, "batch 1 view_height view_width"]:
    """As `ImagePyramid(images).crops(...)` of one view of each image, without the levels that no view is cut from.

    In training, on a processor, the rest of the pyramid takes as long as the views.
    """
    shrink = determinant(matrices[:, :, :2]).abs().clamp(min=1e-12).rsqrt()
    most = min(LEVELS, min(images.shape[-2:]).bit_length()) - 1
    level = shrink.log2().floor().clamp(0, most).long()
    views = images.new_empty(len(images), images.shape[1], *size)
    for number in level.unique().tolist():
        rows = (level == number).nonzero()[:, 0]
        some, cells = images[rows], 2**number
        for _ in range(number):
            some = halved(some)
        # The image's pixels by the level's: centres at integers.
        middle = matrices[rows, :, :2].sum(dim=2, keepdim=True) * (cells - 1) / 2
        maps = torch.cat([matrices[rows, :, :2] * cells, matrices[rows, :, 2:] + middle], dim=2)
        views[rows] = warp_batch(some, maps, padding, size=size)
    return views


def halved(images: Float[Tensor, "batch 1 height width"]) -> Float[Tensor, "batch 1 half_height half_width"]:
    """The mean of each two by two pixels; on a processor a resize by one half takes less than half of a pool's time."""
    if torch.compiler.is_exporting():  # to one operator, whatever the size
        return F.avg_pool2d(images, 2)
    return F.interpolate(images, scale_factor=0.5, mode="bilinear", align_corners=False)
