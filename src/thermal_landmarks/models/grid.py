"""Where the cells of a feature map lie in the image.

A map of strided convolutions has its first cell at the image's first pixel, whatever the image's size, and its cells
one total stride apart. They are not the centres of equal shares of the image: the last stride may overhang its border.
"""

from typing import NamedTuple

from torch import nn


class Grid(NamedTuple):
    """The centre of cell i is at `first + step * i`, counted in cells (for a root, in pixels) of the map before.

    The centre is that of the cell's receptive field; pixel centres are at integers.
    """

    step: float
    first: float = 0.0

    def then(self, following: "Grid") -> "Grid":
        """The grid of two layers in a row, counted in cells of the map before the first."""
        return Grid(self.step * following.step, self.first + self.step * following.first)


def grid_of(*parts: nn.Module) -> Grid | None:
    """The grid of parts in a row, or None if one of them gives tokens or doesn't say where its cells lie."""
    whole = Grid(1.0)
    for part in parts:
        own = getattr(part, "grid", None)
        if own is None:
            return None
        whole = whole.then(own)
    return whole
