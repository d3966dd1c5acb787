"""Networks with the settings that ship in conf/."""

from collections.abc import Callable
from typing import Any

import pytest

from thermal_landmarks.models.network import LandmarkNetwork


@pytest.fixture(scope="session")
def make_network(settings_of: Callable[[str, str], dict[str, Any]]) -> Callable[..., LandmarkNetwork]:
    """A network of the shipped components: `make_network("conv", "vit", ensemble=3)`."""

    def make(
        stem: str, branch: str, *, image_size: tuple[int, int] = (90, 110), in_channels: int = 1, ensemble: int = 1
    ) -> LandmarkNetwork:
        return LandmarkNetwork(
            root=settings_of("root", "paper"),
            stem=settings_of("stem", stem),
            branch=settings_of("branch", branch),
            head=settings_of("head", "fully_connected"),
            in_channels=in_channels,
            image_size=image_size,
            num_points=6,
            ensemble=ensemble,
        )

    return make
