"""The pyramid of one image, quicker than that of several: for exported files, and on processors.

The numbers are those of `ImagePyramid`, but for rounding.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from thermal_landmarks.data.batch import numbers
from thermal_landmarks.data.image_pyramid import LEVELS, ImagePyramid, halved
from thermal_landmarks.data.warping import Padding, sampling_grid


class GatheredViews(ImagePyramid):
    """For exported files: views are cut by gathering pixels. Beyond the border lies its nearest pixel.

    Without a kernel of its own for bilinear samples of one channel, ONNX Runtime takes 1.5 ms for a view of 192x192
    pixels by `GridSample`, 0.4 ms by four gathers.
    """

    def _keep(self, levels: list[Float[Tensor, "1 1 level_height level_width"]]) -> None:
        """All pixels in one row; the last level twice, as the neighbours of its last pixels have to be there."""
        self._pixels = torch.cat([level.flatten() for level in (*levels, levels[-1])])
        self._level_sizes = self._sizes()
        count = self._level_sizes.long().prod(dim=1)
        self._starts = (count.cumsum(dim=0) - count).int()  # places in 32 bits take half the time

    def _views(
        self,
        level: Int[Tensor, " view"],
        linear: Float[Tensor, "view 2 2"],
        offset: Float[Tensor, "view 2"],
        size: tuple[int, int],
        padding: Padding,
    ) -> Float[Tensor, "view 1 view_height view_width"]:
        assert len(self.like) == 1
        assert padding == "border"
        sizes = self._level_sizes[level]
        (x, share_x), (y, share_y) = (
            _places(linear[:, axis], offset[:, axis], sizes[:, axis] - 1, size) for axis in range(2)
        )
        width = sizes[:, 0, None, None].int()
        first = y * width + (x + self._starts[level][:, None, None])
        upper, lower = (self._between(start, share_x) for start in (first, first + width))
        return (upper + share_y * (lower - upper))[:, None]

    def _between(
        self, left: Int[Tensor, "view row column"], share: Float[Tensor, "view row column"]
    ) -> Float[Tensor, "view row column"]:
        """Between each pixel and the one to its right."""
        values, right = (
            self._pixels.gather(0, place.flatten().long()).unflatten(0, (-1, *place.shape[1:]))
            for place in (left, left + 1)
        )
        return values + share * (right - values)


class LevelsOnDemand(ImagePyramid):
    """On a processor: only the levels are made that views are cut from. Beyond the border lies its nearest pixel."""

    def __init__(self, images: Float[Tensor, "1 1 height width"], *, mirrored: bool = False) -> None:
        self.mirrored = mirrored
        self.number = 1 + mirrored
        self.height, self.width = images.shape[-2:]
        self.like = images
        self.count = min(LEVELS, min(images.shape[-2:]).bit_length())
        self._levels = [images]

    def _views(
        self,
        level: Int[Tensor, " view"],
        linear: Float[Tensor, "view 2 2"],
        offset: Float[Tensor, "view 2"],
        size: tuple[int, int],
        padding: Padding,
    ) -> Float[Tensor, "view 1 view_height view_width"]:
        assert padding == "border"
        views = self.like.new_empty(len(level), 1, *size)
        for number in level.unique().tolist():
            while len(self._levels) <= number:
                self._levels.append(halved(self._levels[-1]))
            image, rows = self._levels[number], (level == number).nonzero()[:, 0]
            unit = 2 / numbers(image.shape[:-3:-1], image)  # of grid_sample, in which the image spans -1 to 1
            grid = sampling_grid(linear[rows] * unit[:, None], (offset[rows] + 0.5) * unit - 1, size)
            sampled = F.grid_sample(
                image, grid.view(1, -1, size[1], 2), padding_mode="border", align_corners=False
            )  # all views below each other
            views[rows] = sampled.view(-1, 1, *size)
        return views


def pyramid_of(images: Float[Tensor, "batch 1 height width"], *, mirrored: bool = False) -> ImagePyramid:
    """The pyramid of images that is quickest there: in an exported file, on a processor, or elsewhere."""
    kind = ImagePyramid
    if torch.compiler.is_exporting():
        kind = GatheredViews
    elif len(images) == 1 and images.device.type == "cpu":
        kind = LevelsOnDemand
    return kind(images, mirrored=mirrored)


def _places(
    steps: Float[Tensor, "view 2"], offset: Float[Tensor, " view"], last: Float[Tensor, " view"], size: tuple[int, int]
) -> tuple[Int[Tensor, "view row column"], Float[Tensor, "view row column"]]:
    """One coordinate of each pixel of the views: the pixel of the level at or before it, and how far beyond that it is.

    Args:
        steps: From one column of the view to the next, and from one row to the next.
        offset: Of the view's first pixel.
        last: Pixel of the level.
        size: (height, width) of a view.
    """
    rows, columns = (torch.arange(side, dtype=steps.dtype, device=steps.device) for side in size)
    along = columns * steps[:, :1] + offset[:, None]
    places = (rows * steps[:, 1:])[:, :, None] + along[:, None]
    inside = torch.minimum(places.clamp(min=0), last[:, None, None])
    before = inside.floor()
    return before.int(), inside - before
