"""The heads with heat maps: one a landmark, whose centre of mass is the landmark (integral regression, Sun et al. 2018,
arXiv 1711.08229; Nibali et al. 2018, arXiv 1801.07372). They keep the places of the features.
"""

import math
from collections.abc import Sequence
from typing import Literal, get_args

import torch
from einops import rearrange
from jaxtyping import Bool, Float
from torch import Tensor, nn

from thermal_landmarks.errors import ConfigError, require_choice
from thermal_landmarks.models.heads import LandmarkHead
from thermal_landmarks.models.layers import is_whole, require_number
from thermal_landmarks.models.registry import HEADS
from thermal_landmarks.models.shapes import FeatureMap, Grid, Patches, Shape

Places = Literal["centres", "stretched"]


@HEADS.register("soft_argmax")
class SoftArgmaxHead(LandmarkHead):
    """One heat map a landmark from a 1x1 convolution; the landmark is the heat map's centre of mass.

    It follows feature maps of one height and width, or tokens that are cells of one; `grid` says where the cells lie in
    the image. By the `margin` around the map, points at or beyond the image's border can be reached. Without the
    penalty on the form of the heat maps (`heat_weight`) they learn slowly where the evidence is. `places=stretched`
    spreads the map over the image, as it was before this setting; that shifts points, by an amount that depends on the
    place where the total stride doesn't divide the image. Checkpoints without the setting were trained so. Settings:
    `conf/head/soft_argmax.yaml`.

    Raises:
        ConfigError: If a component gives tokens that are no map's cells, or a setting is out of range.
    """

    def __init__(
        self,
        in_shapes: Sequence[Shape],
        num_points: int,
        image_shape: FeatureMap,
        grid: Grid | None,
        *,
        margin: int,
        dropout: float,
        heat_weight: float,
        heat_sigma: float,
        places: Places = "stretched",
    ) -> None:
        super().__init__()
        require_number("head", dropout=dropout, heat_weight=heat_weight, heat_sigma=heat_sigma)
        if not 0 <= dropout < 1 or not is_whole(margin) or margin < 0 or heat_weight < 0 or heat_sigma <= 0:
            raise ConfigError(
                "The head's dropout must lie in [0, 1), its margin must be a whole number of at least 0, heat_weight "
                f"at least 0 and heat_sigma positive, found {dropout}, {margin!r}, {heat_weight} and {heat_sigma}."
            )
        found = [shape.cells if isinstance(shape, Patches) else shape for shape in in_shapes]
        maps = [shape for shape in found if isinstance(shape, FeatureMap)]
        if len(maps) < len(in_shapes):
            raise ConfigError(
                f"The soft_argmax head needs feature maps, but the branch gives tokens (shape {tuple(in_shapes[0])}) "
                "that are no map's cells. Set head=fully_connected, or branch=none, luong or bahdanau; of a vit: "
                "branch.class_token=false."
            )
        _, height, width = maps[0]
        spans, shift = _spans_and_shift(places, (width, height), image_shape, grid)
        self.heat_weight = heat_weight
        self.rows = height
        self.cells = torch.tensor(spans)  # that span the image, along x and y
        self.sigma = heat_sigma
        self.dropout = nn.Dropout2d(dropout)
        self.heat = nn.Conv2d(sum(shape.channels for shape in maps), num_points, 1, padding=margin)
        nn.init.normal_(self.heat.weight, std=0.01)
        x = (torch.arange(-margin, width + margin) + shift) / spans[0]
        y = (torch.arange(-margin, height + margin) + shift) / spans[1]
        places_of_cells = torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1)
        self.places: Tensor  # (cell, 2), [0, 1] image units
        self.register_buffer("places", places_of_cells.flatten(0, 1), persistent=False)

    def forward(
        self, features: Sequence[Float[Tensor, "b c h w"] | Float[Tensor, "b cell c"]]
    ) -> Float[Tensor, "b point 2"]:
        return self._centre(self._heat(features))

    def forward_train(
        self,
        features: Sequence[Float[Tensor, "b c h w"]],
        target: Float[Tensor, "b point 2"],
        mask: Bool[Tensor, "b point"],
    ) -> tuple[Float[Tensor, "b point 2"], Float[Tensor, ""]]:
        """Landmarks, and the weighted mean of the valid points' penalty on the form of their heat maps."""
        heat = self._heat(features)
        penalty = self._penalty(heat, torch.where(mask[..., None], target, 0.5))
        return self._centre(heat), self.heat_weight * (penalty * mask).sum() / mask.sum().clamp(min=1)

    def _penalty(
        self, heat: Float[Tensor, "b point cell"], target: Float[Tensor, "b point 2"]
    ) -> Float[Tensor, "b point"]:
        """Cross entropy between heat maps and Gaussians around the targets."""
        distance = (self.places - target[:, :, None]) * self.cells.to(target)
        wanted = (-0.5 / self.sigma**2 * distance.square().sum(dim=-1)).softmax(dim=2)
        return -(wanted * heat.log_softmax(dim=2)).sum(dim=2)

    def _heat(self, features: Sequence[Tensor]) -> Float[Tensor, "b point cell"]:
        rows = self.rows
        maps = [
            part if part.ndim == 4 else rearrange(part, "b (row column) c -> b c row column", row=rows)
            for part in features
        ]
        joined = self.dropout(maps[0] if len(maps) == 1 else torch.cat(maps, dim=1))
        # In full precision, as in the fully connected head.
        with torch.autocast(joined.device.type, enabled=False):
            heat: Tensor = self.heat(joined.to(self.heat.weight.dtype))
        return heat.flatten(2).float()

    def _centre(self, heat: Tensor) -> Float[Tensor, "b point 2"]:
        with torch.autocast(heat.device.type, enabled=False):
            return heat.softmax(dim=2) @ self.places


@HEADS.register("gaussian")
class GaussianHead(SoftArgmaxHead):
    """As `soft_argmax`, but heat maps are taken for normal distributions, whose spread is learned, too.

    A heat map with mean m and variance v costs the negative log-likelihood of the true point t along each axis,
    (t - m)^2 / 2v + log(2 pi v) / 2, times `heat_weight` (after Kumar et al. 2020, LUVLi, arXiv 2004.02980, here with a
    diagonal covariance that is the heat map's own). So a map becomes narrow where the network is right, and wide where
    it is often wrong. `heat_sigma` is a standard deviation in cells that is added to the map's own: no point is
    infinitely sure.
    """

    def forward_spread(
        self, features: Sequence[Float[Tensor, "b c h w"]]
    ) -> tuple[Float[Tensor, "b point 2"], Float[Tensor, "b point 2"]]:
        """Landmarks, and the standard deviation of each along x and y, both in [0, 1] image units."""
        heat = self._heat(features)
        return self._centre(heat), self._variance(heat).sqrt() / self.cells.to(heat)

    def _penalty(
        self, heat: Float[Tensor, "b point cell"], target: Float[Tensor, "b point 2"]
    ) -> Float[Tensor, "b point"]:
        error = (target - self._centre(heat)) * self.cells.to(heat)
        variance = self._variance(heat)
        return (error.square() / variance + (2 * math.pi * variance).log()).sum(dim=2) / 2

    def _variance(self, heat: Float[Tensor, "b point cell"]) -> Float[Tensor, "b point 2"]:
        """Of each map along x and y, in cells squared."""
        with torch.autocast(heat.device.type, enabled=False):
            mass = heat.softmax(dim=2)
            places = self.places * self.cells.to(heat)
            own = mass @ places.square() - (mass @ places).square()
        return own.clamp(min=0) + self.sigma**2


def _spans_and_shift(
    places: str, map_size: tuple[int, int], image_shape: FeatureMap, grid: Grid | None
) -> tuple[tuple[float, float], float]:
    """How many cells span the image along x and y, and how many the first cell's centre is from the image's border."""
    require_choice("head.places", places, get_args(Places))
    if places == "stretched":
        return map_size, 0.5
    if grid is None:
        raise ConfigError(
            "head.places=centres needs a root, stem and branch that say where their cells lie (their `grid`), and one "
            "of them doesn't. Set head.places=stretched, which spreads the cells evenly over the image."
        )
    # A pixel reaches half a pixel to the left of its centre.
    return (image_shape.width / grid.step, image_shape.height / grid.step), (grid.first + 0.5) / grid.step
