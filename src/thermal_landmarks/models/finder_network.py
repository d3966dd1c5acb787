"""The finder's network: the same chain of root, stem, branch and head as for landmarks, on images of any size."""

from typing import Any, cast

from jaxtyping import Float
from torch import Tensor

from thermal_landmarks.errors import ConfigError
from thermal_landmarks.models.center_map import FaceMaps
from thermal_landmarks.models.network import Network
from thermal_landmarks.models.shapes import FeatureMap


class FinderNetwork(Network):
    """Images of any size in, maps of faces out.

    Args:
        **settings: As of `Network`; the head gives faces, `image_size` is of the images that it is trained on.

    Attributes:
        stride: Pixels of the image for a cell of the maps.

    Raises:
        ConfigError: As `Network`, or if the maps' cells aren't square.
    """

    gives = "faces"

    def __init__(self, **settings: Any) -> None:
        super().__init__(num_points=0, **settings)
        out = cast(FeatureMap, self.components[0].out_shape)
        self.stride = self.image_shape.height // out.height
        if (self.image_shape.height, self.image_shape.width) != (out.height * self.stride, out.width * self.stride):
            raise ConfigError(
                f"Images of {self.image_shape.height}x{self.image_shape.width} pixels give {out.height}x{out.width} "
                "cells, which don't cover them evenly. Set data.image_size to multiples of the network's stride."
            )

    def forward(self, images: Float[Tensor, "b c h w"]) -> FaceMaps:
        """What the head says of every cell."""
        maps: FaceMaps = self.head(self._features(images))
        return maps
