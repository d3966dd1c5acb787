"""The pyramid of an image for exported files: views are cut by gathering pixels.

Without a kernel of its own for bilinear samples of one channel, ONNX Runtime takes 1.5 ms for a view of 192x192 pixels
by `GridSample`, 0.4 ms by four gathers. The numbers are those of `ImagePyramid`, but for rounding.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from thermal_landmarks.data.image_pyramid import ImagePyramid
from thermal_landmarks.data.warping import Padding


class GatheredViews(ImagePyramid):
    """As `ImagePyramid`, of one image, with nothing but the nearest pixel beyond its border (`padding="border"`)."""

    def _keep(self, levels: list[Float[Tensor, "1 1 level_height level_width"]]) -> None:
        """All pixels in one row; the last level twice, as the neighbours of its last pixels have to be there."""
        self._pixels = torch.cat([level.flatten() for level in (*levels, levels[-1])])
        self._level_sizes = self._sizes()
        count = self._level_sizes.long().prod(dim=1)
        self._starts = count.cumsum(dim=0) - count

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
        width = sizes[:, 0, None, None].long()
        first = y * width + (x + self._starts[level][:, None, None])
        upper, lower = (self._between(start, share_x) for start in (first, first + width))
        return (upper + share_y * (lower - upper))[:, None]

    def _between(
        self, left: Int[Tensor, "view row column"], share: Float[Tensor, "view row column"]
    ) -> Float[Tensor, "view row column"]:
        """Between each pixel and the one to its right."""
        values, right = (
            self._pixels.gather(0, place.flatten()).unflatten(0, (-1, *place.shape[1:])) for place in (left, left + 1)
        )
        return values + share * (right - values)


def pyramid_of(images: Float[Tensor, "batch 1 height width"], *, mirrored: bool = False) -> ImagePyramid:
    """The pyramid of images; while a file is exported, the one that is quick there."""
    kind = GatheredViews if torch.compiler.is_exporting() else ImagePyramid
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
    return inside.long(), inside - inside.floor()
