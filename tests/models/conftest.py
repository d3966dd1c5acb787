"""Networks with the settings that ship in conf/, but stems that shrink the map to where attention costs little."""

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
        shipped = settings_of("stem", stem)
        shrinking = {"strided_repeats": 3, "width": 16, "width_growth": 2.0}
        return LandmarkNetwork(
            root=settings_of("root", "paper"),
            stem=shipped | {name: value for name, value in shrinking.items() if "strided_repeats" in shipped},
            branch=settings_of("branch", branch),
            head=settings_of("head", "fully_connected"),
            in_channels=in_channels,
            image_size=image_size,
            num_points=6,
            ensemble=ensemble,
        )

    return make
