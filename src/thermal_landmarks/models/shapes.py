"""What flows between the parts of a network: a feature map or a sequence of tokens; and where a map's cells lie.

A map of strided convolutions has its first cell at the image's first pixel, whatever the image's size, and its cells
one total stride apart. They are not the centres of equal shares of the image: the last stride may overhang its border.
"""

from typing import NamedTuple

from torch import nn


class FeatureMap(NamedTuple):
    """Shape of a feature map, without the batch."""

    channels: int
    height: int
    width: int

    @property
    def values(self) -> int:
        """How many numbers it holds."""
        return self.channels * self.height * self.width


class Tokens(NamedTuple):
    """Shape of a sequence of tokens, without the batch."""

    count: int  # type: ignore[assignment]  # hides tuple.count, which nobody needs here
    dim: int

    @property
    def values(self) -> int:
        """How many numbers they hold."""
        return self.count * self.dim


class Patches(Tokens):
    """Shape of tokens that are the cells of a map, row by row."""

    cells: FeatureMap

    @classmethod
    def of(cls, cells: FeatureMap) -> "Patches":
        """The tokens of a map's cells."""
        patches = cls(cells.height * cells.width, cells.channels)
        patches.cells = cells
        return patches


Shape = FeatureMap | Tokens


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
