"""The head whose heat maps are taken for normal distributions: their spread is learned, too.

A heat map with mean m and variance v costs the negative log-likelihood of the true point t along each axis,
(t - m)^2 / 2v + log(2 pi v) / 2 (after Kumar et al. 2020, LUVLi, arXiv 2004.02980, here with a diagonal covariance that
is the heat map's own). So a map becomes narrow where the network is right, and wide where it is often wrong.
"""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from thermal_landmarks.models.registry import HEADS
from thermal_landmarks.models.soft_argmax import SoftArgmaxHead


@HEADS.register("gaussian")
class GaussianHead(SoftArgmaxHead):
    """As `soft_argmax`, but the penalty on the heat maps is a negative log-likelihood, weighted by `heat_weight`.

    `heat_sigma` is a standard deviation in cells that is added to a heat map's own: no point is infinitely sure.
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
