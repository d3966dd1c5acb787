"""The finder's head: for each cell of the map whether a face's centre lies in it, and that face's size and angle.

CenterNet (Zhou et al. 2019, arXiv 1904.07850), with the in-plane angle beside the size and without its upsampling
layers: stem and branch decide how fine the map is.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from thermal_landmarks.errors import ConfigError
from thermal_landmarks.models.layers import ConvLayer, require_number, require_positive
from thermal_landmarks.models.registry import HEADS
from thermal_landmarks.models.shapes import FeatureMap, Shape

_CELLS = 4.0  # width and height, in cells, of the face that an untrained head predicts
_EXPONENTS = (-3.0, 5.0)  # of sizes: a quarter of a cell to 600 cells


class FaceMaps(NamedTuple):
    """What the head says of every cell."""

    score: Float[Tensor, "b h w"]  # logit that a face's centre lies in the cell, (b, h, w)
    # Of that face, in cells from the map's corner: x and y of the centre, width, height; (b, 4, h, w)
    box: Float[Tensor, "b 4 h w"]
    # Cosine and sine of the face's in-plane angle, not normalised; positive where the face leans clockwise as seen by a
    # person; (b, 2, h, w)
    angle: Float[Tensor, "b 2 h w"]


@HEADS.register("center_map")
class CenterMapHead(nn.Module):
    """A 3x3 convolution and a 1x1 convolution, on maps of any height and width. Settings: `conf/head/center_map.yaml`.

    A small `prior`, the probability of a face in a cell that the untrained head gives, keeps the first steps calm.

    Raises:
        ConfigError: If a component gives tokens instead of a map, or a setting is out of range.
    """

    gives = "faces"

    def __init__(self, in_shapes: Sequence[Shape], *, width: int, prior: float) -> None:
        super().__init__()
        require_positive("head", width=width)
        require_number("head", prior=prior)
        if not 0 < prior < 1:
            raise ConfigError(f"The head's prior must lie between 0 and 1, found {prior}.")
        maps = [shape for shape in in_shapes if isinstance(shape, FeatureMap)]
        if len(maps) < len(in_shapes):
            raise ConfigError(
                f"The center_map head needs feature maps, but the branch gives tokens (shape {tuple(in_shapes[0])}). "
                "Set branch=none, luong or bahdanau."
            )
        channels = sum(shape.channels for shape in maps)
        self.mix = ConvLayer(channels, width, kernel_size=3, normalisation="batch", activation="relu")
        self.maps = nn.Conv2d(width, 7, 1)
        nn.init.normal_(self.maps.weight, std=0.01)
        with torch.no_grad():
            self.maps.bias.zero_()  # type: ignore[union-attr]
            self.maps.bias[0] = torch.logit(torch.tensor(prior))  # type: ignore[index]
            self.maps.bias[5] = 1.0  # type: ignore[index]  # upright

    def forward(self, features: Sequence[Float[Tensor, "b c h w"]]) -> FaceMaps:
        mixed = self.mix(features[0] if len(features) == 1 else torch.cat(list(features), dim=1))
        # In full precision: bf16 would round the places of large faces.
        with torch.autocast(mixed.device.type, enabled=False):
            maps: Tensor = self.maps(mixed.to(self.maps.weight.dtype)).float()
            height, width = maps.shape[-2:]
            y, x = (torch.arange(side, device=maps.device) + 0.5 for side in (height, width))
            centre = [maps[:, 1:2] + x, maps[:, 2:3] + y[:, None]]
            size = _CELLS * maps[:, 3:5].clamp(*_EXPONENTS).exp()
        return FaceMaps(maps[:, 0], torch.cat([*centre, size], dim=1), maps[:, 5:7])
