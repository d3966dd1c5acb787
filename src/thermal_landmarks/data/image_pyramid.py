"""Images at full, half, quarter, ... resolution, from which any number of views are cut by one bilinear sample.

The levels lie side by side in one image, so that views of different levels need no call each. A view that shrinks its
image by 2 or more is taken from averaged pixels, so that nothing aliases.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from thermal_landmarks.data.warping import Padding

_LEVELS = 6


class ImagePyramid:
    """A batch of images and their averages over squares of 2, 4, 8, 16 and 32 pixels.

    Args:
        images: In [-1, 1], or wider.
    """

    def __init__(self, images: Float[Tensor, "batch 1 height width"]) -> None:
        self.height, self.width = images.shape[-2:]
        levels = [images]
        while len(levels) < _LEVELS and min(levels[-1].shape[-2:]) >= 2:
            levels.append(F.avg_pool2d(levels[-1], 2))
        self.count = len(levels)
        # The first level at the left; the others in a column beside it, one below the other.
        column, heights = self.width // 2, [level.shape[-2] for level in levels[1:]]
        parts = [F.pad(level, (0, column - level.shape[-1])) for level in levels[1:]]
        parts.append(images.new_zeros(len(images), 1, self.height - sum(heights), column))
        self._atlas = torch.cat([images, torch.cat(parts, dim=2)], dim=3)
        tops = [0] + [sum(heights[:place]) for place in range(len(heights))]
        self._boxes = images.new_tensor(  # of each level: left, top, right-most and lowest pixel in the atlas
            [
                [left, top, left + level.shape[-1] - 1, top + level.shape[-2] - 1]
                for left, top, level in zip([0] + [self.width] * len(heights), tops, levels, strict=True)
            ]
        )

    def views(
        self, matrices: Float[Tensor, "view 2 3"], size: tuple[int, int], padding: Padding = "border"
    ) -> Float[Tensor, "view 1 view_height view_width"]:
        """Parts of the images, each resampled by a map from pixels of its image to pixels of the view.

        Args:
            matrices: One or more for each image: all first views of the images, then all second ones, and so on.
            size: (height, width) of a view.
            padding: What appears beyond an image's border; see `warp_batch`.
        """
        number, (height, width) = len(self._atlas), size
        shrink = torch.linalg.det(matrices[:, :, :2]).abs().clamp(min=1e-12).rsqrt()
        level = shrink.log2().floor().clamp(0, self.count - 1)
        cells, box = torch.exp2(level)[:, None], self._boxes[level.long()]
        # From the view's pixels to the level's (centres at integers: image = cells * level + (cells - 1) / 2), then to
        # grid_sample's unit, in which the atlas spans -1 to 1.
        linear = torch.linalg.inv(matrices[:, :, :2])
        offset = -(linear @ matrices[:, :, 2:]).squeeze(2)
        unit = 2 / box.new_tensor([self._atlas.shape[-1], self._atlas.shape[-2]])
        low, high = ((corner + 0.5) * unit - 1 for corner in (box[:, :2], box[:, 2:]))
        linear = linear * (unit / cells)[:, :, None]
        offset = low + (offset - (cells - 1) / 2) / cells * unit
        x = torch.arange(width, dtype=linear.dtype, device=linear.device)
        y = torch.arange(height, dtype=linear.dtype, device=linear.device)
        grid = linear[:, :, 0, None, None] * x + (linear[:, :, 1, None] * y + offset[:, :, None])[..., None]
        low, high, unit = low[:, :, None, None], high[:, :, None, None], unit[:, None, None]
        if padding == "reflection":
            span, start = high - low + unit, low - unit / 2
            there = (grid - start).remainder(2 * span)
            grid = start + torch.minimum(there, 2 * span - there)
        inside = torch.clamp(grid, low, high)  # beyond lies another level
        joined = inside.unflatten(0, (-1, number)).permute(1, 0, 3, 4, 2).flatten(1, 2)
        sampled = F.grid_sample(self._atlas, joined, align_corners=False)
        views = sampled.unflatten(2, (-1, height)).permute(2, 0, 1, 3, 4).flatten(0, 1)
        if padding == "cold":
            covered = (1 - (grid - inside).abs() / unit).clamp(min=0).prod(dim=1, keepdim=True)
            views = (views + 1) * covered - 1
        return views
